"""Credentials that nobody replaces."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.wording.proofs import since
from shoreup.facts.estate import Estate
from shoreup.facts.naming import named
from shoreup.facts.proofs import ESTATE, Drill, standing, subject_of
from shoreup.facts.secrets.credentials import credentials, rotator
from shoreup.model.finding import Category, Consequence, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source

_LISTED = 10
_ROTATE = Fix(
    "Decide how old each kind of credential may become, write it down beside the Secret, and replace what is older",
    Safety.SHOWN,
    "each system that a credential opens has its own way of changing it",
)


class SecretRotationOverdue(Concern):
    """Secrets of the estate hold credentials, and no rotation of them is on record.

    **What**

    Secrets that the estate declares, encrypted or not, with a credential in them, for which no rotation is on record
    that is young enough, while nothing in the estate makes credentials anew by a rhythm. Secrets that come from a
    store outside (External Secrets) are that store's matter, SSH keys and certificates have their own. It is one entry
    for the estate.

    **Why**

    A credential leaks once and is used for as long as it works: in old commits, logs, backups, on machines that were
    given away.

    **Example**

    Twelve Secrets with passwords and no rotation on record are one entry that names the first of them.

    **Fix safety**

    Shown: each system has its own way of changing a credential.
    """

    id = "secret-rotation-overdue"
    title = "Credentials without a rotation on record"
    severity = Severity.HIGH
    consequence_class = Consequence.TAKEOVER
    category = Category.ACCESS
    section = Section.SECURITY
    sources = (
        Source("CWE-262: passwords that never age", "https://cwe.mitre.org/data/definitions/262.html"),
        Source("NIST SP 800-57: how long a key may be used", "https://csrc.nist.gov/pubs/sp/800/57/pt1/r5/final"),
    )
    estate_level = True

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Count the Secrets whose credentials nobody is known to have replaced."""
        whole = standing(estate, ESTATE, Drill.ROTATION)
        if whole.proven:
            return
        held = [
            one for one in credentials(estate) if not standing(estate, subject_of(one.resource), Drill.ROTATION).proven
        ]
        if not held:
            return
        first = held[0]
        by = rotator(estate)
        if by:
            reason = f"the estate has a {by}, and which credentials it makes anew is not decided here"
            yield self.undecided(Place(first.resource.key), unknown="rotation", reason=reason)
            return
        own = standing(estate, subject_of(first.resource), Drill.ROTATION) if len(held) == 1 else whole
        who = f"{len(held)} Secrets hold" if len(held) > 1 else f"{named(first.resource)} holds"
        yield self.found(
            Place(first.resource.key, first.entry.route),
            field="rotation",
            subject="the estate",
            message=f"{who} credentials, and {since(own, 'a rotation', 'them')}.",
            consequence="Whoever ever had a copy of one, in an old commit, a log or a backup, can use it still.",
            related=tuple(
                (Place(one.resource.key, one.entry.route), f"a credential of {named(one.resource)}")
                for one in held[1:_LISTED]
            ),
            fixes=(_ROTATE,),
            dependants=len(held),
            whole_estate=True,
        )
