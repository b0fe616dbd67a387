"""The verdict on 400 days: what a rotation may never do, held against what was seen after each run.

Never may nothing be left that can be restored. Never may the newest copy go while an older one stays. Copies may not
pile up. And what is kept is what the program's own comment says.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from msgspec import Struct

from shoreup.drills.rotating.calendar import SETTLED, Calendar, Turn, Weather
from shoreup.drills.rotating.shelf import Kept
from shoreup.facts.backups.tried_retention import COMMENT
from shoreup.facts.comments.kept import KeptClaim

_PILED_UP = 10
"""Files more than there were once all had settled, of which it is not said that they are in the nature of a policy."""
_PROVES_GROWTH = 30
"""Runs after which a job that has removed nothing at all removes nothing."""
_TROUBLE = {
    Weather.BREAKS: "the dump had broken off",
    Weather.EMPTY: "the dump had succeeded and was empty",
    Weather.REFUSES: "the dump had failed",
}


class Day(Struct, frozen=True):
    """What was seen after one run: its exit code, and what lay there."""

    turn: Turn
    code: int
    kept: Kept


class Judgement(Struct, frozen=True):
    """What was wrong, in words, and the numbers behind it.

    ``nothing_left`` and ``newest_removed`` count runs after which it was so; ``grows`` is whether copies pile up.
    ``most`` and ``least`` are copies, the least from the day on which they have settled.
    """

    wrong: tuple[str, ...]
    nothing_left: int
    newest_removed: int
    grows: bool
    most: int
    least: int
    settled: Kept | None
    on_a_good_day: bool = False
    """Whether the first thing that went wrong did so while the dumps were well."""


def judge(
    days: Sequence[Day], calendar: Calendar, claims: Sequence[KeptClaim] = (), *, endless: bool = True
) -> Judgement:
    """Judge the days of a job that has made copies from the first on.

    ``endless`` is whether what is never removed in 400 days is never removed.
    """
    wrong: list[str] = []
    lost = [day for index, day in enumerate(days) if not day.kept.runs and index]
    inverted = [day for day in days if _lacks_newest(day)]
    if lost:
        wrong.append(_lost(lost[0], days, calendar))
    if inverted:
        first = inverted[0]
        wrong.append(
            f"the run of day {calendar.day(first.turn)} left no copy of its own, and {len(first.kept.runs)} older "
            f"{'ones' if len(first.kept.runs) > 1 else 'one'} stayed (so it went on {_times(len(inverted))})"
        )
    grown = _grown(days, calendar) if endless else ""
    if grown:
        wrong.append(grown)
    settled = next((day for day in reversed(days) if calendar.day(day.turn) <= SETTLED), None)
    if settled is not None and not (lost or inverted or grown):
        wrong += _claimed(settled, days, calendar, claims)
    counts = [len(day.kept.runs) for day in days]
    first_wrong = min((day.turn.number for day in (*lost[:1], *inverted[:1])), default=0)
    return Judgement(
        wrong=tuple(wrong),
        nothing_left=len(lost),
        newest_removed=len(inverted),
        grows=bool(grown),
        most=max(counts, default=0),
        least=min((len(day.kept.runs) for day in days if calendar.day(day.turn) > SETTLED), default=0),
        settled=settled.kept if settled is not None else None,
        on_a_good_day=any(day.turn.number == first_wrong and day.turn.weather is Weather.GOOD for day in days),
    )


def _lacks_newest(day: Day) -> bool:
    """Whether a run of which all went well has no copy, while older runs have."""
    return (
        day.turn.weather is Weather.GOOD
        and day.code == 0
        and bool(day.kept.runs)
        and day.turn.number not in day.kept.runs
    )


def _lost(day: Day, days: Sequence[Day], calendar: Calendar) -> str:
    if day.turn.weather is Weather.GOOD:
        return f"no whole copy was left after the run of day {calendar.day(day.turn)}, though every dump had been well"
    began = next(one.turn for one in days if one.turn.number > _well_before(days, day))
    took = max(1, round((day.turn.at - began.at) / timedelta(days=1)) + 1)
    runs = day.turn.number - began.number + 1
    return (
        f"no whole copy was left once {_TROUBLE[day.turn.weather]} for {took} {'days' if took > 1 else 'day'} "
        f"({runs} {'runs' if runs > 1 else 'run'})"
    )


def _well_before(days: Sequence[Day], day: Day) -> int:
    """The number of the last run before one whose dump was well."""
    return max(
        (one.turn.number for one in days if one.turn.number < day.turn.number and one.turn.weather is Weather.GOOD),
        default=0,
    )


def _grown(days: Sequence[Day], calendar: Calendar) -> str:
    good = [day for day in days if day.turn.weather is Weather.GOOD and day.turn.number in day.kept.runs]
    last = days[-1]
    if len(good) >= _PROVES_GROWTH and all(day.turn.number in last.kept.runs for day in good):
        return f"no copy was ever removed: {last.kept.files} files after {len(days)} runs"
    settled = next((day for day in reversed(days) if calendar.day(day.turn) <= SETTLED), days[0])
    since = len([day for day in good if day.turn.number > settled.turn.number])
    expected = settled.kept.files * since / settled.turn.number
    more = last.kept.files - settled.kept.files
    if more >= _PILED_UP and more > 0.7 * expected:
        before = f"{settled.kept.files} after {settled.turn.number} runs"
        return f"files pile up: {before}, {last.kept.files} after {len(days)}"
    return ""


def _claimed(settled: Day, days: Sequence[Day], calendar: Calendar, claims: Sequence[KeptClaim]) -> list[str]:
    if len(claims) != 1 or not settled.kept.runs:
        return []
    claim = claims[0]
    if claim.copies and abs(len(settled.kept.runs) - claim.copies) > 1 and claim.copies < settled.turn.number:
        return [f'{COMMENT} "{claim.text}", and {len(settled.kept.runs)} copies were kept']
    at = {day.turn.number: day.turn.at for day in days}
    oldest = (settled.turn.at - at[min(settled.kept.runs)]) / timedelta(days=1)
    gap = (calendar.turns[-1].at - calendar.turns[0].at) / timedelta(days=1) / (len(calendar.turns) - 1)
    if claim.days and claim.days < SETTLED - 2 * gap - 3 and abs(oldest - claim.days) > 1.5 + 1.5 * gap:
        return [f'{COMMENT} "{claim.text}", and the oldest copy that was kept was {oldest:.0f} days old']
    return []


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
