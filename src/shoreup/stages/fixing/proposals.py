"""Which findings get an edit and which do not, with the reason for each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from shoreup.concerns.base import Concern
from shoreup.formats.edits import CannotWrite, Replacement, collide
from shoreup.model.amendment import Applied, Change, Dropped, NotFixed
from shoreup.model.edit import Edit, Impact, NoRepair, Repair
from shoreup.model.finding import Draft, Finding, Safety
from shoreup.model.location import Route
from shoreup.stages.auditing.examination import Examination
from shoreup.stages.fixing.attempt import Attempt
from shoreup.stages.fixing.effect import effect
from shoreup.stages.fixing.eyes import for_eyes
from shoreup.stages.fixing.merging import Body, missing
from shoreup.stages.fixing.realising import Realiser
from shoreup.stages.fixing.regions import contents
from shoreup.stages.fixing.room import Room
from shoreup.stages.fixing.sharing import Sharing
from shoreup.stages.fixing.sketching import sketched
from shoreup.stages.fixing.wording import worded

Choose = Callable[[Applied, Sequence[Change]], bool]
"""Asked before a fix is taken, with what it would change."""
_OFFERED = frozenset({Safety.SAFE, Safety.UNSAFE})


class Proposals(Struct):
    """What one reading of the estate offers. ``later`` are findings whose edits collide with those of another."""

    attempts: list[Attempt] = field(default_factory=list)
    later: list[Finding] = field(default_factory=list)
    not_fixed: list[NotFixed] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)


def propose(
    seen: Examination,
    kinds: Mapping[str, Concern],
    wanted: Callable[[Finding], bool],
    *,
    unsafe: bool,
    alone: Collection[str],
    choose: Choose | None = None,
) -> Proposals:
    """An attempt for each wanted finding that code can cure, in rank order; the first of two that collide goes first.

    ``kinds`` are the concerns by their ids. ``alone`` names the fingerprints that must be realised without touching
    other resources. ``choose`` may refuse each.
    """
    realiser = Realiser(seen.reading)
    proposals = Proposals()
    taken = _Taken(realiser.body)
    ready: list[Attempt] = []
    for finding in seen.account.findings:
        if not wanted(finding):
            continue
        draft = seen.drafts[finding.fingerprint]
        by_itself = finding.fingerprint in alone
        made = _attempt(kinds[finding.concern], seen, finding, draft, realiser, unsafe=unsafe, alone=by_itself)
        if isinstance(made, NotFixed):
            proposals.not_fixed.append(made)
        elif isinstance(made, Dropped):
            proposals.dropped.append(made)
        else:
            ready.append(made)
    sharing, room = Sharing(seen, kinds, realiser), Room(seen.estate, seen.reading.tree)
    for made in _each_apart(ready, sharing, realiser, proposals):
        if not taken.admits(made):
            proposals.later.append(made.finding)
        elif why := room.refusal(made):
            proposals.not_fixed.append(NotFixed(made.finding, why))
        elif choose is not None and not choose(made.applied(), _changes(seen, made)):
            proposals.not_fixed.append(NotFixed(made.finding, "you chose to leave it"))
        else:
            proposals.attempts.append(made)
    return proposals


def _changes(seen: Examination, attempt: Attempt) -> tuple[Change, ...]:
    """What the attempt alone would change, for people."""
    tree = seen.reading.tree
    held = contents(tree, [attempt])
    return tuple(for_eyes(Change(path, tree.read(path), after)) for path, after in sorted(held.items()))


class _Taken:
    """What the attempts of this round change already, in bytes and in blocks that they make."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._bytes: dict[str, list[Replacement]] = {}
        self._blocks: dict[tuple[int, Route], Edit] = {}
        self._heads: dict[tuple[str, int, bytes], Replacement] = {}

    def admits(self, attempt: Attempt) -> bool:
        """Whether an attempt goes together with those before it; it is counted among them if so."""
        if any(collide([one], self._bytes.get(one.file, ())) for one in attempt.replacements):
            return False
        blocks = {place: edit for edit in attempt.repair.edits if (place := missing(edit, self._body)) is not None}
        if any(place in self._blocks and self._blocks[place] != edit for place, edit in blocks.items()):
            return False
        heads = {(one.file, one.start, _head(one)): one for one in attempt.replacements if one.start == one.end}
        if any(self._heads.get(place, one) != one for place, one in heads.items()):
            return False
        for one in attempt.replacements:
            self._bytes.setdefault(one.file, []).append(one)
        self._blocks.update(blocks)
        self._heads.update(heads)
        return True


def _head(one: Replacement) -> bytes:
    """The first line of what is put in: two that begin alike in one place would make one block twice."""
    return next(iter(one.text.split()), b"")


def _each_apart(
    attempts: Sequence[Attempt], sharing: Sharing, realiser: Realiser, proposals: Proposals
) -> Iterator[Attempt]:
    """The attempts; where others of the same block want another text, or none, each is made for its call alone."""
    forbidden = sharing.among(attempts)
    for one in attempts:
        if one.alone or not forbidden(one):
            yield one
            continue
        try:
            yield replace(one, replacements=realiser.realise(one.repair.edits, alone=True), alone=True)
        except CannotWrite as problem:
            reason = f"the same text makes others, which need it as it is or otherwise: {problem}"
            proposals.not_fixed.append(NotFixed(one.finding, reason, worded(one.repair.edits)))
        except Exception as problem:  # a writer's mistake costs one fix
            proposals.dropped.append(_unwritten(one.finding, one.repair, problem))


def _attempt(
    concern: Concern,
    seen: Examination,
    finding: Finding,
    draft: Draft,
    realiser: Realiser,
    *,
    unsafe: bool,
    alone: bool,
) -> Attempt | NotFixed | Dropped:
    try:
        repair = concern.repair(seen.estate, draft)
    except Exception as problem:  # one concern's mistake costs its own fix only
        return Dropped(finding, concern.title, "repair", f"Shoreup failed to work it out: {type(problem).__name__}")
    if isinstance(repair, NoRepair):
        return NotFixed(finding, repair.reason, sketched(repair, realiser))
    does = effect(seen.estate, seen.places.resources, repair.edits)
    if does.because and repair.fix.safety is Safety.SAFE:
        reason = f"{repair.fix.reason}, but {does.because}"
        repair = replace(repair, fix=replace(repair.fix, safety=Safety.UNSAFE, reason=reason))
    fix = repair.fix
    if fix.safety not in _OFFERED:
        return NotFixed(finding, f"a person has to decide: {fix.title} ({fix.reason})")
    if fix.safety is Safety.UNSAFE and not unsafe:
        return NotFixed(finding, f"unsafe: {fix.reason}; --unsafe makes it")
    if fix.safety is Safety.SAFE and does.impact.order >= Impact.RESTART.order:
        cause = f"it is called safe, but what it changes means: {does.impact.value}"
        return Dropped(finding, fix.title, "impact", cause)
    try:
        replacements = realiser.realise(repair.edits, alone=alone)
    except CannotWrite as problem:
        return NotFixed(finding, str(problem), worded(repair.edits))
    except Exception as problem:  # a writer's mistake costs one fix
        return _unwritten(finding, repair, problem)
    if not replacements:
        return NotFixed(finding, "nothing in the files would change")
    return Attempt(
        finding=finding,
        draft=draft,
        repair=repair,
        impact=does.impact,
        replacements=replacements,
        alone=alone,
        note=does.note,
    )


def _unwritten(finding: Finding, repair: Repair, problem: Exception) -> Dropped:
    return Dropped(finding, repair.fix.title, "write", f"Shoreup failed to write it: {type(problem).__name__}")
