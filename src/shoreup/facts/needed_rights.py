"""Accounts of well-known programs with the wide rights that their own manifests give them.

What such a program may do follows from what it is for, so it is no finding of this estate. Data, dated and with a
source (``data/needed_rights.json``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import msgspec


class _Needed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    accounts: tuple[str, ...]
    powers: tuple[str, ...]
    why: str
    source: str
    checked: str


@cache
def _bundled() -> Mapping[str, frozenset[str]]:
    content = files("shoreup.facts").joinpath("data", "needed_rights.json").read_bytes()
    found: dict[str, frozenset[str]] = defaultdict(frozenset)
    for entry in msgspec.json.decode(content, type=list[_Needed]):
        for account in entry.accounts:
            found[account] |= frozenset(entry.powers)
    return found


def needed(account: str) -> frozenset[str]:
    """The ids of the powers (:class:`shoreup.facts.permissions.Power`) that the program of this account needs."""
    return _bundled().get(account, frozenset())
