"""The audit: files to facts, facts to findings, findings ranked by what is lost."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from hashlib import blake2b
from pathlib import Path

from shoreup import __version__
from shoreup.concerns.base import Concern
from shoreup.concerns.registry import all_concerns
from shoreup.facts.build import Extras, build
from shoreup.formats.files import FileTree
from shoreup.model.account import Account, Coverage
from shoreup.model.errors import NothingToAudit, UserError
from shoreup.model.finding import Draft, Finding
from shoreup.model.location import Location
from shoreup.stages.cache import Cache
from shoreup.stages.extras import extras
from shoreup.stages.judging import judge
from shoreup.stages.places import Places, fingerprints, identity
from shoreup.stages.reading import Reading, format_of, read
from shoreup.terraform.plan import Plan, PlanError, read_plan

Progress = Callable[[str, int, int], None]
RECURSION_LIMIT = 8_000
"""Locals that refer to locals that refer to locals: each step costs a few frames."""


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """What is asked for. ``select`` and ``ignore`` are concern ids; ``plan`` is a ``terraform show -json`` file."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    cache: bool = True
    plan: Path | None = None
    today: date | None = None


def audit(paths: Sequence[Path], options: AuditOptions, progress: Progress | None = None) -> Account:
    """Audit an estate.

    Raises :class:`UserError` for a path that is not there and :class:`NothingToAudit` where no file is one that
    Shoreup reads.
    """
    say = progress or _silent
    root, only = estate_root(paths)
    plan = _plan(options.plan) if options.plan else None
    today = options.today or date.today()  # noqa: DTZ011  # support ends on a day, wherever one is
    clock = _Clock()
    tree = FileTree(root, only)
    if not any(format_of(path) for path in tree.files):
        raise NothingToAudit(f"{root} holds no Terraform and no YAML. Name the folder of your repository.")
    cache = Cache(_question(root, only, options, today)) if options.cache else None
    account = cache.look(tree) if cache else None
    if account is None:
        with _undisturbed():
            account = _audit(tree, plan, replace(options, today=today), say, clock)
        if cache:
            cache.keep(tree, account)
    return replace(account, estate=tuple(str(path) for path in paths))


def _audit(tree: FileTree, plan: Plan | None, options: AuditOptions, say: Progress, clock: _Clock) -> Account:
    reading = read(tree, plan, say)
    clock.lap("read")
    estate = build(reading.resources, extras(reading, Extras(today=options.today)))
    clock.lap("understand")
    say("looking for trouble", 0, 0)
    judgement = judge(estate, chosen(options))
    clock.lap("judge")
    places = Places(reading.resources, reading.trace, reading.tree.read)
    findings = ranked(judgement.drafts, places)
    undecided = tuple(places.undecided(doubt) for doubt in judgement.doubts)
    clock.lap("locate")
    return Account(
        version=__version__,
        estate=(),
        findings=findings,
        unproven=(),
        suppressed=(),
        undecided=undecided,
        errors=tuple(sorted([*reading.tree.errors, *judgement.errors], key=lambda one: (one.file, one.line))),
        coverage=coverage(reading),
        timing=clock.laps,
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


def _plan(path: Path) -> Plan:
    try:
        return read_plan(path.read_bytes())
    except OSError as problem:
        raise UserError(f"The plan {path} cannot be read: {problem.strerror}.") from None
    except PlanError as problem:
        raise UserError(str(problem)) from None


def _question(root: Path, only: tuple[str, ...], options: AuditOptions, today: date) -> tuple[str, ...]:
    plan = blake2b(options.plan.read_bytes()).hexdigest() if options.plan else ""
    return (str(root), *only, "|", *options.select, "|", *options.ignore, "|", plan, today.isoformat())


def estate_root(paths: Sequence[Path]) -> tuple[Path, tuple[str, ...]]:
    """The folder that all paths lie in, and the parts of it that were named (none for the whole folder)."""
    full = [path.resolve() for path in paths or (Path(),)]
    for path, given in zip(full, paths or (Path(),), strict=True):
        if not path.exists():
            raise UserError(f"There is nothing at {given}. Name a folder or file of your repository.")
    if len(full) == 1 and full[0].is_dir():
        return full[0], ()
    common = Path(os.path.commonpath(full))
    root = common if common.is_dir() else common.parent
    return root, tuple(path.relative_to(root).as_posix() for path in full if path != root)


def chosen(options: AuditOptions) -> list[type[Concern]]:
    """The concerns that were asked for."""
    return [
        kind
        for kind in all_concerns()
        if (not options.select or kind.id in options.select) and kind.id not in options.ignore
    ]


def ranked(drafts: Sequence[Draft], places: Places) -> tuple[Finding, ...]:
    """Findings with their lines, the worst first.

    Data loss comes before takeover, outage and hygiene; then severity, then how much depends on it.
    """
    kinds = {kind.id: kind for kind in all_concerns()}
    placed: list[tuple[Draft, Location]] = []
    for draft in drafts:
        location = places.location(draft.at)
        placed.append((draft, location or Location("", 0, 0, 0, 0)))
    placed.sort(key=lambda pair: _order(pair[0], pair[1], places))
    names = [places.name(draft.at) for draft, _ in placed]
    marks = fingerprints(
        identity(draft, name, location.file) for (draft, location), name in zip(placed, names, strict=True)
    )
    return tuple(
        Finding(
            rank=rank,
            concern=draft.concern,
            severity=draft.severity,
            confidence=draft.confidence,
            consequence_class=draft.consequence_class,
            category=kinds[draft.concern].category,
            section=kinds[draft.concern].section,
            subject=draft.subject,
            message=draft.message,
            consequence=draft.consequence,
            file=location.file,
            line=location.line,
            column=location.column,
            end_line=location.end_line,
            resource=name,
            related=places.related(draft),
            fingerprint=mark,
            fixes=draft.fixes,
        )
        for rank, ((draft, location), name, mark) in enumerate(zip(placed, names, marks, strict=True), 1)
    )


def _order(draft: Draft, location: Location, places: Places) -> tuple[object, ...]:
    name = places.name(draft.at)
    return (
        draft.consequence_class.order,
        draft.severity.order,
        -draft.dependants,
        draft.concern,
        name.root if name else "",
        name.address if name else "",
        location.file,
        location.line,
        location.column,
        draft.field,
    )


def coverage(reading: Reading) -> Coverage:
    """What was read and what was left alone."""
    return Coverage(
        files=reading.formats,
        resources=dict(Counter(resource.source for resource in reading.resources)),
        roots=len({resource.root for resource in reading.resources}),
        skipped=dict(Counter(reading.tree.skipped.values())),
    )


class _Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = round(now - self._last, 4)
        self._last = now


def _silent(what: str, done: int, total: int) -> None:
    """Nobody waits for progress."""
