"""Copies that pile up until the disk is full."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.repairs.retention import SHOWN, forgetting
from shoreup.concerns.wording.backups import (
    covered,
    lasting,
    lived_by_drill,
    protected,
    rhythm,
    seen_by_drill,
    subject,
    target,
)
from shoreup.facts.backups.own import own_backups, tried_own
from shoreup.facts.backups.recurring import once, running
from shoreup.facts.backups.tried_retention import TriedRetention, tried_retention
from shoreup.facts.estate import Backup, Estate
from shoreup.facts.naming import named
from shoreup.facts.programs.located import Located, closing, knows_pipefail, located, opening
from shoreup.facts.programs.strictness import forbids
from shoreup.model.edit import Edit, NoRepair, Put, Repair
from shoreup.model.finding import Category, Confidence, Consequence, Doubt, Draft, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source
from shoreup.model.settings import Cover

_KEEPS_EVERY_RUN = frozenset({"restic repository", "borg repository"})
_FIX = Fix(
    "Remove old copies in the same job, always keeping a number of them",
    Safety.UNSAFE,
    "the job then deletes files; how many to keep is the owner's choice",
)
_POLICY = Fix(
    "Tell the operator what to keep",
    Safety.UNSAFE,
    "it then deletes copies; how many to keep is the owner's choice",
)


class BackupRetentionMissing(Concern):
    """A backup job writes a new file on each run, and nothing in the repository ever removes one.

    **What**

    The name of the file holds the date, or the tool keeps every run as a snapshot. No program that mounts the same
    place removes by age or number, no field of an operator asks for it, and no `[[protection]]` in `shoreup.toml`
    covers `retention` there. Also a removal that `shoreup drill retention` has seen to remove nothing.

    **Why**

    The disk fills, and the backup that fails for lack of space is the newest. Where the same server holds live data,
    that stops too.

    **Example**

    `pg_dump app > /backup/app-$(date +%F).sql` in a CronJob. `ls -t /backup/app-*.sql | tail -n +15 | xargs -r rm`
    after it keeps fourteen.

    **Fix safety**

    Unsafe: it makes the job delete files. Dumps keep the newest fourteen; restic and borg two weeks of days, eight
    weeks and a year of months, of their own copies alone, where the command names these; K8up the same, CloudNativePG
    thirty days. Where it is not certain whose copies would go, the text is shown.
    """

    id = "backup-retention-missing"
    title = "A backup job never removes an old copy"
    severity = Severity.HIGH
    consequence_class = Consequence.DATA_LOSS
    category = Category.BACKUPS
    section = Section.FRAGILE_AREAS
    sources = (
        Source("restic: removing snapshots by a policy", "https://restic.readthedocs.io/en/stable/060_forget.html"),
        Source("Site Reliability Engineering: data integrity", "https://sre.google/sre-book/data-integrity/"),
    )
    slow_facts = "programs"

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every job that copies data away."""
        for group in once(running(estate)):
            if covered(estate, group[0], Cover.RETENTION):
                continue
            tried = tried_retention(estate, group[0])
            open_ = [backup for backup in group if not backup.retention]
            if not open_:
                if tried is not None and tried.grows:
                    yield self._seen_growing(group[0], tried)
                continue
            growing = [backup for backup in open_ if backup.writes_new_file]
            first = (growing or open_)[0]
            outcome = self._growing(first, len(growing)) if growing else self._unclear(first)
            if isinstance(outcome, Doubt) and tried is not None:
                outcome = self._seen_growing(first, tried) if tried.grows else None if tried.passed else outcome
            if outcome is not None:
                yield outcome
        for own in own_backups(estate):
            lived = tried_own(estate, own)
            if lived is not None and not (lived.passed or lived.nothing_left or lived.newest_removed):
                yield self.found(
                    own.place,
                    field=f"keep {own.name}",
                    subject=own.called,
                    message=lived_by_drill(own, lived),
                    consequence="What is kept is not what the numbers say.",
                )

    def _seen_growing(self, backup: Backup, tried: TriedRetention) -> Outcome:
        who = subject(backup)
        return self.found(
            backup.place,
            field="retention",
            subject=who,
            message=seen_by_drill(who, tried),
            consequence="The place fills up, and then the newest backup is the one that fails.",
            related=(
                *((one.place, "what should remove old copies, and does not") for one in backup.retention),
                *protected(backup),
            ),
            fixes=(_FIX,),
        )

    def _growing(self, backup: Backup, count: int) -> Outcome | None:
        kept = lasting(backup.target_volume) or (
            backup.target_volume is None and bool(backup.target_remote or not backup.target_path)
        )
        if not kept:
            return None
        if backup.undecided:
            return self.undecided(backup.place, unknown="retention", reason=backup.undecided)
        on_volume = lasting(backup.target_volume)
        declared = backup.workload is None
        if not on_volume and not declared and backup.target_remote not in _KEEPS_EVERY_RUN:
            reason = (
                f"{backup.target_remote or 'the place'} is outside of the repository and may remove old copies itself"
            )
            return self.undecided(backup.place, unknown="retention", reason=reason)
        made = "a new file" if on_volume else "a new copy"
        more = f" and {count - 1} more like it" if count > 1 else ""
        nothing = "nothing in the repository that mounts it" if on_volume else "nothing in the repository"
        written: tuple[tuple[Place, str], ...] = ()
        if backup.path_place is not None and not declared and backup.path_place.chars is not None:
            written = ((backup.path_place, "the name that is another one on each run"),)
        who = subject(backup)
        what = f"{who} writes {made} on each run{rhythm(backup)}"
        return self.found(
            backup.place,
            field="retention",
            subject=who,
            message=f"{what} to {target(backup)}{more}, and {nothing} ever removes one.",
            consequence="The place fills up, and then the newest backup is the one that fails.",
            related=(*written, *protected(backup)),
            fixes=(_FIX,),
            confidence=Confidence.CERTAIN if on_volume else Confidence.LIKELY,
        )

    def _unclear(self, backup: Backup) -> Outcome | None:
        if backup.writes_new_file is False or not (lasting(backup.target_volume) or not backup.tool):
            return None
        reason = backup.undecided or "whether each run writes another file is decided when it runs"
        return self.undecided(backup.place, unknown="retention", reason=reason)

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """A last line that keeps the newest copies, whatever their age."""
        backup = next((one for one in estate.backups if one.place == draft.at and not one.retention), None)
        if backup is not None and backup.policy is not None:
            place = backup.policy.place
            cost = "copies that are older than the policy says are deleted"
            return Repair(_POLICY, (Put(place.resource, place.route, backup.policy.value),), cost=cost)
        found = located(estate, draft.at)
        if found is None or backup is None:
            return self.unrepaired(draft)
        if found.command.name in SHOWN:
            return self._by_its_tool(draft, found)
        if not lasting(backup.target_volume):
            return self.unrepaired(draft, text=_SHOWN)
        why_not = _not_alone(estate, backup, found)
        if why_not:
            return self.unrepaired(draft, why_not, _SHOWN)
        first = _only_after_success(found)
        if isinstance(first, str):
            return self.unrepaired(draft, first, _SHOWN)
        last = closing(found.script, f"ls -1t {backup.target_path} | tail -n +{_KEEP + 1} | xargs -r rm --")
        if last is None:
            return self.unrepaired(draft, text=_SHOWN)
        cost = f"the newest {_KEEP} copies stay; older ones are deleted"
        # A pipe that fails aloud is one silence less, and the finding of the others is then another.
        opens = frozenset({"backup-failure-silent"}) if first else frozenset()
        return Repair(_FIX, (*first, last), f"{cost}; a copy that fails ends the run" if first else cost, opens)

    def _by_its_tool(self, draft: Draft, found: Located) -> Repair | NoRepair:
        """The tool's own words for what it keeps."""
        forget = forgetting(found)
        last = closing(found.script, forget) if forget else None
        if last is not None:
            return Repair(_FIX, (last,), cost="copies that are older than a year of months are deleted")
        reason = "whose copies the tool would remove is not certain"
        return self.unrepaired(draft, reason, SHOWN[found.command.name])


