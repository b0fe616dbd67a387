"""Places in texts as numbers that are made once.

Trees of files and programs hold two places for each of their nodes. A number that Python makes anew takes more memory
than the node's own fields; of these there is one for each place, whatever the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

_SHARED = 1 << 16
"""Nearly all files are shorter, and every program that is read; longer files get numbers of their own."""


def offsets(length: int) -> Sequence[int]:
    """``offsets(n)[i]`` is ``i`` for every place of a text of ``n`` characters, the one behind its end included.

    How long the sequence is says nothing.
    """
    return _shared() if length < _SHARED else range(length + 1)


@cache
def _shared() -> Sequence[int]:
    return tuple(range(_SHARED))
