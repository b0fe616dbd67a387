"""Backup jobs that succeed although the backup has failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.wording.backups import protected, subject
from shoreup.facts.backups.recurring import once, running
from shoreup.facts.backups.tried_under_load import TriedBackup, tried_backup
from shoreup.facts.estate import Backup, Estate, Reporting
from shoreup.facts.programs.located import Located, knows_pipefail, located, opening, with_safety
from shoreup.facts.programs.strictness import forbids, says_no
from shoreup.model.edit import NoRepair, Repair
from shoreup.model.finding import Category, Consequence, Draft, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source

_SET_E = Fix(
    "Begin the program with set -e (with a pipe: set -eo pipefail)",
    Safety.SAFE,
    "the job then fails where the copy fails; nothing restarts, and a run that works does the same as before",
)
_DECIDES = "this decides how the job ends"
_EXCUSES = frozenset({"true", ":"})
_NO_EXCUSE = Fix("Let the copy's failure end the job", Safety.SAFE, "a run that works does the same as before")


_ENDING = Fix(
    "Let every failure end the job: set -eo pipefail, and no || after the copy",
    Safety.SHOWN,
    "reading the program does not show where its failure is lost",
)


class BackupResultIgnored(Concern):
    """The exit code of the job is not that of the command that makes the copy.

    **What**

    The program goes on after a failed copy (no `set -e`, no test), and its last command, an `echo` or a clean-up,
    decides how the job ended; or the failure is excused (`|| true`). Also where reading did not show it and
    `shoreup drill backup-under-load` has broken the dump and seen the job succeed.

    **Why**

    Kubernetes calls the job complete, no retry is made, no alert fires, and the clean-up removes another good copy.

    **Example**

    `mysqldump ... > "$FILE"; echo "dump done"` is found. With `set -e` first, it is not.

    **Fix safety**

    Safe: a run that works does the same as before.
    """

    id = "backup-result-ignored"
    title = "A backup job succeeds when its backup fails"
    severity = Severity.HIGH
    consequence_class = Consequence.DATA_LOSS
    category = Category.BACKUPS
    section = Section.KNOWN_BUGS
    sources = (
        Source(
            "Bash: the exit status of a pipeline", "https://www.gnu.org/software/bash/manual/html_node/Pipelines.html"
        ),
        Source(
            "Kubernetes: how a Job succeeds and fails", "https://kubernetes.io/docs/concepts/workloads/controllers/job/"
        ),
        Source("CWE-252: a result that nobody looks at", "https://cwe.mitre.org/data/definitions/252.html"),
    )
    slow_facts = "programs"

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at what decides how each job ends."""
        for group in once(running(estate)):
            ignored = _passed_over(group)
            if ignored:
                yield self._ignored(*ignored[0], len(ignored))
                continue
            # A pipe that hides a failure is told by backup-failure-silent.
            piped = any(one.reporting is not None and one.reporting.swallowed_at is not None for one in group)
            tried = tried_backup(estate, group[0])
            if tried is not None and tried.unnoticed and not piped:
                yield self._seen_ignored(group[0], tried)

    def _seen_ignored(self, backup: Backup, tried: TriedBackup) -> Outcome:
        who = subject(backup)
        return self.found(
            backup.place,
            field="exit code",
            subject=who,
            message=f"The drill of {tried.day} broke the dump of {who}: {tried.said}.",
            consequence="A failed backup counts as complete: no retry, no alert, and the clean-up goes on.",
            related=protected(backup),
            fixes=(_ENDING,),
        )

    def _ignored(self, backup: Backup, reporting: Reporting, count: int) -> Outcome:
        assert reporting.decider_at is not None
        who = subject(backup)
        excused = reporting.decider in _EXCUSES
        more = f" (and of {count - 1} more)" if count > 1 else ""
        how = (
            f"excuses a failure of {backup.tool}{more} with || {reporting.decider}"
            if excused
            else f"ends with the exit code of {reporting.decider}, whatever {backup.tool}{more} has said"
        )
        decider: tuple[tuple[Place, str], ...] = ((reporting.decider_at, _DECIDES),)
        return self.found(
            backup.place,
            field="exit code",
            subject=who,
            message=f"{who} {how}.",
            consequence="A failed backup counts as complete: no retry, no alert, and the clean-up goes on.",
            related=(*decider, *protected(backup)),
            fixes=(_NO_EXCUSE if excused else _SET_E,),
        )

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """The shell ends at the first failure; an excuse becomes an end."""
        found = located(estate, draft.at)
        if found is None:
            return self.unrepaired(draft)
        if _NO_EXCUSE in draft.fixes:
            return self._without_excuse(estate, draft)
        why_not = forbids(found.program, found.command)
        if why_not:
            return self.unrepaired(draft, why_not, _ENDS)
        said = "set -e"
        if found.program.downstream(found.command) and "pipefail" not in found.program.text:
            if not knows_pipefail(found.script):
                reason = "the copy goes into a pipe, and whether the image's shell knows pipefail is not known"
                return self.unrepaired(draft, reason, "set -eo pipefail   # with a shell that knows it: bash, BusyBox")
            said = "set -eo pipefail"
        first = opening(found.script, said)
        if first is None:
            return self.unrepaired(draft, "the program is a list of words without a shell's first line")
        answer = says_no(found.program)
        fix = with_safety(found.script, _SET_E)
        if answer:
            reason = f"{answer} may end with a failure in a good run, and then ends the job too"
            fix = Fix(_SET_E.title, Safety.UNSAFE, reason if fix is _SET_E else f"{fix.reason}; {reason}")
        return Repair(fix, (first,), _cost(estate, found))

    def _without_excuse(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        groups = map(_passed_over, once(running(estate)))
        said = next((some for some in groups if some and some[0][0].place == draft.at), [])
        if any(reporting.decider not in _EXCUSES for _, reporting in said):
            return self.unrepaired(draft, "its copies' failures are passed over in more than one way", _ENDS)
        silent = next((one.tool for one, _ in said if _expects_nothing(estate, one)), "")
        if silent:
            reason = f"what {silent} copies may be missing in a good run, for what it says of that is thrown away too"
            return self.unrepaired(draft, reason, _WHERE_THERE)
        places = dict.fromkeys(one.decider_at for _, one in said if one.decider_at is not None)
        excuses = [found for place in places if (found := located(estate, place)) is not None]
        edits = [one.substitute(one.command.start, one.command.end, "exit 1") for one in excuses]
        made = tuple(edit for edit in edits if edit is not None)
        if not made or len(made) != len(places):
            return self.unrepaired(draft)
        return Repair(with_safety(excuses[0].script, _NO_EXCUSE), made, _cost(estate, excuses[0]))


def _passed_over(group: Sequence[Backup]) -> list[tuple[Backup, Reporting]]:
    """The backups of a job whose failures something else passes over, with what does."""
    return [(one, one.reporting) for one in group if one.reporting is not None and one.reporting.decider_at]


def _expects_nothing(estate: Estate, backup: Backup) -> bool:
    """Whether a copy's complaints go nowhere, as they do where something is copied if it is there."""
    found = located(estate, backup.place)
    return found is not None and any(
        one.target is not None
        and one.target.literal == "/dev/null"
        and (one.descriptor == 2 or one.operator.startswith("&"))
        for one in found.command.redirects
    )


_WHERE_THERE = """if [ -e <what is copied> ]; then
  <the copy>
fi"""
_ENDS = """failed=0
<the copy> || failed=1
<what has to run in any case>
exit "$failed\""""


def _cost(estate: Estate, found: Located) -> str:
    """What the owner pays: the alarm, and the copies that would have come after the one that fails."""
    red = "a job that was green and wrong turns red"
    copies = [one for one in estate.backups if one.workload is not None and one.workload is found.script.workload]
    again = found.command.frame("for", "while") is not None
    return f"{red}, and the copies after the one that fails are not made" if again or len(copies) > 1 else red
