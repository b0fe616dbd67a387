"""What runs when, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from shoreup.model.schedule import ScheduleSeen
from shoreup.report.contract import Json, encode
from shoreup.report.terminal import Ink, plain


def render(schedules: Sequence[ScheduleSeen], *, colour: bool = False) -> str:
    """Each schedule with when it comes next, by its own clock."""
    if not schedules:
        return "Nothing is scheduled. docs/operations.md says how [schedule.NAME] is written.\n"
    return "".join(f"{line}\n" for line in _lines(schedules, Ink(colour)))


def render_json(schedules: Sequence[ScheduleSeen]) -> str:
    """The same as JSON: see docs/operations.md."""
    return encode({"schedules": [_as_json(one) for one in schedules]})


def _as_json(one: ScheduleSeen) -> dict[str, Json]:
    return {
        "name": one.name,
        "run": one.run,
        "when": one.when,
        "time_zone": one.time_zone,
        "next": [moment.isoformat() for moment in one.next],
        "last": one.last.isoformat() if one.last else None,
        "last_run": one.last_run,
        "state": one.state,
    }


def _lines(schedules: Sequence[ScheduleSeen], ink: Ink) -> Iterator[str]:
    names = max(len(one.name) for one in schedules)
    runs = max(len(plain(one.run)) for one in schedules)
    for one in schedules:
        comes = one.next[0].astimezone(ZoneInfo(one.time_zone)) if one.next else None
        due = f"next {comes:%a %Y-%m-%d %H:%M %Z}" if comes else "never again"
        last = f"last run {one.state}" if one.state else "never run"
        rest = ink(f"{one.when}, {last}", "faint")
        yield f"{ink(f'{one.name:<{names}}', 'strong')}  {plain(one.run):<{runs}}  {due}  {rest}"
