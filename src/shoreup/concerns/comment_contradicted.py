"""Comments that say something is missing which stands beside them."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.wording.backups import seen_by_drill, subject
from shoreup.facts.backups.recurring import once, running
from shoreup.facts.backups.tried_retention import tried_retention
from shoreup.facts.comments.claims import Claim, contradicted_claims
from shoreup.facts.estate import Estate
from shoreup.model.edit import Erase, NoRepair, Repair
from shoreup.model.finding import Category, Consequence, Draft, Fix, Safety, Section, Severity
from shoreup.model.page import Source

_FIX = Fix("Remove the comment", Safety.SAFE, "a comment changes nothing that runs")

_RIGHT = Fix("Change the comment or the number", Safety.SHOWN, "which of the two is meant is the owner's to say")


class CommentContradicted(Concern):
    """A comment says that something is missing, and the code beside it has it.

    **What**

    The comment speaks of a missing rotation of backups, probe, limit, TLS or disruption budget; the same resource has
    it. Or it says how many copies are kept, and `shoreup drill retention` has seen another number.

    **Why**

    The next reader believes the comment: they build it a second time, or take the estate for worse than it is.

    **Example**

    `# TODO: rotate old backups` above a script that ends with `find /backup -mtime +14 -delete`.

    **Fix safety**

    Safe: only the comment goes.
    """

    id = "comment-contradicted"
    title = "A comment claims something missing that is there"
    severity = Severity.LOW
    consequence_class = Consequence.HYGIENE
    category = Category.PRACTICE
    section = Section.TECH_DEBT
    sources = (
        Source("Terraform: style and how files are split", "https://developer.hashicorp.com/terraform/language/style"),
        Source(
            "CWE-546: a comment that says that code is unfinished", "https://cwe.mitre.org/data/definitions/546.html"
        ),
    )
    slow_facts = "programs"

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Hold what comments claim against the facts."""
        for claim in contradicted_claims(estate):
            if claim.undecided:
                yield self.undecided(claim.place, unknown=claim.missing, reason=claim.undecided)
            else:
                yield self._contradicted(claim)
        for group in once(running(estate)):
            tried = tried_retention(estate, group[0])
            if tried is not None and tried.unlike_comment:
                at = next((one.place for backup in group for one in backup.retention), group[0].place)
                who = subject(group[0])
                yield self.found(
                    at,
                    field="comment on what is kept",
                    subject=who,
                    message=seen_by_drill(who, tried),
                    consequence="Who counts on the copies that the comment promises looks for them in vain.",
                    fixes=(_RIGHT,),
                )

    def _contradicted(self, claim: Claim) -> Outcome:
        return self.found(
            claim.place,
            field=f"comment on {claim.missing}",
            subject=claim.subject,
            message=f"A comment in {claim.subject} says that {claim.missing} is missing; {claim.found}.",
            consequence="Readers take the estate for worse than it is, or build the same again.",
            related=tuple((place, note) for place, note in claim.proof),
            fixes=(_FIX,),
        )

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """The comment goes, where it says nothing else."""
        if draft.at.span is None:
            return self.unrepaired(draft, "the comment stands inside of a program's text")
        comment = next((one for one in estate.comments if one.span == draft.at.span), None)
        if comment is None or len(comment.lines) > 1:
            return self.unrepaired(draft, "the comment says other things too; which words go is for its author to say")
        return Repair(_FIX, (Erase(draft.at.span),), loses_comments=1)
