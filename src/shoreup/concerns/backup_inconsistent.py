"""Copies that hold half of a transaction."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.wording.backups import protected, subject
from shoreup.facts.backups.tried_under_load import TriedBackup, tried_backup
from shoreup.facts.estate import Backup, Estate
from shoreup.facts.programs.located import located, with_safety
from shoreup.model.edit import NoRepair, Repair
from shoreup.model.finding import Category, Consequence, Draft, Fix, Safety, Section, Severity
from shoreup.model.page import Source

_ONE_TRANSACTION = Fix(
    "Add --single-transaction to the dump",
    Safety.SAFE,
    "transactional tables are then read in one snapshot, without a lock; nothing restarts",
)
_OWN_TOOL = Fix(
    "Copy with the engine's own tool, or from a snapshot of the volume",
    Safety.SHOWN,
    "which tool fits depends on the engine and on how long it may stand still",
)


_PROPOSALS = {
    _OWN_TOOL: """# the engine's own tool, such as
sqlite3 <file> ".backup '<folder of the copies>/<name>.sqlite3'"
pg_dump --format=custom --file=<file> <database>
mariadb-dump --single-transaction --all-databases > <file>
# or a snapshot of the volume, which is copied in place of the live folder
apiVersion: snapshot.storage.k8s.io/v1
kind: VolumeSnapshot
metadata: {name: <name>, namespace: <namespace>}
spec:
  volumeSnapshotClassName: <class>
  source: {persistentVolumeClaimName: <claim>}""",
}

_DUMPS = frozenset({"mysqldump", "mariadb-dump"})
_DUMPED = _DUMPS | {"pg_dump", "pg_dumpall"}
"""What a drill can try under load."""
_AHEAD = re.compile(r"--(?:defaults-|no-defaults|login-path|print-defaults)")
"""Options that these programs take before all others alone (MySQL and MariaDB, command-line options for files)."""


class BackupInconsistent(Concern):
    """The command cannot give a copy of one moment.

    **What**

    `mysqldump` of several databases, or without locks, and without `--single-transaction`; `tar`, `cp`, `rsync` or a
    file backup of the directory of an engine that is running; a SQLite file copied while another program has it open.

    **Why**

    Rows that belong together are copied at different times. The restore succeeds and the data is wrong, or the engine
    refuses the files.

    **Example**

    `mysqldump --all-databases` locks one database after the other. With `--single-transaction` all are read in one
    snapshot. What `shoreup drill backup-under-load` has seen decides where reading leaves it open.

    **Fix safety**

    Safe for the flag of a dump. Shown where another tool is needed.
    """

    id = "backup-inconsistent"
    title = "A backup is not of one moment"
    severity = Severity.HIGH
    consequence_class = Consequence.DATA_LOSS
    category = Category.BACKUPS
    section = Section.KNOWN_BUGS
    sources = (
        Source("MySQL: mysqldump", "https://dev.mysql.com/doc/refman/8.4/en/mysqldump.html"),
        Source("PostgreSQL: pg_dump", "https://www.postgresql.org/docs/current/app-pgdump.html"),
        Source("SQLite: the online backup API", "https://www.sqlite.org/backup.html"),
    )
    slow_facts = "programs"
    proposal = _PROPOSALS

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at what each command copies and how."""
        count: Counter[tuple[int, str, str]] = Counter()
        for backup in estate.backups:
            if backup.workload is not None and not backup.workload.enabled:
                continue
            if backup.consistent is False:
                key = (backup.resource.key, backup.place.container, backup.tool)
                count[key] += 1
                yield self._torn(backup, count[key])
                continue
            tried = tried_backup(estate, backup) if backup.tool in _DUMPED else None
            if tried is not None and tried.torn:
                yield self._seen_torn(backup, tried)
            elif backup.consistent is None and backup.consistency_note and not (tried is not None and tried.passed):
                yield self.undecided(backup.place, unknown="consistency", reason=backup.consistency_note)

    def _seen_torn(self, backup: Backup, tried: TriedBackup) -> Outcome:
        who = subject(backup)
        return self.found(
            backup.place,
            field="consistency",
            subject=who,
            message=f"The drill of {tried.day} ran {who} while money moved: {tried.said}.",
            consequence="A restore brings back data that never existed together.",
            related=protected(backup),
            fixes=(_OWN_TOOL,),
        )

    def _torn(self, backup: Backup, number: int) -> Outcome:
        who = subject(backup)
        dump = backup.tool in _DUMPS
        return self.found(
            backup.place,
            field=backup.tool if number == 1 else f"{backup.tool} {number}",
            subject=who,
            message=f"{backup.tool} in {who} {backup.consistency_note}.",
            consequence="What is restored holds rows from different moments, or cannot be opened at all.",
            related=protected(backup),
            fixes=(_ONE_TRANSACTION if dump else _OWN_TOOL,),
        )

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """The flag, behind the command's name."""
        found = located(estate, draft.at)
        if _ONE_TRANSACTION not in draft.fixes or found is None:
            return self.unrepaired(draft)
        if found.command.name not in _DUMPS:
            return self.unrepaired(draft, "another command starts the dump, and where its options stand is not certain")
        after = found.command.words[0].end
        for word in found.command.arguments:
            if not _AHEAD.match(word.text):
                break
            after = word.end
        flag = found.substitute(after, after, " --single-transaction")
        if flag is None:
            return self.unrepaired(draft, "the command is a list of words, where the flag has its own place")
        return Repair(with_safety(found.script, _ONE_TRANSACTION), (flag,))
