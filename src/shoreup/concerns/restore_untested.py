"""Backups that nobody has restored."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.wording.backups import protected, rhythm, subject, target
from shoreup.concerns.wording.proofs import cannot_compare, since
from shoreup.facts.backups.own import own_backups
from shoreup.facts.backups.recurring import once, running
from shoreup.facts.estate import Backup, Estate
from shoreup.facts.proofs import Drill, State, backup_inputs, backup_subject, standing
from shoreup.model.finding import Category, Consequence, Fix, Safety, Section, Severity
from shoreup.model.page import Source

_RESTORE = Fix(
    "Run 'shoreup drill restore': the newest copy comes back into a scratch server of the same version, every table is "
    "compared, and the time is taken",
    Safety.OPERATE,
    "a copy is a backup once it was restored; nothing of the estate changes",
)
_VERIFY = Fix(
    "Run 'shoreup backup verify NAME --drill': the newest backup comes back into a scratch server",
    Safety.OPERATE,
    "a copy is a backup once it was restored; nothing of the estate changes",
)
_UNKNOWN = "Whether the copy can be restored, and how long it takes, is learned on the day it is needed."


class RestoreUntested(Concern):
    """Nobody has seen a restore of this backup succeed lately.

    **What**

    A backup job for which no passing restore is on record that is young enough and was of the same image, command and
    place. Proofs come from the ledger and from `.shoreup/proofs` in the repository. It is one entry for a job and
    place, however many databases the job copies. Each `[backup.NAME]` of your own `shoreup.toml` is asked the same.

    **Why**

    Dumps stop half way, are empty, lack a role or an extension, or lie where nobody can reach them. All of that looks
    like success until the day on which the copy is needed.

    **Example**

    A nightly `pg_dump` without a restore on record is listed; so is one whose restore worked in March, when its
    interval is over or its command was changed in April.

    **Fix safety**

    Shown: a restore into a scratch server touches nothing of the estate.
    """

    id = "restore-untested"
    title = "Backup that nobody has restored"
    severity = Severity.HIGH
    consequence_class = Consequence.DATA_LOSS
    category = Category.BACKUPS
    section = Section.TEST_GAPS
    sources = (
        Source("Site Reliability Engineering: data integrity", "https://sre.google/sre-book/data-integrity/"),
        Source("NIST SP 800-34: contingency planning", "https://csrc.nist.gov/pubs/sp/800/34/r1/upd1/final"),
    )
    estate_level = True
    slow_facts = "programs"

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Ask for each backup what is on record."""
        for group in once(running(estate)):
            outcome = self._judge(estate, group[0])
            if outcome is not None:
                yield outcome
        for own in own_backups(estate):
            stands = standing(estate, own.subject, Drill.RESTORE)
            if not stands.proven:
                when = f" ({own.schedule})" if own.schedule else ""
                yield self.found(
                    own.place,
                    field=f"restore {own.name}",
                    subject=own.called,
                    message=f"{own.called} takes backups{when}, and {since(stands, 'a restore')}.",
                    consequence=_UNKNOWN,
                    severity=Severity.CRITICAL if stands.state is State.FAILED else self.severity,
                    fixes=(_VERIFY,),
                )

    def _judge(self, estate: Estate, backup: Backup) -> Outcome | None:
        inputs = backup_inputs(estate, backup)
        stands = standing(estate, backup_subject(backup), Drill.RESTORE, inputs)
        if stands.proven:
            reason = cannot_compare(stands, inputs)
            return self.undecided(backup.place, unknown="image", reason=reason) if reason else None
        who = subject(backup)
        where = target(backup)
        goes = f" to {where}" if where else ""
        return self.found(
            backup.place,
            field="restore",
            subject=who,
            message=f"{who} makes a backup{goes}{rhythm(backup)}, and {since(stands, 'a restore')}.",
            consequence=_UNKNOWN,
            severity=Severity.CRITICAL if stands.state is State.FAILED else self.severity,
            related=protected(backup),
            fixes=(_RESTORE,),
        )
