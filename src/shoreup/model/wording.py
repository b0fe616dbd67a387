"""Words of sentences that are written in many places."""

from __future__ import annotations

from collections.abc import Sequence


def some(names: Sequence[object], count: int, *, between: str = ", ") -> str:
    """The first ``count`` of many, and how many more there are: ``a, b and 3 more``, ``a; b; and 3 more``."""
    rest = len(names) - count
    shown = between.join(map(str, names[:count]))
    return shown if rest <= 0 else f"{shown}{'' if between == ', ' else between.rstrip()} and {rest} more"
