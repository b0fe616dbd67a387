"""What the two servers of a rehearsal are asked: the owner's questions, and what the server is asked most.

Answers decide: one that is right on the old server and not on the new one is a failure. Times are told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from msgspec import Struct, field

from shoreup.drills.asking import Answer, Question, ask_postgresql, asker_of_postgresql, disappointed
from shoreup.drills.judging import some
from shoreup.drills.proving import Seen
from shoreup.drills.upgrading.regressions import (
    FACTOR,
    NOTICEABLE,
    Before,
    Pace,
    Query,
    before,
    otherwise,
    paces,
    place_of,
    queries,
)
from shoreup.engines.base import needed
from shoreup.engines.postgresql.server import RunningPostgresql
from shoreup.engines.postgresql.statements import Statement

_MEASURED = 10
"""So many of the owner's questions have their times among the measurements."""


class Interview(Struct, frozen=True):
    """Questions, and what the old server answered. ``slow`` is filled with what takes longer on the new one."""

    questions: tuple[Question, ...]
    statements: tuple[Statement, ...]
    databases: tuple[str, ...]
    answers: Mapping[Question, Before]
    slow: list[str] = field(default_factory=list)

    @property
    def queries(self) -> tuple[Query, ...]:
        """Everything whose pace is measured."""
        often = [one for one in self.statements if one.database in self.databases]
        own = queries(self.questions, self.databases)
        return (*own, *(Query(f"statement {one.number}", one.text, one.database) for one in often))

    def paces(self, old: RunningPostgresql, new: RunningPostgresql) -> tuple[Pace, ...]:
        """How fast both answer, side by side."""
        return tuple(paces(partial(asker_of_postgresql, old), partial(asker_of_postgresql, new), self.queries))

    def wrong(self, new: RunningPostgresql, bare: Sequence[Pace], now: Sequence[Pace], seen: Seen) -> list[str]:
        """What the new server answers wrongly or later than its owner allows; the rest is told.

        ``bare`` are its paces without statistics, ``now`` those with.
        """
        if self.questions:
            seen.measure("asked", len(self.questions), "questions")
        for question, old in self.answers.items():
            if words := disappointed(question, old.answer):
                seen.limits.append(f"whether it goes wrong by the upgrade, because the old server says so too: {words}")
        if now:
            self._measure(bare, now, seen)
        wrong = otherwise(self.answers, _asking(new, self.databases))
        return [*wrong, *(f"too late: {one}" for one in now if one.late)]

    def _measure(self, bare: Sequence[Pace], now: Sequence[Pace], seen: Seen) -> None:
        seen.limits.append(
            "how fast queries are with the estate's own memory and settings: both servers had the defaults"
        )
        seen.measure("queries held against each other", len(now), "queries")
        early = {one.query.name: one for one in bare}
        for one in now[: min(len(self.questions), _MEASURED)]:
            first = early.get(one.query.name)
            for when, seconds in (
                ("before", one.was),
                ("without statistics", first.now if first is not None else None),
                ("after", one.now),
            ):
                if seconds is not None:
                    seen.measure(f"{one.query.name} {when}", seconds * 1000, "ms")
        slow = [one for one in now if one.slower]
        seen.measure("slower", len(slow), "queries")
        least = f"{FACTOR:g} times and {NOTICEABLE * 1000:.0f} ms"
        if slow:
            self.slow.append(f"slower than before, by at least {least}: {some(slow)}")
        first_slow = [one for one in bare if one.slower and one.query.name not in {each.query.name for each in slow}]
        if first_slow:
            self.slow.append(f"slow until ANALYZE is done: {some(first_slow)}")


def begun(
    running: RunningPostgresql,
    databases: tuple[str, ...],
    questions: tuple[Question, ...],
    statements: tuple[Statement, ...],
) -> Interview:
    """Put the questions to the old server. Who asks is a role of it from then on."""
    answers = before(_asking(running, databases), questions)
    if questions or statements:
        analyze(running)
    return Interview(questions, statements, databases, answers)


def analyze(running: RunningPostgresql) -> None:
    """Let the planner have statistics."""
    needed(running.tool("vacuumdb", ["--all", "--analyze-only", "--quiet"]), running.jail)


def _asking(running: RunningPostgresql, databases: Sequence[str]) -> Callable[[Question], Answer]:
    return lambda one: ask_postgresql(running, one.query, place_of(one, databases))
