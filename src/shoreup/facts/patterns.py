"""Names by patterns in which ``*`` stands for anything, as product knowledge writes images and accounts.

There are hundreds of them, and most are asked about a few dozen names: to make a regular expression of each would take
longer than everything that is asked of it.
"""

from __future__ import annotations

from functools import cache


def fits(name: str, pattern: str) -> bool:
    """Whether the whole name is what the pattern says. No other sign than ``*`` means anything but itself."""
    first, *middle = _pieces(pattern)
    if not middle:
        return name == first
    last = middle.pop()
    end = len(name) - len(last)
    if end < len(first) or not name.startswith(first) or not name.endswith(last):
        return False
    offset = len(first)
    for piece in middle:
        offset = name.find(piece, offset, end)
        if offset < 0:
            return False
        offset += len(piece)
    return True


@cache
def _pieces(pattern: str) -> tuple[str, ...]:
    return tuple(pattern.split("*"))
