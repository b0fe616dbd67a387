"""Retention that deletes the last good copy of a job that has failed for long enough."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.wording.backups import lasting, lived_by_drill, protected, seen_by_drill, subject
from shoreup.facts.backups.own import own_backups, tried_own
from shoreup.facts.backups.recurring import running
from shoreup.facts.backups.tried_retention import TriedRetention, tried_retention
from shoreup.facts.estate import Backup, Estate, Retention
from shoreup.facts.programs.located import Located, located, opening
from shoreup.facts.programs.strictness import forbids, says_no
from shoreup.model.edit import Edit, NoRepair, Repair
from shoreup.model.finding import Category, Consequence, Draft, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source

_FIX = Fix(
    "Remove old copies only while enough newer ones are left",
    Safety.UNSAFE,
    "what the job deletes changes; how many must stay is the owner's choice",
)
_AFTER = Fix(
    "Remove old copies only in a run that has made a new one",
    Safety.UNSAFE,
    "the program then ends at its first failure",
)

_KEEP_MORE = Fix(
    "Keep more under [backup.NAME.keep], such as daily = 7 and weekly = 4",
    Safety.SHOWN,
    "how much is kept is the owner's choice",
)


class BackupRetentionAgeOnly(Concern):
    """Old copies are removed by their age alone, also when no new one has been made.

    **What**

    `find -mtime +N -delete` or its like runs whether or not the backup of the same run has succeeded, and nothing
    keeps a least number.

    **Why**

    A backup job that fails is seldom noticed on the first day. After N days its own clean-up has deleted every good
    copy.

    **Example**

    `pg_dump app > /backup/app-$(date +%F).sql; find /backup -mtime +7 -delete` without `set -e`. Removing only after
    a dump that succeeded (`set -euo pipefail` first), or all but the newest seven, keeps one for ever.

    Where reading leaves it open, a run of `shoreup drill retention` that counts today decides. What such a run has
    seen leaving nothing is listed too where the rule is another: failed dumps that count as copies, a number so small
    that a week of empty ones fills it, the policy of a `[backup.NAME]` of your own.

    **Fix safety**

    Unsafe: it changes which files the job deletes.
    """

    id = "backup-retention-age-only"
    title = "Backups are deleted even when no good new one was made"
    severity = Severity.MEDIUM
    consequence_class = Consequence.DATA_LOSS
    category = Category.BACKUPS
    section = Section.FRAGILE_AREAS
    sources = (
        Source("Site Reliability Engineering: data integrity", "https://sre.google/sre-book/data-integrity/"),
        Source("restic: removing snapshots by a policy", "https://restic.readthedocs.io/en/stable/060_forget.html"),
    )
    slow_facts = "programs"

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at what removes old copies."""
        # One removal may follow several copies: where it waits for one of them, a failing run removes nothing.
        seen = {
            item.place for backup in running(estate) for item in backup.retention if item.keeps_at_least is not None
        }
        shown: set[Place] = set()
        for backup in running(estate):
            if backup.copied_on or (lasting(backup.target_volume) and backup.target_remote):
                continue
            tried = tried_retention(estate, backup)
            for retention in backup.retention:
                if retention.by != "age" or retention.keeps_at_least is not None or retention.place in seen:
                    continue
                seen.add(retention.place)
                reason = retention.undecided or backup.undecided
                if not reason:
                    yield self._deletes_the_last(backup, retention)
                elif tried is not None and tried.nothing_left:
                    yield self._seen_deleting(backup, retention, tried)
                elif tried is None or not tried.passed:
                    yield self.undecided(retention.place, unknown="keeps at least", reason=reason)
            first = backup.retention[0] if backup.retention else None
            # A rule that keeps a number can do it too, where failed dumps count as copies.
            told = first is None or first.place in shown or (first.by == "age" and first.keeps_at_least is None)
            if first is not None and not told and tried is not None and tried.nothing_left:
                shown.add(first.place)
                yield self._seen_deleting(backup, first, tried)
        for own in own_backups(estate):
            lived = tried_own(estate, own)
            if lived is not None and lived.nothing_left:
                yield self.found(
                    own.place,
                    field=f"keep {own.name}",
                    subject=own.called,
                    message=lived_by_drill(own, lived),
                    consequence="After long enough with backups that are empty or damaged, no good one is left.",
                    fixes=(_KEEP_MORE,),
                )

    def _deletes_the_last(self, backup: Backup, retention: Retention) -> Outcome:
        who = subject(backup)
        aged = retention.age_days is not None
        if retention.place.resource == backup.place.resource:
            removes = f"{who} removes copies"
            age = f"older than {_days(retention.age_days)}" if aged else "by their age alone"
        else:
            removes = f"What removes the copies of {who}"
            age = f"takes those older than {_days(retention.age_days)}" if aged else "goes by their age alone"
        after = f"After {_days(retention.age_days)} of" if retention.age_days is not None else "After long enough with"
        return self.found(
            retention.place,
            field="retention",
            subject=who,
            message=f"{removes} {age}, whether or not a newer one exists.",
            consequence=f"{after} failing backups, the last good one is deleted too.",
            related=((backup.place, "the copies that it removes come from here"), *protected(backup)),
            fixes=(_FIX,),
        )

    def _seen_deleting(self, backup: Backup, retention: Retention, tried: TriedRetention) -> Outcome:
        who = subject(backup)
        return self.found(
            retention.place,
            field="retention",
            subject=who,
            message=seen_by_drill(who, tried),
            consequence="After long enough with failing backups, the last good one is deleted too.",
            related=((backup.place, "the copies that it removes come from here"), *protected(backup)),
            fixes=(_FIX,),
        )

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """In the job that copies: only after a good copy. In another: only while there is a young one."""
        found = located(estate, draft.at)
        if found is None:
            return self.unrepaired(draft)
        copies = located(estate, draft.related[0][0]) if draft.related else None
        cost = "while the backups fail, old copies stay and take room"
        if copies is not None and copies.program is found.program and not copies.command.context:
            first = opening(found.script, "set -e")
            why_not = forbids(found.program, copies.command)
            if first is not None and not why_not and not found.program.downstream(copies.command):
                answer = says_no(found.program)
                more = f", and {answer} that answers no counts as one" if answer else ""
                return Repair(Fix(_AFTER.title, _AFTER.safety, f"{_AFTER.reason}{more}"), (first,), cost)
        guard = _guarded(found)
        if guard is None:
            return self.unrepaired(draft, text=_SHOWN)
        return Repair(_FIX, guard, cost)


