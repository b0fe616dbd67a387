"""Secrets that the code may change as often as it likes, and nothing happens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate, IgnoredChange
from shoreup.facts.fields import mapping
from shoreup.facts.naming import named
from shoreup.facts.secrets.recognition import placeholder, secret_name
from shoreup.facts.versions.updaters import comment_on_writer
from shoreup.model.finding import Category, Consequence, Fix, Safety, Section, Severity
from shoreup.model.page import Source
from shoreup.model.value import Value

_FIELDS = ("data", "stringData", "binaryData")
_GENERATED = ("random_", "tls_", "time_")
_UNIGNORE = Fix(
    "Drop the entry, after the code holds the value that is in use",
    Safety.SHOWN,
    "the next apply writes the code's value, which may not be the one that works today",
)


_PROPOSAL = """# 1. put the value that is in use where the code reads it; terraform plan shows no change
# 2. take the entry out of ignore_changes
# 3. replace the credential, and let the code carry the new one"""


class SecretRotationFrozen(Concern):
    """`ignore_changes` keeps a credential from ever being replaced by code.

    **What**

    A Secret's data, or a password field of another resource, is written by Terraform and named in `ignore_changes`.
    Where the code gives no value of its own, somebody else fills it in, and the question stays open.

    **Why**

    Whoever rotates the key in code sees a clean plan and believes that it is done. The old key goes on working, on the
    day of a leak too.

    **Example**

    `ignore_changes = [data]` on a `kubernetes_secret` whose key comes from `tls_private_key` is found; the same entry
    over `metadata[0].annotations` is not.

    **Fix safety**

    Shown: without the entry the next apply overwrites what is there.
    """

    id = "secret-rotation-frozen"
    title = "Credential that code cannot replace"
    severity = Severity.MEDIUM
    consequence_class = Consequence.TAKEOVER
    category = Category.ACCESS
    section = Section.SECURITY
    sources = (
        Source(
            "Terraform: lifecycle and ignore_changes",
            "https://developer.hashicorp.com/terraform/language/meta-arguments/lifecycle",
        ),
        Source("CWE-324: a key past its time", "https://cwe.mitre.org/data/definitions/324.html"),
    )
    proposal = _PROPOSAL

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every ignored change."""
        for entry in estate.ignored_changes:
            resource = entry.resource
            covered = _covered(entry)
            if covered is None:
                continue
            what = entry.route[-1] if entry.route and resource.kind != "Secret" else "data"
            if not _written(covered):
                reason = f"the code gives {named(resource)} no value, and who fills it in is not in the estate"
                yield self.undecided(entry.place, unknown=f"who writes {what}", reason=reason)
                continue
            if comment_on_writer(estate, entry.place.span):
                reason = "a comment beside it says that something else writes it"
                yield self.undecided(entry.place, unknown=f"who writes {what}", reason=reason)
                continue
            keys = sorted(key for key, value in covered.items() if _written({key: value}))
            yield self.found(
                entry.place,
                field="ignore_changes",
                subject=named(resource),
                message=(
                    f"{named(resource)} holds {_listed(keys)}, and ignore_changes keeps Terraform from ever "
                    f"changing {'them' if len(keys) > 1 else 'it'}."
                ),
                consequence="A new credential in the code never arrives: the old one stays in use, after a leak too.",
                fixes=(_UNIGNORE,),
            )


def _covered(entry: IgnoredChange) -> Mapping[str, Value] | None:
    """The credentials that an entry covers, by name; ``None`` when it covers none."""
    body = entry.resource.body
    if entry.resource.kind == "Secret":
        held = {key: value for field in _FIELDS for key, value in mapping(body.get(field)).items()}
        if entry.all_fields or (len(entry.route) == 1 and entry.route[0] in _FIELDS):
            return held
        if len(entry.route) == 2 and entry.route[0] in _FIELDS:
            return {key: value for key, value in held.items() if key == entry.route[1]}
        return None
    if entry.all_fields or entry.resource.kind.startswith(_GENERATED) or not entry.route:
        return None
    last = entry.route[-1]
    if not isinstance(last, str) or not secret_name(last):
        return None
    value: Value = dict(body)
    for step in entry.route:
        value = mapping(value).get(step) if isinstance(step, str) else None
    return {last: value}


def _written(covered: Mapping[str, Value]) -> bool:
    """Whether the code gives any of the values itself."""
    return any(value is not None and not (isinstance(value, str) and placeholder(value)) for value in covered.values())


def _listed(keys: Sequence[str]) -> str:
    shown = list(keys[:4])
    if len(keys) > len(shown):
        return f"{', '.join(shown)} and {len(keys) - len(shown)} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
