"""Writing into a document of YAML, wherever its text stands: a file, a heredoc, a key of a ConfigMap.

What the document says is asked by routes of its own; which bytes of which file that is, the origin of its text tells.
"""

from __future__ import annotations

from collections.abc import Callable

from shoreup.formats.edits import CannotWrite, Replacement
from shoreup.formats.files import Reader
from shoreup.formats.yaml.changes import Change
from shoreup.formats.yaml.inside import written_inside
from shoreup.formats.yaml.writing import Page
from shoreup.model.location import Route
from shoreup.model.origin import Origin
from shoreup.model.value import Value, at
from shoreup.sources.editing import Like, Names

Spoken = dict[Route, str]
_Write = Callable[..., tuple[Change, ...]]
"""``Page.put`` or ``Page.append``."""


class PageEditor:
    """Edits of one document. ``prefix`` leads to what the routes begin at; ``outer`` finds the origin of its text."""

    __slots__ = ("_outer", "_page", "_prefix")

    def __init__(self, page: Callable[[], Page], outer: Callable[[], Origin | None], prefix: Route = ()) -> None:
        self._page = page
        self._outer = outer
        self._prefix = prefix

    def put(
        self, route: Route, value: Value, read: Reader, *, like: Like = (), alone: bool = False
    ) -> tuple[Replacement, ...]:
        """As :meth:`shoreup.sources.editing.Editor.put`."""
        return self._written(Page.put, route, value, read, like=like, alone=alone)

    def append(
        self, route: Route, value: Value, read: Reader, *, like: Like = (), alone: bool = False
    ) -> tuple[Replacement, ...]:
        """As :meth:`shoreup.sources.editing.Editor.append`."""
        return self._written(Page.append, route, value, read, like=like, alone=alone)

    def insert(self, route: Route, value: Value, read: Reader) -> tuple[Replacement, ...]:
        """Put an item into a list, before the one that stands at ``route``."""
        page = self._page()
        return self._made(page, page.insert((*self._prefix, *route), value), read)

    def remove(self, route: Route, read: Reader, *, alone: bool = False) -> tuple[Replacement, ...]:
        """As :meth:`shoreup.sources.editing.Editor.remove`."""
        page = self._page()
        return self._made(page, page.remove((*self._prefix, *route), alone=alone), read)

    def rename(self, route: Route, name: str, inside: Names, read: Reader) -> tuple[Replacement, ...]:
        """As :meth:`shoreup.sources.editing.Renamer.rename`."""
        page = self._page()
        whole = (*self._prefix, *route)
        held = at(page.document.value, *whole)
        names: dict[Route, str] = {whole: name}
        for old, new in inside:
            if isinstance(held, dict) and old in held:
                names[(*whole, old)] = new
        return self._made(page, page.rename(names, {}), read)

    def become(self, kind: str, names: Names, read: Reader) -> tuple[Replacement, ...]:
        """As :meth:`shoreup.sources.editing.Renamer.become`."""
        page = self._page()
        held = at(page.document.value, *self._prefix)
        there = {(*self._prefix, old): new for old, new in names if isinstance(held, dict) and old in held}
        # A name that another field gives up is free by then: the last goes first.
        return self._made(page, page.rename(there, {(*self._prefix, "kind"): kind}), read)

    def _written(
        self, write: _Write, route: Route, value: Value, read: Reader, *, like: Like, alone: bool
    ) -> tuple[Replacement, ...]:
        page, whole = self._page(), (*self._prefix, *route)
        spoken = self._spoken(page, like)
        if spoken:
            try:
                return self._made(page, write(page, whole, value, spoken=spoken, alone=alone), read)
            except CannotWrite:
                pass  # an anchor that stands further down cannot be named
        return self._made(page, write(page, whole, value, alone=alone), read)

    def _spoken(self, page: Page, like: Like) -> Spoken:
        found = ((inside, page.alias_of((*self._prefix, *field))) for inside, field in like)
        return {inside: alias for inside, alias in found if alias is not None}

    def _made(self, page: Page, changes: tuple[Change, ...], read: Reader) -> tuple[Replacement, ...]:
        outer = self._outer()
        if outer is None:
            raise CannotWrite("the text stands in no file")
        return written_inside(changes, outer, page.text, read)