def _not_alone(estate: Estate, backup: Backup, found: Located) -> str:
    """Why a line that removes by the copies' pattern might take something else; empty where it takes them alone."""
    copies = backup.target_path
    folder, _, name = copies.rpartition("/")
    plain = copies.startswith("/") and _FOLDER.fullmatch(folder) and _NAME.fullmatch(name)
    if not plain or found.program.broken:
        return "what the copies are called, and nothing else there, is not certain"
    other = _also_there(estate, backup)
    return f"the same pattern takes the copies of {other} too" if other else ""


def _also_there(estate: Estate, backup: Backup) -> str:
    """Another job whose copies, on the same volume, have names that the pattern matches."""
    mine = backup.target_volume
    for other in estate.backups:
        theirs = other.target_volume
        again = other.resource is backup.resource and other.target_path == backup.target_path
        if again or mine is None or theirs is None:
            continue
        same = (mine.claim, mine.server, mine.path) == (theirs.claim, theirs.server, theirs.path)
        if same and mine.kind == theirs.kind and (theirs.server or other.namespace == backup.namespace):
            name, pattern = (one.target_path.rpartition("/")[2] for one in (other, backup))
            if fnmatch.fnmatchcase(name.replace("*", "0"), pattern):
                return named(other.resource)
    return ""


def _only_after_success(found: Located) -> tuple[Edit, ...] | str:
    """What has to be said first, so that a run whose copy has failed removes nothing; or why that cannot be.

    A copy that fails leaves an empty file, and after enough of them the newest would be all that is kept.
    """
    options, piped = found.command.options, bool(found.program.downstream(found.command))
    one_line = "\n" not in found.script.text.strip()
    wanted = [
        word
        for word, missing in (
            ("e", not options.errexit and not one_line),
            ("o pipefail", piped and not options.pipefail),
        )
        if missing
    ]
    if not wanted:
        return ()
    why_not = forbids(found.program, found.command)
    if why_not:
        return why_not
    if "o pipefail" in wanted and not knows_pipefail(found.script):
        return "a copy that fails in the pipe leaves an empty file that would push out a good one"
    first = opening(found.script, f"set -{''.join(wanted)}")
    return (first,) if first is not None else "the program is a list of words without a shell's first line"


_KEEP = 14
"""Two weeks of daily copies: long enough to notice what was lost, short enough for most volumes."""
_FOLDER = re.compile(r"[\w./-]+")
_NAME = re.compile(r"[\w.-]*[A-Za-z][\w.-]*\*[\w.*-]*\.[\w.*-]*[A-Za-z]")
_SHOWN = f"""# the newest {_KEEP} copies stay, whatever their age
ls -1t /backups/NAME-*.dump | tail -n +{_KEEP + 1} | xargs -r rm --"""
