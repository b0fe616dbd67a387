"""The days of a simulated year and a bit: when a job runs, and on which of them its dump is in trouble.

There are three troubles, because jobs meet them differently. A dump breaks off half way and says so, for a week. A dump
succeeds and is empty, for five days: the wrong server, or a new and empty one. And the dump is refused, for longer than
anything is kept. In between all is well for long enough that what is kept has settled.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from msgspec import Struct

from shoreup.facts.programs.schedules import moments

DAYS = 400
SETTLED = 95
"""The day on which what is kept is looked at: all has been well since the first."""
_BREAKS, _EMPTY, _REFUSES = 100, 140, 180
_LONGEST = 170
_LEAST = 45
_MOST_A_DAY = 2
_WATCHED, _EVERY = timedelta(days=10), 4
"""How long after the beginning, and after trouble, no run is left out; and of which one is made else."""
_MANY = 120
"""Runs of which none is left out."""


class Weather(StrEnum):
    """What a day is like for the dump; stand-ins know these words."""

    GOOD = "good"
    BREAKS = "breaks"
    EMPTY = "empty"
    REFUSES = "refuses"


class Turn(Struct, frozen=True):
    """One run of the job: its number, when it begins, and what the day is like."""

    number: int
    at: datetime
    weather: Weather


class Calendar(Struct, frozen=True):
    """All runs in order. ``limits`` are what they do not show."""

    turns: tuple[Turn, ...]
    first: datetime
    limits: tuple[str, ...] = ()

    def day(self, turn: Turn) -> int:
        """On which day a run is, from 1."""
        return (turn.at - self.first).days + 1


def calendar(schedule: str, now: datetime, age: float | None, copies: int | None) -> Calendar | None:
    """400 days that end now. ``age`` in days and ``copies`` are what is kept, as far as that is known.

    ``None`` for a schedule that is not understood, or that runs less than a dozen times.
    """
    first = now - timedelta(days=DAYS)
    found = moments(schedule, first, timedelta(days=DAYS))
    if found is None:
        return None
    limits: list[str] = []
    # A run every minute would fill the memory with moments; no more are looked at than are taken.
    times = list(_thinned(found, limits))
    if len(times) < 12:
        return None
    each = timedelta(days=DAYS) / len(times)
    kept = max(age or 0.0, (copies or 0) * each / timedelta(days=1))
    length = min(max(_LEAST, kept + 15), _LONGEST)
    if kept >= length:
        limits.append(f"a dump that fails for as long as copies are kept ({kept:.0f} days)")
    gap = max((later - earlier) / timedelta(days=1) for earlier, later in pairwise(times))
    turns = [
        Turn(number, at, _weather((at - first) / timedelta(days=1), length, gap)) for number, at in enumerate(times, 1)
    ]
    return Calendar(tuple(turns), first, tuple(limits))


def quieter(times: Calendar) -> Calendar:
    """Fewer runs, for a job whose runs are dear: all in the first weeks, in trouble and after it, else every fourth.

    The days that are left out are days on which the job did not run, as there are in every cluster.
    """
    if len(times.turns) <= _MANY:
        return times
    chosen: list[Turn] = []
    troubled, quiet = times.first, 0
    for turn in times.turns:
        if turn.weather is not Weather.GOOD:
            troubled = turn.at
        quiet = 0 if turn.at - troubled <= _WATCHED else quiet + 1
        if quiet % _EVERY == 0:
            chosen.append(turn)
    made = f"{len(times.turns) - len(chosen)} of {len(times.turns)} runs"
    limit = f"{made}: all were made in trouble, at the beginning and for ten days after, else every {_EVERY}th"
    turns = tuple(Turn(number, turn.at, turn.weather) for number, turn in enumerate(chosen, 1))
    return Calendar(turns, times.first, (*times.limits, limit))


def _thinned(found: Iterator[datetime], limits: list[str]) -> Iterator[datetime]:
    """No more than two runs a day: a job that runs every minute does the same to its copies, only sooner."""
    least = timedelta(days=1) / (_MOST_A_DAY + 1)
    last: datetime | None = None
    for at in found:
        if last is None or at - last > least:
            last = at
            yield at
        elif not limits:
            limits.append(f"more than {_MOST_A_DAY} runs a day")


def _weather(day: float, length: float, gap: float) -> Weather:
    """``gap`` is the longest time between two runs, in days: a trouble that no run meets is none."""
    if _BREAKS <= day < _BREAKS + max(7, gap):
        return Weather.BREAKS
    if _EMPTY <= day < _EMPTY + max(5, gap):
        return Weather.EMPTY
    return Weather.REFUSES if _REFUSES <= day < _REFUSES + length else Weather.GOOD
