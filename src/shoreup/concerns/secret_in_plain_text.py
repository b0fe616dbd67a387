"""Passwords that stand in the source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import MappingProxyType

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.wording.aside import NOT_APPLIED, REMOVE
from shoreup.facts.estate import Estate
from shoreup.facts.fields import why_open
from shoreup.facts.secrets.recognition import secret_path
from shoreup.facts.secrets.written_out import Written, owner_name, written_aside, written_secrets
from shoreup.model.finding import Category, Confidence, Consequence, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source

_MOVE = Fix(
    "Take it from a Secret that is not in clear in the repository or from a variable, and replace it",
    Safety.SHOWN,
    "what lay in git counts as known, so the credential itself has to be replaced where it is made",
)

_PROPOSAL = """env:
  - name: <variable>
    valueFrom:
      secretKeyRef: {name: <Secret>, key: <key>}
# Terraform: a variable with sensitive = true, or a data source of where the secret is kept"""


class SecretInPlainText(Concern):
    """A credential is written out in the source.

    **What**

    A literal value of a container's environment, of a Secret, of a chart's values or of a resource of Terraform has
    the form of a credential, or a name that says that it is one, also in folders that nothing applies (`archive/`,
    `examples/`). References, placeholders, values that something fills in later, hashes of passwords and encrypted
    files are left alone; ConfigMaps and arguments have concerns of their own.

    **Why**

    Everyone who has ever cloned the repository has it, and so has every backup of it and every machine that built
    from it. Git keeps it after it is gone from the file.

    **Example**

    `ADMIN_TOKEN: hunter2hunter2` in a container's environment is found; a `secretKeyRef`, `${ADMIN_TOKEN}` and a file
    encrypted with sops are not.

    **Fix safety**

    Shown: moving it is not enough, it has to be replaced.
    """

    id = "secret-in-plain-text"
    title = "Credential written out in the source"
    severity = Severity.HIGH
    consequence_class = Consequence.TAKEOVER
    category = Category.ACCESS
    section = Section.SECURITY
    sources = (
        Source(
            "Kubernetes: good practices for Secrets",
            "https://kubernetes.io/docs/concepts/security/secrets-good-practices/",
        ),
        Source("CWE-798: credentials in code", "https://cwe.mitre.org/data/definitions/798.html"),
    )
    proposal = MappingProxyType({_MOVE: _PROPOSAL})

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every literal that may be a credential; the same one in several places is one finding."""
        groups: dict[tuple[str, str], list[Written]] = {}
        for written in (*written_secrets(estate), *written_aside(estate)):
            groups.setdefault((written.mark, written.likeness.kind), []).append(written)
        for members in groups.values():
            yield self._written(members)
        for entry in estate.config:
            if entry.kind == "Secret" and secret_path(entry.source_path):
                reason = why_open(entry.value)
                if reason and "encrypted" not in reason:
                    place = Place(entry.resource.key, entry.route)
                    why = f"whether {entry.source_path} lies in the repository in clear is not decided: {reason}"
                    yield self.undecided(place, unknown=f"value of {entry.key}", reason=why)

    def _written(self, members: Sequence[Written]) -> Outcome:
        first = members[0]
        one = first.likeness
        subject = owner_name(first)
        article = "an" if one.kind[0] in "aeiouA" else "a"
        how = " in Base64, which hides nothing" if first.encoded else ""
        more = f", and in {len(members) - 1} more places" if len(members) > 2 else ""
        more = ", and in one more place" if len(members) == 2 else more
        return self.found(
            first.place,
            field=first.where,
            subject=subject,
            message=(
                f"{subject} holds {article} {one.kind} in clear under {first.where}{how} ({one.length} characters, "
                f"hash {one.mark}){more}.{NOT_APPLIED if first.aside else ''}"
            ),
            consequence="Whoever has the repository, or had it once, has the credential; it counts as known.",
            confidence=Confidence.CERTAIN if one.by == "form" else Confidence.LIKELY,
            related=tuple((other.place, "here too") for other in members[1:9]),
            fixes=(REMOVE if first.aside else _MOVE,),
        )
