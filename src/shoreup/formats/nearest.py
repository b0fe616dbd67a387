"""The name that a misspelt one stands for."""

from __future__ import annotations

from collections.abc import Iterable

_SURE = 5
"""From this length on two slips are still the same word."""


def nearest(name: str, known: Iterable[str]) -> str:
    """The one known name that is a slip or two away from ``name``; empty where none is, or more than one.

    A slip is a letter too many, too few, another, or two in each other's place. Capitals, hyphens and underscores are
    none: ``image_pull_policy`` and ``imagepullpolicy`` are both ``imagePullPolicy``.
    """
    names = sorted(set(known) - {name})
    same = [each for each in names if _bare(each) == _bare(name)]
    if same:
        return same[0] if len(same) == 1 else ""
    most = 2 if len(name) >= _SURE else 1
    measured = [(slips(_bare(name), _bare(each), most), each) for each in names]
    closest = min((count for count, _ in measured), default=most + 1)
    found = [each for count, each in measured if count == closest]
    return found[0] if closest <= most and len(found) == 1 else ""


def slips(one: str, other: str, most: int) -> int:
    """How many slips lie between two words; ``most + 1`` where there are more."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        earlier, before, row = before, row, [i]
        for j, another in enumerate(other, start=1):
            count = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != another))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == another:
                count = min(count, earlier[j - 2] + 1)
            row.append(count)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)


def _bare(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()
