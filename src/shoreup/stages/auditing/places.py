"""From symbolic places to files and lines, and from findings to fingerprints.

A fingerprint must survive moved lines, renamed files and changed values: it is made of the concern, the object's
identity in Kubernetes, the container and the field; for findings about a file, of the name under which the file came
into the history. Two findings that would share one are told apart by their order.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from hashlib import blake2b

from msgspec import Struct, field

from shoreup.model.finding import Doubt, Draft, Place, Related, ResourceName, Undecided
from shoreup.model.location import Location, Route, Span, locate
from shoreup.model.origin import Origin
from shoreup.model.resource import Resource

Trace = Callable[[int, Route], Origin | None]
Read = Callable[[str], bytes | None]
FirstNames = Callable[[Collection[str]], Mapping[str, str]]
"""Of files that were renamed since they came into the history, the names that they had then."""


def never_renamed(files: Collection[str]) -> Mapping[str, str]:
    """What is known of renames where there is no history."""
    return {}


class Places(Struct):
    """Looks places up; remembers what it has found."""

    resources: list[Resource]
    trace: Trace
    read: Read
    first_names: FirstNames = never_renamed
    _origins: dict[tuple[int, Route], Origin | None] = field(default_factory=dict)

    def span(self, place: Place) -> Span | None:
        """The bytes of a place: of the field, or of the nearest block that holds where it would stand."""
        if place.span is not None:
            return place.span
        if place.resource < 0:
            return None
        route = place.route
        while True:
            origin = self._origin(place.resource, route)
            if origin is not None:
                if place.chars is not None and origin.segments and route == place.route:
                    return origin.narrow(*place.chars)
                return origin.span
            if not route:
                return None
            route = route[:-1]

    def _origin(self, resource: int, route: Route) -> Origin | None:
        """The same field is often a place of several findings."""
        asked = (resource, route)
        if asked not in self._origins:
            self._origins[asked] = self.trace(resource, route)
        return self._origins[asked]

    def location(self, place: Place) -> Location | None:
        """The place for people."""
        span = self.span(place)
        if span is None:
            return None
        content = self.read(span.file)
        return Location(span.file, 1, 1, 1, 1) if content is None else locate(span, content)

    def name(self, place: Place) -> ResourceName | None:
        """How a finding names its resource."""
        if place.resource < 0:
            return None
        resource = self.resources[place.resource]
        return ResourceName(
            root=resource.root,
            address=resource.address,
            kind=resource.kind,
            namespace=resource.namespace or "",
            name=resource.name,
            container=place.container,
        )

    def related(self, draft: Draft) -> tuple[Related, ...]:
        """The places that explain a draft."""
        found: list[Related] = []
        for place, note in draft.related:
            location = self.location(place)
            if location is not None:
                found.append(Related(location.file, location.line, note))
        return tuple(found)

    def undecided(self, doubt: Doubt) -> Undecided:
        """A doubt with its line."""
        location = self.location(doubt.at)
        file, line = (location.file, location.line) if location else ("", 0)
        return Undecided(
            concern=doubt.concern,
            resource=self.name(doubt.at),
            file=file,
            line=line,
            unknown=doubt.unknown,
            reason=doubt.reason,
        )


def identity(draft: Draft, name: ResourceName | None, file: str) -> tuple[str, ...]:
    """What a fingerprint is made of. ``file`` counts only for findings that are about a file: its first name."""
    if draft.whole_estate:
        return (draft.concern, "estate", draft.field)
    if name is None:
        return (draft.concern, "file", file, draft.field)
    return (draft.concern, name.kind, name.namespace, name.name, name.container, draft.field)


def fingerprints(identities: Iterable[tuple[str, ...]]) -> list[str]:
    """A fingerprint for each identity, in order; equal identities get different ones."""
    seen: dict[tuple[str, ...], int] = {}
    result: list[str] = []
    for parts in identities:
        count = seen.get(parts, 0)
        seen[parts] = count + 1
        text = "\0".join((*parts, str(count)) if count else parts)
        result.append(blake2b(text.encode("utf-8", "surrogateescape"), digest_size=10).hexdigest())
    return result
