"""Whether edits did what they should and nothing else, seen by reading the edited estate again; and whose fault not.

Before anything is written, four questions: does every file still read as well as before, did the resources change as
asked and nowhere else, is the finding gone, and did no other one come. Each failure is laid at the door of the attempts
whose bytes it stands in; where that cannot be told, of every attempt that could have done it, and the caller tries
them apart.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct, field

from shoreup.concerns.base import Concern
from shoreup.facts.config_uptake import is_checksum
from shoreup.model.edit import Add, Become, Edit, FieldEdit, Remove, Rename
from shoreup.model.finding import Draft, Finding
from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.model.value import Value, at
from shoreup.stages.examination import Examination
from shoreup.stages.fixing.attempt import Attempt, Failure, repaired
from shoreup.stages.fixing.expectation import Unexpectable, differences, expected, holds, same
from shoreup.stages.fixing.moved import Moved
from shoreup.stages.fixing.regions import Regions, by_file
from shoreup.stages.fixing.remarks import remarks
from shoreup.stages.fixing.schema import schema_fault
from shoreup.stages.places import identity

_Name = tuple[str, str, str, str, str | None, str, int]
_Kind = tuple[str, ...]
_STRAYS = 20
"""Changes of one resource that nobody asked for, of which more would tell nothing new."""
_OF_WHOLE_FILES = frozenset({"module-oversized"})
"""Concerns that no line of a file has, so that they do not move with lines."""
_MADE_UNTRUE = frozenset({"comment-contradicted"})
"""Concerns about words that a cure makes untrue ("no probe yet"); the next round takes the words away."""
_COMMENT_SIGNS = (b"#", b"//", b"/*")
_VALUES = "ReleaseValues"
"""The merged values of a release: no object, but what its objects are made of."""


class Verdict(Struct):
    """What the checks say. ``failures`` are by attempt; ``suspects`` are groups, one of which did what no bytes tell.

    ``also`` counts, for attempts that hold, the other resources that changed with the same text and were cured with it.
    """

    failures: dict[Attempt, Failure] = field(default_factory=dict)
    suspects: list[tuple[tuple[Attempt, ...], Failure]] = field(default_factory=list)
    also: Counter[Attempt] = field(default_factory=Counter)

    @property
    def holds(self) -> bool:
        """Whether every attempt passed every check."""
        return not self.failures and not self.suspects

    def blame(self, attempts: Sequence[Attempt], failure: Failure) -> None:
        """Lay a failure at the door of one attempt, or of several that write the same; make suspects of others."""
        if len({one.replacements for one in attempts}) > 1:
            self.suspects.append((tuple(attempts), failure))
            return
        for one in attempts:
            self.failures.setdefault(one, failure)


def check(
    before: Examination,
    after: Examination,
    attempts: Sequence[Attempt],
    regions: Regions,
    kinds: Mapping[str, Concern],
    wanted: Callable[[Finding], bool],
) -> Verdict:
    """Compare the estate before and after the attempts.

    ``kinds`` are the concerns by their ids; a ``wanted`` finding is looked at in the next round.
    """
    return _Check(before, after, attempts, regions, kinds, wanted).run()


class _Check:
    def __init__(
        self,
        before: Examination,
        after: Examination,
        attempts: Sequence[Attempt],
        regions: Regions,
        kinds: Mapping[str, Concern],
        wanted: Callable[[Finding], bool],
    ) -> None:
        self.wanted = wanted
        self.before = before
        self.after = after
        self.attempts = attempts
        self.regions = regions
        self.verdict = Verdict()
        self.edits: dict[int, list[tuple[Edit, Attempt]]] = defaultdict(list)
        for attempt in attempts:
            for edit in attempt.repair.edits:
                if isinstance(edit, FieldEdit):
                    self.edits[edit.resource].append((edit, attempt))
        resources = before.places.resources
        self.configured = any(resources[key].kind in ("ConfigMap", "Secret") for key in self.edits)
        self.kinds = kinds
        self._by_resource: dict[int, list[Draft]] | None = None
        self.counts = (_counted(before), _counted(after))

    def run(self) -> Verdict:
        self._read()
        self._remarked()
        self._intended()
        self._gone()
        self._nothing_new()
        return self.verdict

    # Does it read as well as before?

    def _read(self) -> None:
        known = Counter((one.file, one.cause) for one in self.before.account.errors)
        for problem in self.after.account.errors:
            if known[(problem.file, problem.cause)] > 0:
                known[(problem.file, problem.cause)] -= 1
                continue
            line = f":{problem.line}" if problem.line else ""
            cause = f"{problem.file}{line} would not read as before: {problem.cause}"
            self.verdict.blame(self._writers(problem.file), Failure("read", cause))

    def _remarked(self) -> None:
        """No comment goes but those that a fix says it takes away; it may go to another file of the same fix."""
        for file, ones in by_file(self.attempts).items():
            old = self.before.reading.tree.read(file) or b""
            if not any(sign in old[one.start : one.end] for one in ones for sign in _COMMENT_SIGNS):
                continue
            if self._comments_gone(file) <= 0:
                continue
            writers = self._writers(file)
            together = {path for one in writers for path in one.files}
            near = [one for one in self.attempts if together & set(one.files)]
            gone = sum(map(self._comments_gone, together))
            if gone > sum(one.repair.loses_comments for one in near):
                self.verdict.blame(writers, Failure("read", f"{file} would lose {gone} comments"))

    def _comments_gone(self, file: str) -> int:
        old, new = self.before.reading.tree.read(file) or b"", self.after.reading.tree.read(file) or b""
        return remarks(file, old) - remarks(file, new)

    # Did the resources change as asked and nowhere else?

    def _intended(self) -> None:
        seen = _named(self.after.places.resources)
        moved = Moved(edit for one in self.attempts for edit in one.repair.edits)
        parents = self._above_edited()
        for name, old in _named(self.before.places.resources).items():
            new = seen.pop(name, None)
            if new is None:
                new = seen.pop((name[0], name[1], moved.address(old.address), *name[3:]), None)
            asked = self.edits.get(old.key, [])
            if any(isinstance(edit, Remove) and not edit.route for edit, _ in asked):
                if new is not None:
                    self._failed(asked, Failure("intended", f"{old.address} would still be there"))
                continue
            if new is None and any(isinstance(edit, Become) for edit, _ in asked):
                self._became(old, asked, seen)
                continue
            if new is None:
                self._stray(old, None, (), f"{old.address} would vanish")
                continue
            if new.body is old.body:
                continue
            self._compare(old, new, asked, parents)
        self._added(seen)

    def _became(self, old: Resource, asked: Sequence[tuple[Edit, Attempt]], seen: dict[_Name, Resource]) -> None:
        """An object that is of another kind now: it has to be there, with all that it held."""
        try:
            wanted = expected(old.body, _unique(asked))
        except Unexpectable:
            self._failed(asked, Failure("intended", f"what {old.address} should become could not be worked out"))
            return
        for name, new in seen.items():
            if new.kind == wanted.get("kind") and new.root == old.root and same(wanted, dict(new.body)):
                del seen[name]
                fault = schema_fault(old.body, new.body)
                if fault:
                    self._failed(asked, Failure("schema", f"{new.address}: {fault}"))
                return
        self._failed(asked, Failure("intended", f"{old.address} would not be read back as a {wanted.get('kind')}"))

    def _compare(
        self, old: Resource, new: Resource, asked: Sequence[tuple[Edit, Attempt]], parents: frozenset[int]
    ) -> None:
        try:
            wanted = expected(old.body, _unique(asked)) if asked else dict(old.body)
        except Unexpectable:
            self._failed(asked, Failure("intended", f"what {old.address} should become could not be worked out"))
            return
        strays = [] if old.key in parents else [*self._strays(wanted, dict(new.body))]
        for stray in strays[:_STRAYS]:
            shown = ".".join(map(str, stray)) or "it"
            own = [(edit, attempt) for edit, attempt in asked if _near(edit, stray)]
            if own:
                self._failed(own, Failure("intended", f"{shown} of {old.address} would not be as asked"))
            else:
                self._stray(old, new, stray, f"{shown} of {old.address} would change too")
        if asked and not strays:
            fault = schema_fault(old.body, new.body)
            if fault:
                self._failed(asked, Failure("schema", f"{old.address}: {fault}"))

    def _strays(self, wanted: Mapping[str, Value], seen: Mapping[str, Value]) -> Iterator[Route]:
        """Where an object is not as asked; a hash of a ConfigMap follows what that says."""
        for route in differences(dict(wanted), dict(seen)):
            if not (self.configured and is_checksum(route, at(dict(wanted), *route), at(dict(seen), *route))):
                yield route

    def _added(self, extra: Mapping[_Name, Resource]) -> None:
        left = list(extra.values())
        for attempt in self.attempts:
            for edit in attempt.repair.edits:
                if not isinstance(edit, Add):
                    continue
                mine = next((one for one in left if holds(dict(one.body), dict(edit.body))), None)
                if mine is None and not any(holds(dict(one.body), dict(edit.body)) for one in extra.values()):
                    name = f"{edit.body.get('kind')}"
                    self.verdict.blame(
                        [attempt], Failure("intended", f"the new {name} would not be read back as asked")
                    )
                    continue
                if mine is not None:
                    left.remove(mine)
                    fault = schema_fault(None, mine.body)
                    if fault:
                        self.verdict.blame([attempt], Failure("schema", f"{mine.address}: {fault}"))
        added = {one.key for one in extra.values()} - {one.key for one in left}
        for one in left:
            if one.parent in added:
                continue
            self._stray(one, one, (), f"{one.address} would appear")

    def _above_edited(self) -> frozenset[int]:
        """Releases and the like whose values are what was really written."""
        above: set[int] = set()
        beside = [edit.beside for one in self.attempts for edit in one.repair.edits if isinstance(edit, Add)]
        resources = self.before.places.resources
        for key in (*self.edits, *beside):
            parent = resources[key].parent
            while parent >= 0 and parent not in above:
                above.add(parent)
                parent = resources[parent].parent
        above.update(one.key for one in resources if one.kind == _VALUES and one.parent in above)
        return frozenset(above)

    def _stray(self, old: Resource, new: Resource | None, route: Route, cause: str) -> None:
        """A change that nobody asked for: fine where its own fix would have done the same, else somebody's fault."""
        guilty = self._by_bytes(new.key, route) if new is not None else []
        if not guilty:
            origin = self.before.reading.trace(old.key, ()) if new is not old else None
            files = {origin.span.file} if origin else set()
            guilty = [one for one in self.attempts if files & set(one.files)] or list(self.attempts)
        if new is not None and new is not old and self._wished(old, new, guilty):
            self.verdict.also.update(guilty)
        else:
            own = all(any(edit.resource == old.key for edit in _fields(one)) for one in guilty)
            self.verdict.blame(guilty, Failure("intended", cause, shared=not own))

    def _wished(self, old: Resource, new: Resource, guilty: Sequence[Attempt]) -> bool:
        """Whether the resource has findings of the same concerns, whose own fixes make of it what it has become."""
        edits: list[Edit] = []
        for concern in dict.fromkeys(one.finding.concern for one in guilty):
            drafts = [draft for draft in self._drafts(old.key) if draft.concern == concern]
            repairs = [repaired(self.kinds[concern], self.before.estate, draft) for draft in drafts]
            mine = [edit for one in repairs if one is not None for edit in one.edits]
            if not mine:
                return False
            edits += mine
        unique = [edit for edit, _ in self.edits.get(old.key, ())]
        unique += [one for one in edits if isinstance(one, FieldEdit) and one.resource == old.key and one not in unique]
        try:
            return same(expected(old.body, unique), dict(new.body))
        except Unexpectable:
            return False

    def _drafts(self, key: int) -> Sequence[Draft]:
        if self._by_resource is None:
            self._by_resource = defaultdict(list)
            for draft in self.before.drafts.values():
                self._by_resource[draft.at.resource].append(draft)
        return self._by_resource.get(key, ())

    def _by_bytes(self, key: int, route: Route) -> list[Attempt]:
        while True:
            origin = self.after.reading.trace(key, route)
            if origin is not None:
                spans = [origin.span, *(one.span for one in origin.segments if one.span)]
                found = self.regions.attempts(spans)
                if found or not route:
                    return found
            if not route:
                return []
            route = route[:-1]

    # Is the finding gone, and did no other come?

    def _gone(self) -> None:
        before, after = self.counts
        mine: dict[_Kind, list[Attempt]] = defaultdict(list)
        for attempt in self.attempts:
            mine[kind_of(attempt.finding, self.before)].append(attempt)
        for kind, attempts in mine.items():
            if after[kind] > before[kind] - len(attempts):
                self.verdict.blame(attempts, Failure("gone", "the finding would still be there"))

    def _nothing_new(self) -> None:
        before, after = self.counts
        moved = Moved(edit for one in self.attempts for edit in one.repair.edits).files
        for finding in self.after.account.findings:
            kind = kind_of(finding, self.after)
            if after[kind] <= before[kind]:
                continue
            there = (*kind[:2], moved.get(kind[2], ""), *kind[3:])
            if kind[1] == "file" and after[there] < before[there] and finding.concern not in _OF_WHOLE_FILES:
                continue
            if self._goes_next(finding):
                continue
            guilty = self._of_finding(finding, self.after.drafts[finding.fingerprint].at.resource)
            guilty = [one for one in guilty if finding.concern not in one.repair.opens]
            if guilty:
                where = finding.resource.address if finding.resource else finding.file
                cause = f"{finding.concern} would come up at {where}"
                self.verdict.blame(guilty, Failure("new", cause))

    def _goes_next(self, finding: Finding) -> bool:
        """Whether words that a cure makes untrue go in the next round; those that say more are their author's."""
        if finding.concern not in _MADE_UNTRUE or not self.wanted(finding):
            return False
        draft = self.after.drafts[finding.fingerprint]
        return repaired(self.kinds[finding.concern], self.after.estate, draft) is not None

    def _of_finding(self, finding: Finding, key: int) -> list[Attempt]:
        if finding.resource is not None:
            for one, edits in self.edits.items():
                old = self.before.places.resources[one]
                if _whose(old) == (finding.resource.kind, finding.resource.namespace, finding.resource.name):
                    return list(dict.fromkeys(attempt for _, attempt in edits))
            if key >= 0:
                found = self._by_bytes(key, self.after.drafts[finding.fingerprint].at.route)
                if found:
                    return found
        return self._writers(finding.file)

    def _writers(self, file: str) -> list[Attempt]:
        return [one for one in self.attempts if file in one.files] or list(self.attempts)

    def _failed(self, asked: Sequence[tuple[Edit, Attempt]], failure: Failure) -> None:
        self.verdict.blame(list(dict.fromkeys(attempt for _, attempt in asked)), failure)


