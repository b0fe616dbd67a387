"""What the numbers of a policy claim, counted anew: the newest of each of the last days, weeks, months.

It is no rule that keeps or removes anything. It sees every copy that was ever made and says which of them have to be
there, in the plainest words, so that what a rule has left can be held against it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

PERIODS: Mapping[str, Callable[[datetime], str]] = {
    "hourly": lambda at: f"{at:%Y-%m-%d %H}",
    "daily": lambda at: f"{at:%Y-%m-%d}",
    "weekly": lambda at: f"{at:%G-W%V}",
    "monthly": lambda at: f"{at:%Y-%m}",
    "yearly": lambda at: f"{at:%Y}",
}
"""The period that a moment lies in, as people write it."""
LAST = "last"


class Back(Struct, frozen=True):
    """How far a rule goes back: whole months of the calendar first, then a time."""

    time: timedelta
    months: int = 0

    @property
    def longest(self) -> timedelta:
        """At most so long."""
        return self.time + self.months * timedelta(days=31)

    def before(self, at: datetime) -> datetime:
        """The moment so far before another. A day that the month does not have is one of the next month."""
        year, month = divmod(at.year * 12 + at.month - 1 - self.months, 12)
        return at.replace(year=year, month=month + 1, day=1) + timedelta(days=at.day - 1) - self.time


class Claimed:
    """What stays of the copies that are added one after the other: of each period the newest, so many periods back.

    ``numbers`` are how many by the name of the period, or by :data:`LAST` the newest of all. ``within`` keeps what was
    made no longer than that ago, and ``adding`` says that what one rule keeps does not count for the next one.
    """

    def __init__(self, numbers: Mapping[str, int], within: Back | None = None, *, adding: bool = False) -> None:
        self.numbers = numbers
        self._within = within
        self._adding = adding
        self._made: list[tuple[int, datetime]] = []
        self._newest = {name: dict[str, int]() for name in PERIODS}

    def add(self, number: int, at: datetime) -> None:
        """A copy more, newer than all before."""
        self._made.append((number, at))
        for name, period in PERIODS.items():
            self._newest[name][period(at)] = number

    def kept(self, now: datetime | None = None) -> dict[str, set[int]]:
        """The copies that stay, by what keeps them. Times are counted from ``now``, else from the newest."""
        found: dict[str, set[int]] = {}
        before: set[int] = set()
        if self._within is not None and self._made:
            oldest = self._within.before(now or self._made[-1][1])
            before |= found.setdefault("within", {number for number, at in self._made if at > oldest})
        for name in (LAST, *PERIODS):
            count = self.numbers.get(name, 0)
            if count > 0:
                newest = [number for number, _ in self._made] if name == LAST else list(self._newest[name].values())
                free = [number for number in newest if number not in before] if self._adding else newest
                found[name] = set(free[-count:])
                before |= found[name]
        return found


class Words(Struct, frozen=True):
    """What the words of a command keep. ``unclear`` is a word whose meaning is not counted here."""

    numbers: Mapping[str, int]
    within: Back | None = None
    unclear: str = ""

    @property
    def told(self) -> str:
        """The numbers, as people say them."""
        said = [f"{name} {count}" for name, count in self.numbers.items()]
        return ", ".join([*said, *(["within a time"] if self.within is not None else [])])


_NAMES = {
    "--keep-last": LAST, "-l": LAST, "--keep-hourly": "hourly", "-H": "hourly", "--keep-daily": "daily", "-d": "daily",
    "--keep-weekly": "weekly", "-w": "weekly", "--keep-monthly": "monthly", "-m": "monthly",
    "--keep-yearly": "yearly", "-y": "yearly",
}  # fmt: skip
_WORD = re.compile(r"(?<!\S)(--keep-[a-z-]+|-[lHdwmy])(?:=|\s+|(?<=-[lHdwmy]))(\S+)")
_SPAN = re.compile(r"(\d+)([a-zA-Z])")


def said_by(command: str, units: Mapping[str, timedelta], months: Mapping[str, int] | None = None) -> Words:
    """What a command's ``--keep-*`` words claim.

    ``units`` are the letters of times, ``months`` those of times that a calendar measures, with how many months each.
    """
    numbers: dict[str, int] = {}
    within: Back | None = None
    for name, value in _WORD.findall(f" {command}"):
        if name in _NAMES and value.isdecimal():
            if int(value):
                numbers[_NAMES[name]] = int(value)
            continue
        back = _back(value, units, months or {}) if name == "--keep-within" else None
        if back is None:
            return Words({}, unclear=f"{name} {value}")
        within = back
    return Words(numbers, within)


def _back(value: str, units: Mapping[str, timedelta], months: Mapping[str, int]) -> Back | None:
    """``1y6m`` or ``30d``; ``None`` for what is written otherwise."""
    spans = _SPAN.findall(value)
    if "".join(map("".join, spans)) != value or any(letter not in {*units, *months} for _, letter in spans):
        return None
    time = sum((int(count) * units[letter] for count, letter in spans if letter in units), timedelta())
    return Back(time, sum(int(count) * months[letter] for count, letter in spans if letter in months))


class Counting(Struct, frozen=True):
    """How a tool counts.

    ``units`` are its letters of times, and ``months`` those that it measures by the calendar. ``from_today`` is whether
    times go back from the day of the run and not from the newest copy, and ``adding`` whether what one rule keeps does
    not count for the next.
    """

    units: Mapping[str, timedelta]
    months: Mapping[str, int] = {}
    from_today: bool = False
    adding: bool = False


def unlike(
    words: Words,
    counting: Counting,
    left: Sequence[tuple[int, frozenset[int]]],
    at: Mapping[int, datetime],
    forgotten: frozenset[int],
) -> tuple[int, str]:
    """The first run after which something else was there than the words claim, and what; ``(0, "")`` for none.

    ``left`` are the runs whose copies were there after each run, ``forgotten`` the runs that removed anything. The
    oldest of all may stay: both restic and Borg keep it while a rule is not yet full.
    """
    claimed = Claimed(words.numbers, words.within, adding=counting.adding)
    for number, there in left:
        if number in there:
            claimed.add(number, at[number])
        if number not in forgotten:
            continue
        kept = claimed.kept(at[number] if counting.from_today else None)
        for name, wanted in kept.items():
            if not wanted <= there:
                count = words.numbers.get(name)
                return number, f"a copy was gone that {name}{f' {count}' if count else ''} keeps"
        surplus = there - set[int]().union(*kept.values()) - {min(there, default=0)}
        if surplus:
            return number, f"what nothing keeps was left, {len(surplus)} of {len(there)} copies"
    return 0, ""
