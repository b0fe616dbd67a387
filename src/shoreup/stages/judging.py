"""Run the concerns over the facts. One that crashes costs only itself.

In a large estate a second process takes its share: forked when the facts stand, it has them without a copy, and what it
sends back are symbolic drafts, which are small. Facts that take long are worked out when they are first asked for, by
the first process alone, which asks all concerns that need them. The others are taken one by one by whoever is free, so
that neither process waits long for the other.
"""

from __future__ import annotations

import os
import sys
from array import array
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct, field

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate
from shoreup.model.finding import Doubt, Draft, ReadError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

WORTH_IT = 400
"""Resources from which a second process pays: about half a second of judging."""

_Said: TypeAlias = tuple[int, tuple[Outcome, ...], str]
"""What one concern said: its number, its outcomes, and the kind of its crash (mostly empty)."""


class Judgement(Struct):
    """What the concerns said. ``unproven`` are the drafts of those that are about proof."""

    drafts: list[Draft] = field(default_factory=list)
    unproven: list[Draft] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    errors: list[ReadError] = field(default_factory=list)


def judge(estate: Estate, concerns: Sequence[type[Concern]]) -> Judgement:
    """Ask every concern; the answers stand in the order of the concerns."""
    shared = len(estate.resources) >= WORTH_IT and len(concerns) > 1 and sys.platform.startswith("linux")
    found = _by_two(estate, concerns) if shared else [_ask(estate, concerns, n) for n in range(len(concerns))]
    judgement = Judgement()
    for number, outcomes, crash in sorted(found, key=lambda one: one[0]):
        kind = concerns[number]
        for outcome in outcomes:
            if isinstance(outcome, Draft):
                (judgement.unproven if kind.estate_level else judgement.drafts).append(outcome)
            else:
                judgement.doubts.append(outcome)
        if crash:
            cause = f"the concern {kind.id} failed on this estate: {crash}"
            judgement.errors.append(ReadError("", 0, cause, f"what {kind.id} would find"))
    return judgement


def _ask(estate: Estate, concerns: Sequence[type[Concern]], number: int) -> _Said:
    outcomes: list[Outcome] = []
    try:
        outcomes.extend(concerns[number]().check(estate))
    except Exception as problem:  # one concern's mistake must not hide what the others see
        return number, tuple(outcomes), type(problem).__name__
    return number, tuple(outcomes), ""


def _by_two(estate: Estate, concerns: Sequence[type[Concern]]) -> list[_Said]:
    import multiprocessing  # only large estates wait for it

    slow = [number for number, kind in enumerate(concerns) if kind.slow_facts]
    free = [number for number, kind in enumerate(concerns) if not kind.slow_facts]
    context = multiprocessing.get_context("fork")
    queue = _queue(free)
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_second, args=(there, estate, concerns, queue), daemon=True)
    process.start()
    there.close()
    said = [_ask(estate, concerns, number) for number in slow]
    said.extend(_share(estate, concerns, queue))
    os.close(queue)
    try:
        said.extend(here.recv())
    except EOFError:
        # the second process died: what it took is asked again here
        asked = {number for number, _, _ in said}
        said.extend(_ask(estate, concerns, number) for number in range(len(concerns)) if number not in asked)
    process.join()
    return said


def _queue(numbers: Sequence[int]) -> int:
    """A pipe with the numbers of concerns in it: whoever reads one asks it, and nobody else can."""
    taking, giving = os.pipe()
    os.write(giving, array("H", numbers).tobytes())
    os.close(giving)
    return taking


def _share(estate: Estate, concerns: Sequence[type[Concern]], queue: int) -> Iterator[_Said]:
    while number := os.read(queue, array("H").itemsize):
        yield _ask(estate, concerns, int.from_bytes(number, sys.byteorder))


def _second(answer: Connection, estate: Estate, concerns: Sequence[type[Concern]], queue: int) -> None:
    answer.send(list(_share(estate, concerns, queue)))
