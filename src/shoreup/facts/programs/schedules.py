"""How long a schedule may leave between two runs, which is how much of the newest data a backup by it may miss.

Schedules are cron's five fields, the six of Go's libraries (seconds first, as CloudNativePG writes them), their names
(``@daily``, ``@every 6h``, K8up's ``@daily-random``), ``H`` for a moment that is chosen once, and the pause of a loop
(``86400``, ``6h``). Everything else is not decided. A day on which the clocks change is not considered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import pairwise

from msgspec import Struct

_NAMES: Mapping[str, str] = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_RANDOM = "-random"
"""K8up's suffix: the same rhythm at a moment that it chooses once."""
_PAUSE = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>[smhd]?)")
_EVERY = re.compile(r"@every\s+(?P<spans>(?:\d+(?:\.\d+)?(?:h|m|s))+)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_ZONE = re.compile(r"^(?:CRON_)?TZ=\S+\s+")
_MONTHS = {name: at for at, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_DAYS = {name: at for at, name in enumerate("sun mon tue wed thu fri sat".split())}
_FIRST = date(2024, 1, 1)
_LOOKED_AT = 366 + 8 * 365
"""Days that are gone through: the ninth of them has another 29 February."""
_PART = re.compile(r"(?P<from>\*|\?|[0-9a-z]+)(?:-(?P<to>[0-9a-z]+))?(?:/(?P<step>\d+))?")


def longest_gap(schedule: str) -> timedelta | None:
    """The longest time between two runs; ``None`` for a schedule that is not understood, or runs once at most."""
    text = _plain(schedule)
    every = _pause(text)
    if every is not None:
        return every or None
    rhythm = _rhythm(text)
    if rhythm is None:
        return None
    runs = rhythm.minutes
    gap = max((later - earlier for earlier, later in pairwise(runs)), default=0)
    last: int | None = None
    for number in range(_LOOKED_AT):
        if rhythm.runs_on(_FIRST + timedelta(days=number)):
            if last is not None:
                gap = max(gap, (number - last) * 1440 + runs[0] - runs[-1])
            last = number
    return timedelta(minutes=gap) if gap else None


def moments(schedule: str, first: datetime, length: timedelta) -> Iterator[datetime] | None:
    """When it runs from ``first`` on for a time; ``None`` for a schedule that is not understood."""
    text = _plain(schedule)
    every = _pause(text)
    if every is not None:
        return (first + every * number for number in range(length // every)) if every else None
    rhythm = _rhythm(text)
    if rhythm is None:
        return None
    day = first.replace(hour=0, minute=0, second=0, microsecond=0)
    return (
        moment
        for number in range(length // timedelta(days=1) + 1)
        if rhythm.runs_on((day + timedelta(days=number)).date())
        for minute in rhythm.minutes
        if first <= (moment := day + timedelta(days=number, minutes=minute)) <= first + length
    )


class _Rhythm(Struct, frozen=True):
    """Days and minutes of them. Cron takes either of two days where both are named, else the one that is."""

    minutes: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool

    def runs_on(self, day: date) -> bool:
        """Whether anything runs on a day."""
        of_month, of_week = day.day in self.days, (day.weekday() + 1) % 7 in self.weekdays
        return day.month in self.months and (of_month or of_week if self.either else of_month and of_week)


def _plain(schedule: str) -> str:
    return _ZONE.sub("", schedule.strip()).lower().removesuffix(_RANDOM)


def _pause(text: str) -> timedelta | None:
    """The time between two runs where that is what is said; zero where it says none."""
    every = _EVERY.fullmatch(text)
    if every is not None:
        spans = re.findall(r"([\d.]+)([hms])", every["spans"])
        return timedelta(seconds=sum(float(number) * _SECONDS[unit] for number, unit in spans))
    pause = _PAUSE.fullmatch(text)
    if pause is not None:
        return timedelta(seconds=min(float(pause["number"]), 1e9) * _SECONDS[pause["unit"]])
    return None


def _rhythm(text: str) -> _Rhythm | None:
    fields = _NAMES.get(text, text).split()
    if len(fields) == 6 and fields[0].isdigit():
        fields = fields[1:]
    if len(fields) != 5:
        return None
    minutes, hours = _numbers(fields[0], 0, 59, {}), _numbers(fields[1], 0, 23, {})
    days, months = _numbers(fields[2], 1, 31, {}), _numbers(fields[3], 1, 12, _MONTHS)
    weekdays = _numbers(fields[4], 0, 7, _DAYS)
    if not (minutes and hours and days and months and weekdays):
        return None
    either = not fields[2].startswith(("*", "?")) and not fields[4].startswith(("*", "?"))
    runs = tuple(sorted(hour * 60 + minute for hour in hours for minute in minutes))
    return _Rhythm(runs, days, months, frozenset(one % 7 for one in weekdays), either)


def _numbers(field: str, least: int, most: int, names: Mapping[str, int]) -> frozenset[int] | None:
    """What a field of cron stands for; ``None`` where that is not understood."""
    found: set[int] = set()
    for part in field.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            return None
        step = int(match["step"] or 1)
        if match["from"] in ("*", "?") or (match["from"] == "h" and match["step"] and not match["to"]):
            start, end = least, most
        elif part == "h":
            start = end = least
        else:
            known = [_number(match["from"], names), _number(match["to"] or match["from"], names)]
            if known[0] is None or known[1] is None:
                return None
            start, end = known[0], known[1]
            if match["step"] and not match["to"]:
                end = most
        if step < 1 or not least <= start <= end <= most:
            return None
        found.update(range(start, end + 1, step))
    return frozenset(found)


def _number(word: str, names: Mapping[str, int]) -> int | None:
    return int(word) if word.isdecimal() and len(word) < 3 else names.get(word)


def spoken(time: timedelta) -> str:
    """A time for people: ``90 minutes``, ``24 hours``, ``7 days``."""
    seconds = round(time.total_seconds())
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds % size == 0 and seconds >= size and (size != 86400 or seconds >= 2 * size):
            count = seconds // size
            return f"{count} {name}{'s' if count > 1 else ''}"
    return f"{seconds} seconds"
