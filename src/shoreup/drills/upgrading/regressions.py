"""Queries that an upgrade answers otherwise or more slowly: the owner's own, and those that the server runs most.

The server before the upgrade and the one after it stand side by side with the same rows, and each query is put to both
in turn: whatever else the machine does meanwhile strikes both. The new one is asked twice, before it has statistics,
which is what users meet while ANALYZE still runs, and afterwards.

A time is a measurement. It decides a verdict only where the owner said how long an answer may take. A query counts as
slower where the median of several turns is both ``FACTOR`` times and ``NOTICEABLE`` seconds more; what has parameters
whose values nobody knows is planned, not run, and held against what its plan would cost on the old server.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, TypeAlias

import msgspec
from msgspec import Struct

from shoreup.drills.asking import Answer, Question, disappointed
from shoreup.model.wording import some

if TYPE_CHECKING:
    import psycopg

    Connection: TypeAlias = psycopg.Connection[tuple[object, ...]]

FACTOR = 2.0
"""How many times as long a query has to take to count as slower ..."""
NOTICEABLE = 0.05
"""... and how many seconds longer: below that nobody would notice that it takes twice as long."""
TURNS = 5
_ENOUGH = 10.0
"""Seconds of one query after which it is not put again."""
_PARAMETER = re.compile(r"\$(\d+)")
_NODES_TOLD = 3

Asker = Callable[[str], "AbstractContextManager[Connection]"]
"""Gives a connection to the database of that name, as one who may only read."""


class Query(Struct, frozen=True):
    """A query whose pace is held against what it was. ``name`` is what a proof calls it, which never holds its text."""

    name: str
    text: str
    database: str
    within: timedelta | None = None

    @property
    def parameters(self) -> int:
        """How many values it wants that nobody knows."""
        return max((int(one) for one in _PARAMETER.findall(self.text)), default=0)


class Plan(Struct, frozen=True):
    """How a server means to answer: what it estimates that to cost, and by which ways it reads which tables."""

    cost: float
    ways: frozenset[str]


class Pace(Struct, frozen=True):
    """One query on both servers. ``was`` and ``now`` are medians in seconds, ``None`` where it was only planned."""

    query: Query
    was: float | None
    now: float | None
    plan_was: Plan
    plan_now: Plan

    @property
    def slower(self) -> bool:
        """Whether somebody would notice."""
        if self.was is None or self.now is None:
            return self.plan_was.ways != self.plan_now.ways and self.plan_now.cost >= FACTOR * self.plan_was.cost
        return self.now >= FACTOR * self.was and self.now - self.was >= NOTICEABLE

    @property
    def late(self) -> bool:
        """Whether it takes longer than its owner allows, and did not before."""
        limit = self.query.within.total_seconds() if self.query.within is not None else None
        return limit is not None and self.was is not None and self.now is not None and self.was <= limit < self.now

    def __str__(self) -> str:
        if self.was is None or self.now is None:
            times = f"its plan costs {self.plan_now.cost / max(self.plan_was.cost, 1e-9):.1f} times what it did"
        else:
            times = f"{_told(self.now)}, and {_told(self.was)} before"
        new, old = self.plan_now.ways - self.plan_was.ways, self.plan_was.ways - self.plan_now.ways
        how = f" ({_listed(new)} in place of {_listed(old)})" if new and old else ""
        return f"{self.query.name} ({self.query.database}): {times}{how}"


class Before(Struct, frozen=True):
    """What the old server answered. Not ``steady`` is what it answers differently each time, such as the time."""

    answer: Answer
    steady: bool


def before(ask: Callable[[Question], Answer], questions: Sequence[Question]) -> dict[Question, Before]:
    """Put the owner's questions to the old server, twice."""
    found: dict[Question, Before] = {}
    for one in questions:
        first = ask(one)
        found[one] = Before(first, steady=ask(one) == first)
    return found


def otherwise(was: Mapping[Question, Before], ask: Callable[[Question], Answer]) -> Iterator[str]:
    """Which questions the new server does not answer as it should, in words without the answers.

    What the old one did not answer as it should is not the upgrade's doing.
    """
    for question, old in was.items():
        if disappointed(question, old.answer):
            continue
        new = ask(question)
        if words := disappointed(question, new):
            yield words
        elif old.steady and new != old.answer:
            yield f"to {str(question)!r} comes another answer than before"


def queries(questions: Sequence[Question], databases: Sequence[str]) -> tuple[Query, ...]:
    """The owner's questions as queries, each to the database that it is put to."""
    return tuple(Query(str(one), one.query, place_of(one, databases), one.within) for one in questions)


def place_of(question: Question, databases: Sequence[str]) -> str:
    """The database that a question is put to: its own where the server has it, else the first that is not the
    administrators'.
    """
    others = [one for one in databases if one != "postgres"] or ["postgres"]
    return question.database if question.database in databases else others[0]


def paces(was: Asker, now: Asker, wanted: Sequence[Query]) -> Iterator[Pace]:
    """Put each query to both servers in turn. What either does not answer is left out."""
    from psycopg import Error

    for query in wanted:
        with was(query.database) as old, now(query.database) as new:
            try:
                plan_was, plan_now = _planned(old, query), _planned(new, query)
                old_time, new_time = (None, None) if query.parameters else _timed(old, new, query)
            except Error:
                continue
        yield Pace(query, old_time, new_time, plan_was, plan_now)


def _timed(old: Connection, new: Connection, query: Query) -> tuple[float, float]:
    """The medians of several turns, the first of which only fills the caches."""
    took: Mapping[Connection, list[float]] = {old: [], new: []}
    for _ in range(TURNS + 1):
        for connection, seconds in took.items():
            with connection.transaction():
                began = perf_counter()
                connection.execute(query.text.encode(), prepare=True).fetchall()
                seconds.append(perf_counter() - began)
        if sum(sum(each) for each in took.values()) > _ENOUGH:
            break
    was, now = (median(each[1:] or each) for each in took.values())
    return was, now


def _planned(connection: Connection, query: Query) -> Plan:
    """How a server means to answer. Parameters are left open, as in a plan that a server makes once for all values."""
    with connection.transaction():
        asked = query.text.encode()
        if query.parameters:
            connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            connection.execute(b"PREPARE shoreup AS " + asked, prepare=True)
            asked = f"EXECUTE shoreup({', '.join(['NULL'] * query.parameters)})".encode()
        row = connection.execute(b"EXPLAIN (FORMAT JSON) " + asked, prepare=True).fetchone()
        if query.parameters:
            connection.execute("DEALLOCATE shoreup")
    found = msgspec.convert(row[0] if row else None, list[_Explained])[0].plan
    return Plan(found.cost, frozenset(found.ways()))


class _Node(Struct, frozen=True):
    kind: str = msgspec.field(name="Node Type")
    cost: float = msgspec.field(name="Total Cost", default=0.0)
    table: str = msgspec.field(name="Relation Name", default="")
    below: tuple[_Node, ...] = msgspec.field(name="Plans", default=())

    def ways(self) -> Iterator[str]:
        """By which ways tables are read."""
        if self.table:
            yield f"{self.kind} of {self.table}"
        for one in self.below:
            yield from one.ways()


class _Explained(Struct, frozen=True):
    plan: _Node = msgspec.field(name="Plan")


def _told(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def _listed(ways: frozenset[str]) -> str:
    return some(sorted(ways), _NODES_TOLD)
