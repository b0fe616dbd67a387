"""What drills under load have seen of a backup: a dump of one moment or not, failures that are heard, passwords."""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from shoreup.facts.estate import Backup, Estate
from shoreup.facts.proofs import Drill, decided
from shoreup.model.proof import Verdict

WRONG_BY = "sum wrong by"
"""By how much the accounts of the restored dump differ from what they always hold."""
UNNOTICED = "failures unnoticed"
"""Broken dumps after which the job ended with 0."""
PASSWORDS_SEEN = "passwords seen"
"""Secrets that stood in the words of a process."""
LOOKED_FOR = "in the process list: "
"""Begins the measurement of one secret, with the variable that holds it: the lists that showed it."""
CLIENTS = frozenset(
    "pg_dump pg_dumpall psql pg_restore pg_isready "
    "mysqldump mariadb-dump mysql mariadb mysqladmin mariadb-admin".split()
)
"""The programs that a drill runs for real, so that each of their starts is in its process list."""


class TriedBackup(Struct, frozen=True):
    """What a drill saw of the job as it stands today, on the day ``day``; ``said`` is how it put it.

    ``shown`` are the variables whose secrets stood in the process list, ``hidden`` those that were looked for in vain.
    """

    day: date
    passed: bool
    torn: bool
    unnoticed: bool
    said: str
    shown: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()


def tried_backup(estate: Estate, backup: Backup) -> TriedBackup | None:
    """What the newest drill that decided anything saw; ``None`` where there is none that counts."""
    proof = decided(estate, backup, Drill.UNDER_LOAD)
    if proof is None:
        return None
    seen = {one.name: one.value for one in proof.measurements}
    looked_for = {name.removeprefix(LOOKED_FOR): lists for name, lists in seen.items() if name.startswith(LOOKED_FOR)}
    return TriedBackup(
        day=proof.day,
        passed=proof.verdict is Verdict.PASS,
        torn=seen.get(WRONG_BY, 0) > 0,
        unnoticed=seen.get(UNNOTICED, 0) > 0,
        said=proof.after,
        shown=frozenset(name for name, lists in looked_for.items() if lists),
        hidden=frozenset(name for name, lists in looked_for.items() if not lists),
    )
