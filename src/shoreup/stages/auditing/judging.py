"""Run the concerns over the facts. One that crashes costs only itself.

In a large estate a second process takes its share: forked when the facts stand, it has them without a copy, and what it
sends back are symbolic drafts, which are small. What takes long is worked out when it is first asked for: the wiring in
the first process, which goes on to need it, programs and backups in the second, unless the first will need them for
edits. Other concerns are taken one by one by whoever is free. Whoever is done before the other looks up where things
stand that were found.
"""

from __future__ import annotations

import os
import sys
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct, field

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate
from shoreup.model.finding import Doubt, Draft, Place, ReadError

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


def judge(
    estate: Estate,
    concerns: Sequence[type[Concern]],
    meanwhile: Callable[[Place], object] = lambda _: None,
    *,
    keep: bool = False,
) -> Judgement:
    """Ask every concern; the answers stand in the order of the concerns.

    ``meanwhile`` is called with places that will be asked about later, as long as there is nothing else to do.
    ``keep`` works out in this process all that takes long, because repairs will ask for it again.
    """
    shared = len(estate.resources) >= WORTH_IT and len(concerns) > 1 and sys.platform.startswith("linux")
    if shared:
        found = _by_two(estate, concerns, meanwhile, keep=keep)
    else:
        found = [_ask(estate, concerns, number) for number in range(len(concerns))]
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


def _by_two(
    estate: Estate, concerns: Sequence[type[Concern]], meanwhile: Callable[[Place], object], *, keep: bool
) -> list[_Said]:
    import multiprocessing  # only large estates wait for it

    wired, programmed, free = (
        [number for number, kind in enumerate(concerns) if kind.slow_facts == facts]
        for facts in ("wiring", "programs", "")
    )
    mine, theirs = (wired + programmed, []) if keep else (wired, programmed)
    context = multiprocessing.get_context("fork")
    queue = _queue(free)
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_second, args=(there, estate, concerns, theirs, queue), daemon=True)
    process.start()
    there.close()
    said = list(_share(estate, concerns, mine, queue))
    os.close(queue)
    for outcome in (outcome for _, outcomes, _ in said for outcome in outcomes):
        if here.poll():
            break
        meanwhile(outcome.at)
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


def _share(estate: Estate, concerns: Sequence[type[Concern]], own: Sequence[int], queue: int) -> Iterator[_Said]:
    for number in own:
        yield _ask(estate, concerns, number)
    while taken := os.read(queue, array("H").itemsize):
        yield _ask(estate, concerns, int.from_bytes(taken, sys.byteorder))


def _second(
    answer: Connection, estate: Estate, concerns: Sequence[type[Concern]], own: Sequence[int], queue: int
) -> None:
    answer.send(list(_share(estate, concerns, own, queue)))
