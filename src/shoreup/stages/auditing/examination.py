"""The whole way of one audit: files to resources, resources to facts, facts to findings with their lines."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path

from msgspec import Struct

from shoreup import __version__
from shoreup.concerns.base import Concern
from shoreup.concerns.registry import all_concerns
from shoreup.facts.build import Extras, build
from shoreup.facts.estate import Estate
from shoreup.facts.storage.mounts import strangers
from shoreup.formats.files import FileTree
from shoreup.model.access import LearnedRights
from shoreup.model.account import Account, Coverage
from shoreup.model.finding import Draft, Notice, Undecided
from shoreup.model.measured import Measured
from shoreup.sources.git import first_names
from shoreup.stages.auditing.ages import with_ages
from shoreup.stages.auditing.extras import extras
from shoreup.stages.auditing.judging import judge
from shoreup.stages.auditing.places import Places
from shoreup.stages.auditing.ranking import ranked
from shoreup.stages.auditing.reading import Reading, read
from shoreup.stages.auditing.suppression import Acceptance, part
from shoreup.stages.auditing.undisturbed import undisturbed
from shoreup.stages.auditing.weighing import weighed
from shoreup.stages.proofs import Proven
from shoreup.stages.selection import expanded
from shoreup.stages.settings import GivenSettings, own_products
from shoreup.terraform.plan import Plan

Progress = Callable[[str, int, int], None]
NOTHING_PROVEN = Proven()
NO_SETTINGS = GivenSettings()


class Asked(Struct, frozen=True):
    """What an examination needs beside the files. ``whole`` says that the tree is the whole estate, not a part.

    ``history`` is the repository folder and the revision that the tree is of, where it is no work tree itself.
    """

    concerns: Sequence[type[Concern]]
    today: date
    plan: Plan | None = None
    proven: Proven = NOTHING_PROVEN
    given: GivenSettings = NO_SETTINGS
    whole: bool = True
    own: Sequence[type[Concern]] = ()
    """The user's own concerns, asked or not, so that an ignore may name them."""
    history: tuple[Path, str] | None = None
    editable: bool = False
    """Whether the readers' trees are wanted afterwards, for edits; they then stay in this process."""
    measured: Measured | None = None
    """What containers used, for fixes that need to know."""
    learned: tuple[LearnedRights, ...] = ()
    """What accounts have used, beside what the estate keeps of it itself."""
    into_modules: bool = False
    """Whether a long file becomes modules when it is split."""


def understood(reading: Reading, asked: Asked) -> Estate:
    """The facts of what was read, with what the owner and the drills say."""
    settings = asked.given.settings
    given = Extras(
        today=asked.today,
        proofs=asked.proven.proofs,
        settings=settings,
        products=own_products(asked.given),
        measured=asked.measured,
        into_modules=asked.into_modules,
        learned_rights={(one.namespace, one.name): one for one in asked.learned},
    )
    return build(reading.resources, extras(reading, given))


class Examination(Struct, frozen=True):
    """An account with what it was made from, as long as the process keeps it."""

    account: Account
    reading: Reading
    estate: Estate
    places: Places
    drafts: Mapping[str, Draft]
    """What the concerns said, by the fingerprint of what became of it."""


def examine(tree: FileTree, asked: Asked, say: Progress) -> Account:
    """Read the tree, ask the concerns, and put their answers in order."""
    return examination(tree, asked, say).account


