"""Where a year of runs can be cut in two, so that both halves run at the same time.

What a rotation does depends on what lies there, and that is no older than what it keeps. So the later half begins with
so many runs more, on an empty shelf, as it takes to fill one; when the earlier half arrives there, the two shelves have
to be alike. Where they are not, a rotation keeps something for longer than it seems to, and the halves are run in turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from msgspec import Struct

from shoreup.drills.rotating.calendar import Turn, Weather

_MORE = 3
"""Runs beyond those that are kept: one that counts from the other end, or a day that is not quite over."""
_WORTH = 0.75
"""The longer half of all runs, beyond which a second sandbox is not worth it."""


class Halves(Struct, frozen=True):
    """Positions among the runs: where the later half begins to fill its shelf, and where it begins to count."""

    begins: int
    counts: int


def halves(turns: Sequence[Turn], age: float | None, copies: int | None) -> Halves | None:
    """The best place to cut, of those before which all has been well for as long as copies are kept."""
    if age is None and copies is None:
        return None
    found: list[tuple[int, Halves]] = []
    since = 0
    for counts, turn in enumerate(turns):
        begins = _filled_from(turns, counts, age, copies)
        if since <= begins:
            found.append((max(counts, len(turns) - begins), Halves(begins, counts)))
        if turn.weather is not Weather.GOOD:
            since = counts + 1
    longer, best = min(found, key=lambda one: one[0], default=(len(turns), None))
    return best if longer <= _WORTH * len(turns) else None


def _filled_from(turns: Sequence[Turn], counts: int, age: float | None, copies: int | None) -> int:
    """The run from which on a shelf is full before another one."""
    begins = counts - (copies or 0)
    if age is not None:
        oldest = turns[counts].at - timedelta(days=age)
        begins = min(begins, next((number for number, turn in enumerate(turns) if turn.at >= oldest), 0))
    return begins - _MORE if begins >= _MORE else -1
