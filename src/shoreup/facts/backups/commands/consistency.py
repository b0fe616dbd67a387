"""Whether what a dump command copies is of one moment, as far as its words decide it.

``mysqldump`` (MySQL 8.4 reference, MariaDB knowledge base): ``--opt`` is on unless skipped and locks the tables of
each database while that one is dumped, so one database alone is whole and several are not of the same moment.
``--single-transaction`` reads transactional tables in one snapshot; ``--lock-all-tables`` and the options that note
the replication position lock everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from shoreup.facts.programs.arguments import Arguments

_WHOLE = frozenset(
    {
        "--single-transaction",
        "--lock-all-tables",
        "-x",
        "--master-data",
        "--source-data",
        "--dump-slave",
        "--dump-replica",
    }
)
_FILES = ("--defaults-file", "--defaults-extra-file", "--defaults-group-suffix")
_OFF = frozenset({"0", "false", "FALSE", "off", "OFF"})


class Rule(Protocol):
    """Gives whether the copy is of one moment, and the reason in a few words."""

    def __call__(self, arguments: Arguments) -> tuple[bool | None, str]:
        """Decide by the command's arguments."""
        ...


def _mysqldump(arguments: Arguments) -> tuple[bool | None, str]:
    if any(_is_on(arguments, option) for option in _WHOLE):
        return True, ""
    locking = True
    for option in arguments.order:
        value = arguments.value(option)
        off = value is not None and value.literal in _OFF
        if option in ("--skip-opt", "--skip-lock-tables") or (option == "--lock-tables" and off):
            locking = False
        elif option in ("--opt", "--lock-tables", "-l"):
            locking = True
    several = arguments.has("-A", "--all-databases") or (
        arguments.has("-B", "--databases") and len(arguments.plain) > 1
    )
    if locking and not several:
        return (None, "options come from a variable") if arguments.unclear and len(arguments.plain) > 1 else (True, "")
    if arguments.unclear:
        return None, "options come from a variable"
    if arguments.has(*_FILES):
        return None, "options come from a file that is not read"
    if not locking:
        return False, "locks no table and opens no transaction (no --single-transaction)"
    return (
        False,
        "locks one database after the other, so that they are not of the same moment (no --single-transaction)",
    )


def _is_on(arguments: Arguments, option: str) -> bool:
    if not arguments.has(option):
        return False
    value = arguments.value(option)
    return value is None or value.literal not in _OFF


def _mongodump(arguments: Arguments) -> tuple[bool | None, str]:
    if arguments.has("--oplog"):
        return True, ""
    return (
        None,
        "without --oplog the collections are not of the same moment; whether that matters depends on the writes",
    )


RULES: Mapping[str, Rule] = {"mysqldump": _mysqldump, "mongodump": _mongodump}
