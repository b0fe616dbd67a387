"""Live code whose own comment says that it does not work."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.comments.unfinished import Admission, admissions
from shoreup.facts.estate import Estate
from shoreup.model.finding import Category, Consequence, Fix, Safety, Section, Severity
from shoreup.model.page import Source

_FIX = Fix(
    "Finish it, or take it out until it works",
    Safety.SHOWN,
    "what is wrong stands in the comment's author's head",
)

_FAILS = "It is applied although its author says that it does not work; nobody knows what depends on it."
_LATER = "What its author meant to do is not done, and only this line knows of it."


_PROPOSAL = """# decide: finish what the comment names and delete the comment, or take the code out until it works"""


class MarkedUnfinished(Concern):
    """A comment on code that is applied says that the code does not work.

    **What**

    `FIXME`, `HACK` and `XXX` at the beginning of a comment, `TODO: fix this`, "not working", "does not work", "broken",
    "unfinished", on code that is live: in Terraform, in YAML, and in the configuration and scripts inside ConfigMaps.
    A wish for later (`TODO: add a second node`) is shown to the strict persona alone. An explanation ("does not work
    without host networking") and code that is commented out are left alone.

    **Why**

    It is applied and reachable all the same. Who looks for a fault loses time on it, and what protects it (log-in,
    TLS, limits) is as unfinished as the rest.

    **Example**

    `# not working yet: log-in loops back to the start page` above a proxy's `location`.

    **Fix safety**

    Shown: only a person knows what is missing.
    """

    id = "marked-unfinished"
    title = "Live code marked as not working"
    severity = Severity.MEDIUM
    consequence_class = Consequence.HYGIENE
    category = Category.NETWORK
    section = Section.KNOWN_BUGS
    sources = (
        Source(
            "CWE-546: a comment that says that code is unfinished", "https://cwe.mitre.org/data/definitions/546.html"
        ),
    )
    slow_facts = "programs"
    proposal = _PROPOSAL

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every comment that stands on live code."""
        for admission in admissions(estate):
            yield self._marked(admission)

    def _marked(self, admission: Admission) -> Outcome:
        return self.found(
            admission.place,
            field="comment",
            subject=admission.subject,
            message=(
                f"A comment in {admission.subject} says that something is left to do ({admission.words.strip()})."
                if admission.wish
                else f'A comment in {admission.subject} marks live code as "{admission.words.strip()}".'
            ),
            consequence=_LATER if admission.wish else _FAILS,
            severity=Severity.LOW if admission.wish else Severity.MEDIUM,
            fixes=() if admission.wish else (_FIX,),
            aged=True,
            strict=admission.wish,
        )
