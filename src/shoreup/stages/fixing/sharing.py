"""Blocks that several resources are made of: calls of one module, instances of ``for_each``, overlays of one base.

What changes such a block changes all of them. That is right where each of them has the same trouble and wants the same
text; it is seen here without reading the estate again. What is shared in other ways (a variable's default, a local) is
left to the checks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence, Set
from contextlib import suppress

from shoreup.concerns.base import Concern
from shoreup.formats.edits import Replacement
from shoreup.model.edit import Add, FieldEdit
from shoreup.model.finding import Draft
from shoreup.model.location import Span
from shoreup.stages.auditing.examination import Examination
from shoreup.stages.fixing.attempt import Attempt, repaired
from shoreup.stages.fixing.realising import Realiser


class Sharing:
    """Who is made of the same block, over one reading of the estate."""

    def __init__(self, seen: Examination, kinds: Mapping[str, Concern], realiser: Realiser) -> None:
        self._seen = seen
        self._kinds = kinds
        self._realiser = realiser
        self._spans: dict[int, Span | None] = {}
        self._texts: dict[int, tuple[Replacement, ...]] = {}
        """What cures a draft, by its identity; nothing where no edit does."""
        self._groups: dict[Span, list[int]] = defaultdict(list)
        self._drafts: dict[tuple[str, int], list[Draft]] = defaultdict(list)
        for draft in seen.drafts.values():  # also those that the owner does not hear of: the same text cures them
            self._drafts[(draft.concern, draft.at.resource)].append(draft)
        for one in seen.places.resources:
            span = self._span(one.key)
            if span is not None:
                self._groups[span].append(one.key)

    def among(self, attempts: Sequence[Attempt]) -> Callable[[Attempt], bool]:
        """Whether one of the attempts would change a resource beside its own that does not want the same."""
        wanting: dict[tuple[Replacement, ...], set[int]] = defaultdict(set)
        for one in attempts:
            wanting[one.replacements] |= _keys(one)
            if not one.alone:
                self._texts[id(one.draft)] = one.replacements
        return lambda attempt: self._forbids(attempt, wanting[attempt.replacements])

    def _forbids(self, attempt: Attempt, wanting: Set[int]) -> bool:
        mine = _keys(attempt)
        return any(
            key not in wanting and not self._wants(key, attempt)
            for own in mine
            if self._inside(own, attempt)
            for key in self._others(own)
        )

    def _span(self, key: int) -> Span | None:
        if key not in self._spans:
            origin = self._seen.reading.trace(key, ())
            self._spans[key] = origin.span if origin is not None else None
        return self._spans[key]

    def _others(self, key: int) -> Sequence[int]:
        span = self._span(key)
        return [one for one in self._groups[span] if one != key] if span is not None else ()

    def _inside(self, key: int, attempt: Attempt) -> bool:
        """Whether the attempt's bytes lie in the block of the resource, or make another one beside it."""
        span = self._span(key)
        if span is None:
            return False
        if any(isinstance(edit, Add) and edit.beside == key for edit in attempt.repair.edits):
            return True
        return any(
            one.file == span.file and span.start <= one.start and one.end <= span.end for one in attempt.replacements
        )

    def _wants(self, key: int, attempt: Attempt) -> bool:
        drafts = self._drafts.get((attempt.finding.concern, key), ())
        return any(self._text(draft) == attempt.replacements for draft in drafts)

    def _text(self, draft: Draft) -> tuple[Replacement, ...]:
        if id(draft) not in self._texts:
            self._texts[id(draft)] = ()
            repair = repaired(self._kinds[draft.concern], self._seen.estate, draft)
            if repair is not None:
                with suppress(Exception):  # a writer's mistake is said where its own finding is looked at
                    self._texts[id(draft)] = self._realiser.realise(repair.edits)
        return self._texts[id(draft)]


def _keys(attempt: Attempt) -> frozenset[int]:
    """The resources that an attempt is about."""
    edits = attempt.repair.edits
    return frozenset(one.beside if isinstance(one, Add) else one.resource for one in edits if isinstance(one, _OF_ONE))


_OF_ONE = FieldEdit | Add
