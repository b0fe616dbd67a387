"""Accounts of well-known programs with the wide rights that their own manifests give them.

What such a program may do follows from what it is for, so it is no finding of this estate. Data, dated and with a
source (``data/needed_rights.json``).
"""

from __future__ import annotations

from functools import cache, lru_cache

from msgspec import Struct

from shoreup.facts.knowledge import table
from shoreup.facts.patterns import fits


class _Needed(Struct, frozen=True, forbid_unknown_fields=True):
    accounts: tuple[str, ...]
    powers: tuple[str, ...]
    why: str
    source: str
    checked: str


@cache
def _bundled() -> tuple[_Needed, ...]:
    return table("needed_rights", tuple[_Needed, ...])


@lru_cache(maxsize=4096)
def needed(account: str) -> frozenset[str]:
    """The ids of the powers (:class:`~.permissions.Power`) that the program of this account needs."""
    return frozenset(
        power
        for entry in _bundled()
        if any(fits(account, pattern) for pattern in entry.accounts)
        for power in entry.powers
    )
