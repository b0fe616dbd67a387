"""What a removal of old copies is, and ages as people write them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from shoreup.formats.shell import Command, Word

_AGE_UNITS: Mapping[str, float] = {
    "": 1, "s": 1 / 86400, "sec": 1 / 86400, "m": 1 / 1440, "min": 1 / 1440, "h": 1 / 24, "d": 1, "day": 1, "days": 1,
    "w": 7, "week": 7, "weeks": 7, "M": 30, "month": 30, "months": 30, "y": 365, "Y": 365, "year": 365, "years": 365,
    "D": 1, "W": 7,
}  # fmt: skip
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)")


class Removal(Struct, frozen=True):
    """Something that removes old copies.

    ``by`` is ``age``, ``count``, ``policy`` or ``unclear``. ``paths`` are the folders in which it removes, empty when
    they are not certain; ``remote`` is the store for tools that have one. ``age_days`` and ``keeps_at_least`` as in
    :class:`shoreup.facts.estate.Retention`.
    """

    command: Command
    by: str
    paths: tuple[Word, ...] = ()
    remote: str = ""
    age_days: float | None = None
    keeps_at_least: int | None = None
    undecided: str = ""
    takes_newest: bool | None = None
    """Whether it removes the newest copies; ``None`` where that is not decided."""
    names: tuple[str, ...] = ()
    """Patterns of which one must fit the name of what it removes; empty where any name may."""


def days(text: str) -> float | None:
    """An age such as ``7``, ``30d``, ``2w``, ``1D12h`` in days; ``None`` when it is none."""
    total = 0.0
    matched = _DURATION.findall(text.strip())
    if not matched or re.sub(r"[\s]", "", "".join(n + u for n, u in matched)) != re.sub(r"\s", "", text.strip()):
        return None
    for number, unit in matched:
        factor = _AGE_UNITS.get(unit)
        if factor is None:
            return None
        total += float(number) * factor
    return total
