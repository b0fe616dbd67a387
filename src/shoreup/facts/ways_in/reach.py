"""Whether a way in is open to the internet, asked of the whole estate.

One way in seldom says it. An estate that fences some of its ways in with a filter of private addresses says it of the
others that the same proxy serves under public names: had nothing been open, nothing would have had to be fenced.
"""

from __future__ import annotations

from collections.abc import Sequence

from shoreup.facts.estate import Estate, WayIn
from shoreup.facts.ways_in.exposure import private_name

_FILTER = "ipAllowList"


def open_by_contrast(estate: Estate) -> frozenset[int]:
    """The positions in ``estate.ways_in`` of those that are open because their neighbours are fenced."""
    fenced = {way.controller for way in estate.ways_in if way.internet is False and _filtered(way)}
    return frozenset(
        index
        for index, way in enumerate(estate.ways_in)
        if way.internet is None
        and way.controller in fenced
        and not way.missing
        and not way.undecided
        and not _filtered(way)
        and _public_names(way.hosts)
    )


def _filtered(way: WayIn) -> bool:
    return any(_FILTER in piece.kinds for piece in way.middlewares)


def _public_names(hosts: Sequence[str]) -> bool:
    return bool(hosts) and not any(private_name(host) or host.startswith("*") for host in hosts)
