"""The whole way of one audit: files to resources, resources to facts, facts to findings with their lines."""

from __future__ import annotations

import gc
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date

from shoreup import __version__
from shoreup.concerns.base import Concern
from shoreup.concerns.registry import all_concerns
from shoreup.facts.build import Extras, build
from shoreup.formats.files import FileTree
from shoreup.model.account import Account, Coverage
from shoreup.model.finding import Undecided
from shoreup.stages.extras import extras
from shoreup.stages.judging import judge
from shoreup.stages.places import Places
from shoreup.stages.proofs import Proven
from shoreup.stages.ranking import ranked
from shoreup.stages.reading import Reading, read
from shoreup.terraform.plan import Plan

Progress = Callable[[str, int, int], None]
NOTHING_PROVEN = Proven()
RECURSION_LIMIT = 8_000
"""Locals that refer to locals that refer to locals: each step costs a few frames."""


def examine(
    tree: FileTree,
    concerns: Sequence[type[Concern]],
    plan: Plan | None,
    today: date,
    say: Progress,
    proven: Proven = NOTHING_PROVEN,
) -> Account:
    """Read the tree, ask the concerns, and put their answers in order."""
    clock = _Clock()
    with _undisturbed():
        reading = read(tree, plan, say)
        clock.lap("read")
        estate = build(reading.resources, extras(reading, Extras(today=today, proofs=proven.proofs)))
        clock.lap("understand")
        say("looking for trouble", 0, 0)
        judgement = judge(estate, concerns)
        clock.lap("judge")
        places = Places(reading.resources, reading.trace, tree.read)
        findings = ranked(judgement.drafts, places)
        unproven = ranked(judgement.unproven, places)
        undecided = sorted((places.undecided(doubt) for doubt in judgement.doubts), key=_by_place)
        clock.lap("locate")
    return Account(
        version=__version__,
        estate=(),
        findings=findings,
        unproven=unproven,
        suppressed=(),
        undecided=tuple(undecided),
        errors=tuple(sorted([*tree.errors, *proven.errors, *judgement.errors], key=lambda one: (one.file, one.line))),
        coverage=coverage(reading),
        timing=clock.laps,
        ledger=proven.configured,
    )


def _by_place(undecided: Undecided) -> tuple[str, str, int, str, str]:
    address = undecided.resource.address if undecided.resource else ""
    return (undecided.concern, undecided.file, undecided.line, address, undecided.unknown)


def chosen(select: Sequence[str], ignore: Sequence[str]) -> list[type[Concern]]:
    """The concerns that were asked for."""
    return [kind for kind in all_concerns() if (not select or kind.id in select) and kind.id not in ignore]


def coverage(reading: Reading) -> Coverage:
    """What was read and what was left alone."""
    return Coverage(
        files=reading.formats,
        resources=dict(Counter(resource.source for resource in reading.resources)),
        roots=len({resource.root for resource in reading.resources}),
        skipped=dict(Counter(reading.tree.skipped.values())),
    )


@contextmanager
def _undisturbed() -> Iterator[None]:
    """No garbage collection while trees are built: they live until the end, and to look through them takes as long."""
    enabled, limit = gc.isenabled(), sys.getrecursionlimit()
    gc.disable()
    sys.setrecursionlimit(max(limit, RECURSION_LIMIT))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)
        if enabled:
            gc.enable()


class _Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = round(now - self._last, 4)
        self._last = now
