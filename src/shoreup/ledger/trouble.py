"""What keeps a ledger from being read or written, in words that say what to do and give nothing away.

A driver quotes what it was told: an address that was put together badly comes back in its words, with a part of the
password in the place of the host. So its words are passed on only where nothing of the address's secrets is in them.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from shoreup.ledger.location import Location

_LONGEST = 200
_ADVICE = (
    (r"password authentication failed|no password supplied|Access denied", "give the right one in the address"),
    (r"is not a database|malformed|corrupt|database disk image", "bring it back from a copy, or move it away"),
    (r"locked|deadlock", "somebody else writes to it; try again"),
    (r"readonly|read-only|permission denied|unable to open", "see that you may write to it and to its folder"),
    (r"disk is full|No space left", "free some space there"),
    (r"disk I/O error", "see that there is room on its disk, and that the disk is well"),
    (r'database "[^"]*" does not exist|Unknown database', "make the database first"),
    (
        r"refused|timed? ?out|timeout|translate host name|resolve|unreachable|No such file|server closed|terminat",
        "see that the server runs and can be reached from here",
    ),
)
"""What helps against what, by the words of SQLite, libpq and MariaDB's client."""
_USERINFO = re.compile(r"://(?P<info>\S*)@")
_IN_QUERY = re.compile(r"[?&][^=&]*pass[^=&]*=([^&\s]+)", re.IGNORECASE)

_PARTS = re.compile(r"[@/?]")
"""Where an address that was not quoted is taken apart in the wrong place."""


class LedgerTrouble(Exception):
    """Why a ledger cannot be read or written, as part of a sentence."""


class NothingYet(LedgerTrouble):
    """A database in which nothing was ever written: an empty ledger."""


def trouble_of(problem: Exception, where: Location) -> LedgerTrouble:
    """What a library said, as a cause and what to do about it; never with a secret of the address."""
    if isinstance(problem, ImportError):
        driver = problem.name or "for it"
        return LedgerTrouble(f"the driver {driver} is not installed; install it ('shoreup[engines]' brings psycopg)")
    if isinstance(problem, ArgumentError | NoSuchModuleError | ValueError):
        return LedgerTrouble("its address is none that a database has; one begins like postgresql:// or sqlite:///")
    if not isinstance(problem, DBAPIError):
        return LedgerTrouble(f"the database library gave up ({type(problem).__name__})")
    words = _first_line(problem)
    advice = next((helps for pattern, helps in _ADVICE if re.search(pattern, words, re.IGNORECASE)), "")
    told = words if not _tells(words, where) else type(problem.orig).__name__
    return LedgerTrouble(f"{told}; {advice}" if advice else told)


def _first_line(problem: DBAPIError) -> str:
    """The database's own words, of which only the first line is free of addresses and statements."""
    lines = str(problem.orig).strip().splitlines()
    return lines[0][:_LONGEST] if lines else type(problem.orig).__name__


def _tells(words: str, where: Location) -> bool:
    """Whether something of a password is in the words."""
    if where.file is not None:
        return False
    secrets = [part for one in _IN_QUERY.findall(where.url) for part in _PARTS.split(one)]
    found = _USERINFO.search(where.url)
    if found is not None:
        user, _, password = found["info"].partition(":")
        words = words.replace(f'user "{user}"', "")
        secrets += _PARTS.split(password)
    return any(one and (one in words or unquote(one) in words) for one in secrets)
