"""What the checks say of attempts, and whose attempt it was that wrote where something is wrong."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from msgspec import Struct, field

from shoreup.model.edit import Edit, FieldEdit
from shoreup.model.location import Route
from shoreup.stages.auditing.examination import Examination
from shoreup.stages.fixing.attempt import Attempt, Failure
from shoreup.stages.fixing.regions import Regions


class Verdict(Struct):
    """What the checks say. ``failures`` are by attempt; ``suspects`` are groups, one of which did what no bytes tell.

    ``also`` counts, for attempts that hold, the other resources that changed with the same text and were cured with it.
    """

    failures: dict[Attempt, Failure] = field(default_factory=dict)
    suspects: list[tuple[tuple[Attempt, ...], Failure]] = field(default_factory=list)
    also: Counter[Attempt] = field(default_factory=Counter)
    opened: dict[Attempt, set[str]] = field(default_factory=dict)
    """The concerns that came up, and may, by the attempts that open them."""

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


class Writers:
    """The attempts by what they write, in the estate as it is ``after`` them."""

    def __init__(self, attempts: Sequence[Attempt], regions: Regions, after: Examination) -> None:
        self.attempts = attempts
        self.edits: dict[int, list[tuple[Edit, Attempt]]] = defaultdict(list)
        """The edits of fields, by the resources before."""
        for attempt in attempts:
            for edit in attempt.repair.edits:
                if isinstance(edit, FieldEdit):
                    self.edits[edit.resource].append((edit, attempt))
        self._regions = regions
        self._after = after

    def of_file(self, file: str) -> list[Attempt]:
        """Who writes into a file; all where nobody does."""
        return [one for one in self.attempts if file in one.files] or list(self.attempts)

    def of_field(self, key: int, route: Route) -> list[Attempt]:
        """Who wrote the bytes that a field of the reading after comes from, or those of the nearest block around."""
        while True:
            origin = self._after.reading.trace(key, route)
            if origin is not None:
                spans = [origin.span, *(one.span for one in origin.segments if one.span)]
                found = self._regions.attempts(spans)
                if found or not route:
                    return found
            if not route:
                return []
            route = route[:-1]