def _unique(asked: Sequence[tuple[Edit, Attempt]]) -> list[Edit]:
    """Each edit once, however many ask for it."""
    made: list[Edit] = []
    for edit, _ in asked:
        if edit not in made:
            made.append(edit)
    return made


def _fields(attempt: Attempt) -> list[FieldEdit]:
    return [one for one in attempt.repair.edits if isinstance(one, FieldEdit)]


def _near(edit: Edit, stray: Route) -> bool:
    if not isinstance(edit, FieldEdit) or isinstance(edit, Become):
        return False
    if isinstance(edit, Rename) and edit.route[:-1] == stray[: len(edit.route) - 1]:
        return True
    return edit.route[: len(stray)] == stray[: len(edit.route)]


def _named(resources: Sequence[Resource]) -> dict[_Name, Resource]:
    """Resources by what stays the same when files are edited; equal ones are told apart by their order."""
    found: dict[_Name, Resource] = {}
    counts: Counter[tuple[str, str, str, str, str | None, str]] = Counter()
    for one in resources:
        name = (one.source, one.root, one.address, one.kind, one.namespace, one.name)
        found[(*name, counts[name])] = one
        counts[name] += 1
    return found


def _whose(resource: Resource) -> tuple[str, str, str]:
    return resource.kind, resource.namespace or "", resource.name


def kind_of(finding: Finding, seen: Examination) -> _Kind:
    """What a finding's fingerprint is made of, in an examination."""
    return identity(seen.drafts[finding.fingerprint], finding.resource, finding.file)


def _counted(seen: Examination) -> Counter[_Kind]:
    return Counter(
        identity(seen.drafts[one.fingerprint], one.resource, one.file)
        for one in seen.account.findings
        if one.fingerprint in seen.drafts
    )


def by_concern(attempts: Sequence[Attempt]) -> Iterator[tuple[str, list[Attempt]]]:
    """The attempts of each concern, in the order in which concerns first appear."""
    groups: dict[str, list[Attempt]] = {}
    for one in attempts:
        groups.setdefault(one.finding.concern, []).append(one)
    yield from groups.items()
