"""SSH keys that have been the same for as long as anybody knows."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.wording.proofs import since
from shoreup.facts.estate import Estate
from shoreup.facts.naming import named
from shoreup.facts.proofs import Drill, standing, subject_of
from shoreup.facts.secrets.ssh_keys import SHORT_RSA, MaybeSshKey, SshKey, ssh_keys
from shoreup.model.finding import Category, Consequence, Draft, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source

_ROTATE = Fix(
    "Make a new ed25519 key, let the other side accept both, change the Secret, then remove the old key there",
    Safety.SHOWN,
    "the other side has to know the new key before the old one goes",
)


class SshKeyUnrotated(Concern):
    """A private SSH key lies in the estate, and no rotation of it is on record.

    **What**

    A private SSH key in a Secret or ConfigMap, told by its form, by the Secret's type or by its name, encrypted or
    not, for which no rotation is on record that is young enough. Of a key that stands there in clear the kind and size
    are read. It is one entry for an object.

    **Why**

    Whoever ever had the key, a laptop that was given away, an old backup, a copy of the state, logs in until it is
    replaced. RSA under 3072 bits is also too short for the years to come.

    **Example**

    A Secret with `id_rsa` is listed. The private key of a TLS certificate is not.

    **Fix safety**

    Shown: the other side has to know the new key before the old one goes.
    """

    id = "ssh-key-unrotated"
    title = "SSH key without a rotation on record"
    severity = Severity.HIGH
    consequence_class = Consequence.TAKEOVER
    category = Category.ACCESS
    section = Section.SECURITY
    sources = (
        Source("NIST SP 800-57: how long a key may be used", "https://csrc.nist.gov/pubs/sp/800/57/pt1/r5/final"),
        Source("CWE-326: a key that is too weak", "https://cwe.mitre.org/data/definitions/326.html"),
    )
    estate_level = True

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every entry that holds a private SSH key."""
        seen: set[int] = set()
        for key in ssh_keys(estate):
            resource = key.entry.resource
            if resource.key in seen:
                continue
            seen.add(resource.key)
            if isinstance(key, MaybeSshKey):
                at = Place(resource.key, key.entry.route)
                yield self.undecided(at, unknown=f"value of {key.entry.key}", reason=key.reason)
            else:
                draft = self._judge(estate, key)
                if draft is not None:
                    yield draft

    def _judge(self, estate: Estate, key: SshKey) -> Draft | None:
        resource = key.entry.resource
        stands = standing(estate, subject_of(resource), Drill.ROTATION)
        if stands.proven:
            return None
        who = named(resource)
        what = f"a private SSH key of RSA with {key.bits} bits" if key.bits else "a private SSH key"
        if key.algorithm and not key.bits:
            what = f"a private SSH key ({key.algorithm})"
        short = " It is too short as well." if 0 < key.bits < SHORT_RSA else ""
        return self.found(
            Place(resource.key, key.entry.route),
            field="rotation",
            subject=who,
            message=f"The key {key.entry.key} of {who} is {what}, and {since(stands, 'a rotation')}.",
            consequence=f"Whoever ever had a copy of it logs in until it is replaced.{short}",
            fixes=(_ROTATE,),
        )
