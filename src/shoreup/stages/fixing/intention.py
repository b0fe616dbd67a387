"""Whether the resources changed as asked and nowhere else."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from shoreup.concerns.base import Concern
from shoreup.facts.wiring.config_uptake import is_checksum
from shoreup.model.edit import Add, Become, Edit, FieldEdit, Remove, Rename
from shoreup.model.finding import Draft
from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.model.value import Value, at
from shoreup.stages.auditing.examination import Examination
from shoreup.stages.fixing.attempt import Attempt, Failure, repaired
from shoreup.stages.fixing.expectation import Unexpectable, differences, expected, holds, same
from shoreup.stages.fixing.moved import Moved
from shoreup.stages.fixing.schema import schema_fault
from shoreup.stages.fixing.verdict import Verdict, Writers

_Name = tuple[str, str, str, str, str | None, str, int]
_STRAYS = 20
"""Changes of one resource that nobody asked for, of which more would tell nothing new."""
_VALUES = "ReleaseValues"
"""The merged values of a release: no object, but what its objects are made of."""


class Intention:
    """Compares the resources before and after, and says in ``verdict`` what was not intended."""

    def __init__(
        self,
        before: Examination,
        after: Examination,
        writers: Writers,
        kinds: Mapping[str, Concern],
        verdict: Verdict,
    ) -> None:
        self.before = before
        self.after = after
        self.writers = writers
        self.kinds = kinds
        self.verdict = verdict
        resources = before.places.resources
        self.configured = any(resources[key].kind in ("ConfigMap", "Secret") for key in writers.edits)
        self._by_resource: dict[int, list[Draft]] | None = None

    def check(self) -> None:
        """Hold every resource after the edits against what the edits should make of it."""
        seen = _named(self.after.places.resources)
        moved = Moved(edit for one in self.writers.attempts for edit in one.repair.edits)
        parents = self._above_edited()
        for name, old in _named(self.before.places.resources).items():
            new = seen.pop(name, None)
            if new is None:
                new = seen.pop((name[0], name[1], moved.address(old.address), *name[3:]), None)
            asked = self.writers.edits.get(old.key, [])
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
        for attempt in self.writers.attempts:
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
        beside = [edit.beside for one in self.writers.attempts for edit in one.repair.edits if isinstance(edit, Add)]
        resources = self.before.places.resources
        for key in (*self.writers.edits, *beside):
            parent = resources[key].parent
            while parent >= 0 and parent not in above:
                above.add(parent)
                parent = resources[parent].parent
        above.update(one.key for one in resources if one.kind == _VALUES and one.parent in above)
        return frozenset(above)

    def _stray(self, old: Resource, new: Resource | None, route: Route, cause: str) -> None:
        """A change that nobody asked for: fine where its own fix would have done the same, else somebody's fault."""
        guilty = self.writers.of_field(new.key, route) if new is not None else []
        if not guilty:
            origin = self.before.reading.trace(old.key, ()) if new is not old else None
            files = {origin.span.file} if origin else set()
            guilty = [one for one in self.writers.attempts if files & set(one.files)] or list(self.writers.attempts)
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
        unique = [edit for edit, _ in self.writers.edits.get(old.key, ())]
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
