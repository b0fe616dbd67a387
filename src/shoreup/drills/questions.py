"""Questions that are put to a database before and after an upgrade: the owner's own, and how long they take.

A question is known by its name. Its words, and the rows that it answers with, never come into a proof: they may hold
anything. What is kept of an answer is its size and a digest.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING

from msgspec import Struct

from shoreup.compare.manifest import digest

if TYPE_CHECKING:
    from psycopg import Connection

_TURNS = 3
_MUCH_SLOWER = 3.0
_NOTICEABLE = 0.05
"""Seconds below which nobody would see that something takes three times as long."""


class Question(Struct, frozen=True):
    """One question in SQL to a database. It is asked in a transaction that can only read."""

    name: str
    words: str
    database: str = ""


class Answer(Struct, frozen=True):
    """What came back. ``seconds`` is the fastest of a few turns; ``trouble`` why there was no answer."""

    name: str
    rows: int
    digest: str
    seconds: float
    trouble: str = ""


def ask(connection: Connection[tuple[object, ...]], question: Question) -> Answer:
    """Put a question, a few times."""
    from psycopg import Error

    best, rows = float("inf"), list[str]()
    try:
        connection.execute("SET statement_timeout = '120s'")
        for _ in range(_TURNS):
            with connection.transaction():
                connection.execute("SET TRANSACTION READ ONLY")
                began = perf_counter()
                found = connection.execute(question.words.encode()).fetchall()
                best = min(best, perf_counter() - began)
            # Without ORDER BY the order of rows means nothing, and two versions need not agree on it.
            rows = sorted(repr(row) for row in found)
    except Error as problem:
        # The first line names what is missing; those behind it may quote rows.
        return Answer(question.name, 0, "", 0.0, (problem.diag.message_primary or type(problem).__name__)[:200])
    return Answer(question.name, len(rows), digest("\n".join(rows)), best)


def worse(before: Sequence[Answer], after: Sequence[Answer]) -> tuple[str, ...]:
    """Which questions are answered otherwise than before, in words. One that had no answer before says nothing."""
    found: list[str] = []
    now = {one.name: one for one in after}
    for was in before:
        one = now.get(was.name)
        if one is None or was.trouble:
            continue
        if one.trouble:
            found.append(f"the question {was.name} has no answer any more: {one.trouble}")
        elif one.rows != was.rows:
            found.append(f"the question {was.name} gives {one.rows} rows, and gave {was.rows}")
        elif one.digest != was.digest:
            found.append(f"the question {was.name} gives as many rows with other content")
    return tuple(found)


def slower(before: Sequence[Answer], after: Sequence[Answer]) -> tuple[str, ...]:
    """Which questions take much longer than before, in words."""
    was = {one.name: one for one in before}
    return tuple(
        f"the question {one.name} takes {one.seconds * 1000:.0f} ms, and took {was[one.name].seconds * 1000:.0f} ms"
        for one in after
        if one.name in was
        and not one.trouble
        and not was[one.name].trouble
        and one.seconds > _NOTICEABLE
        and one.seconds > _MUCH_SLOWER * was[one.name].seconds
    )