def examination(tree: FileTree, asked: Asked, say: Progress, *, keep: bool = False) -> Examination:
    """The same, with everything that an explanation needs. ``keep`` is as in :func:`judge`."""
    clock = _Clock()
    with undisturbed():
        reading = read(tree, asked.plan, say, alone=asked.editable)
        clock.lap("read")
        estate = understood(reading, asked)
        clock.lap("understand")
        say("looking for trouble", 0, 0)
        places = _places(tree, reading, asked)
        judgement = judge(estate, asked.concerns, places.span, keep=keep)
        clock.lap("judge")
        found = [
            *ranked([*with_ages([*weighed(judgement.drafts, estate)], places, tree.root)], places, asked.concerns),
            *ranked(judgement.unproven, places, asked.concerns),
        ]
        parted = part(found, judgement.doubts, _acceptance(asked), places, tree)
        undecided = sorted((places.undecided(doubt) for doubt in judgement.doubts), key=_by_place)
        clock.lap("locate")
    errors = [*tree.errors, *asked.proven.errors, *judgement.errors]
    estate_level = {kind.id for kind in asked.concerns if kind.estate_level}
    account = Account(
        version=__version__,
        estate=(),
        findings=tuple(one for one in parted.kept if one.concern not in estate_level),
        unproven=tuple(one for one in parted.kept if one.concern in estate_level),
        suppressed=tuple(parted.suppressed),
        undecided=tuple(undecided),
        errors=tuple(sorted(errors, key=lambda one: (one.file, one.line))),
        coverage=coverage(reading),
        timing=clock.laps,
        ledger=asked.proven.configured,
        notices=(*parted.notices, *expired(asked.given, asked.today), *unknown_storage(asked, estate)),
    )
    return Examination(account, reading, estate, places, {finding.fingerprint: draft for draft, finding in found})


def _places(tree: FileTree, reading: Reading, asked: Asked) -> Places:
    folder, revision = asked.history or (tree.root, "HEAD")
    return Places(reading.resources, reading.trace, tree.read, partial(first_names, folder, revision=revision))


def _acceptance(asked: Asked) -> Acceptance:
    return Acceptance(
        given=asked.given,
        asked=frozenset(kind.id for kind in asked.concerns),
        known=frozenset(kind.id for kind in (*all_concerns(), *asked.own)),
        today=asked.today,
        whole=asked.whole,
    )


def _by_place(undecided: Undecided) -> tuple[str, str, int, str, str]:
    address = undecided.resource.address if undecided.resource else ""
    return (undecided.concern, undecided.file, undecided.line, address, undecided.unknown)


def chosen(
    select: Sequence[str],
    ignore: Sequence[str],
    given: GivenSettings = NO_SETTINGS,
    own: Sequence[type[Concern]] = (),
) -> list[type[Concern]]:
    """The concerns that were asked for: on the command line, or else in the settings; what either ignores is left out.

    Raises :class:`UserError` for a name in the settings that is no concern.
    """
    every = (*all_concerns(), *own)
    known = [kind.id for kind in every]
    said = given.settings.selection
    wanted = set(select) or set(_named(said.select, known, given, "select"))
    unwanted = {*ignore, *_named(said.ignore, known, given, "ignore")}
    for index, entry in enumerate(given.settings.suppress):
        expanded(entry.ids, known, partial(given.wrong, route=("suppress", index, "ids")))
    return [kind for kind in every if (not wanted or kind.id in wanted) and kind.id not in unwanted]


def _named(words: Sequence[str], known: Sequence[str], given: GivenSettings, key: str) -> tuple[str, ...]:
    return expanded(words, known, partial(given.wrong, route=("selection", key)))


def expired(given: GivenSettings, today: date) -> tuple[Notice, ...]:
    """Protections that do not count any more."""
    return tuple(
        Notice(
            given.name,
            given.line(("protection", index, "expires")),
            f"The protection of {one.what} by {one.by} counted until {one.expires.isoformat()}: look whether it still "
            "holds, and set a new day.",
        )
        for index, one in enumerate(given.settings.protection)
        if one.expires <= today
    )


def unknown_storage(asked: Asked, estate: Estate) -> tuple[Notice, ...]:
    """Storage that the settings name and the estate does not: a drill would look for copies in vain."""
    if not asked.whole:
        return ()
    return tuple(
        Notice(
            asked.given.name,
            asked.given.line(("storage", name)),
            f"{name} is no storage of this estate: no volume leads there. Name a server with a path, a claim as "
            "'namespace/name' or a folder of a node.",
        )
        for name in strangers(estate)
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