_AGES = re.compile(r"-(?:mtime|mmin|ctime|cmin)")


_CHOICES = frozenset({"-o", "-or", "!", "-not", "(", ")", ",", "-size", "-empty", "-prune"})
"""What makes more than one condition of the command, so that words put in at its end would belong to a part alone."""


def _guarded(found: Located) -> tuple[Edit, ...] | None:
    """``find`` that deletes, only where it finds a file young enough to stay, and not empty.

    The folder itself is always young, and a copy that failed leaves an empty file.
    """
    command, text = found.command, found.program.text
    words = [word.text for word in command.words]
    if command.name != "find" or "-delete" not in words or found.program.downstream(command) or command.redirects:
        return None
    ages = [index for index, word in enumerate(words) if _AGES.fullmatch(word)]
    if (
        _CHOICES & set(words)
        or len(ages) != 1
        or not words[ages[0] + 1 : ages[0] + 2]
        or not words[ages[0] + 1].startswith("+")
    ):
        return None
    age = command.words[ages[0] + 1]
    delete = next(word for word in command.words if word.text == "-delete")
    young = (
        text[command.start : age.start]
        + "-"
        + text[age.start + 1 : delete.start].rstrip()
        + ("" if "-type" in words else " -type f")
        + " -size +0"
        + text[delete.end : command.end]
    )
    before = found.substitute(command.start, command.start, f'if [ "$({young} | wc -l)" -gt 0 ]; then ')
    after = found.substitute(command.end, command.end, "; fi")
    return (before, after) if before is not None and after is not None else None


_SHOWN = """# keep the newest seven, whatever their age
ls -1t /backups/*.dump | tail -n +8 | xargs -r rm --"""


def _days(age: float | None) -> str:
    if age is None:
        return "some days"
    if age < 1:
        hours = round(age * 24)
        return f"{hours} hours" if hours > 1 else "an hour"
    return "one day" if age == 1 else f"{age:g} days"
