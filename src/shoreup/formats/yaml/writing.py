"""Edits of YAML as changes of its characters: what is not changed stays as it is, to the character.

A value is put, appended or removed by its route; the text around it says in which manner. Every change is read again
before it is given: the document must then hold exactly what was asked for, and the other documents what they held.
"""

from __future__ import annotations

from collections.abc import Mapping

from shoreup.formats.edits import CannotWrite
from shoreup.formats.yaml.changes import Change, changed, merged
from shoreup.formats.yaml.layout import layout
from shoreup.formats.yaml.rendering import Manner, Renderer, manner_of
from shoreup.formats.yaml.stream import Document, Stream, load, load_json
from shoreup.formats.yaml.wanted import called, named, placed, refuse_unknown, removed, same
from shoreup.formats.yaml.writer import Writer
from shoreup.model.location import Route
from shoreup.model.value import Value, at

NEIGHBOURS = 3
"""Documents before and behind one that are asked in which manner it is written."""


class Page:
    """One document of a text, to write into.

    ``words`` is as in :func:`load`. ``spoken`` gives the texts to write instead of values at routes inside of a new
    value. ``alone`` refuses changes of what aliases elsewhere stand for. All methods give changes of the whole text
    and raise :class:`CannotWrite`.
    """

    def __init__(self, text: str, index: int = 0, *, words: bool = True, is_json: bool = False) -> None:
        self.text, self.index, self.words, self.is_json = text, index, words, is_json
        self.stream = self._load(text)
        if index >= len(self.stream.documents):
            raise CannotWrite("the text is not read as YAML")
        self.document: Document = self.stream.documents[index]
        if self.document.encrypted:
            raise CannotWrite("the document is encrypted with sops")
        self.top = layout(text, self.document.start, self.document.end, words=words)
        around = self.stream.documents[max(index - NEIGHBOURS, 0) : index + NEIGHBOURS + 1]
        tops = [self.top if one is self.document else layout(text, one.start, one.end, words=words) for one in around]
        self.manner = manner_of(text, [top for top in tops if top is not None], is_json=is_json)

    def put(
        self, route: Route, value: Value, *, spoken: Mapping[Route, str] | None = None, alone: bool = False
    ) -> tuple[Change, ...]:
        """Give the value at ``route``; what leads to it is made where it is missing."""
        expected = placed(self.document.value, route, value)
        writer = self._writer(alone, spoken)
        changes = writer.put(route, value)
        for other in writer.ways.entered:
            expected = placed(expected, other, value)
        return self._checked(changes, expected, writer.ways.shared, loosely=bool(spoken))

    def append(
        self, route: Route, value: Value, *, spoken: Mapping[Route, str] | None = None, alone: bool = False
    ) -> tuple[Change, ...]:
        """Add an item to the list at ``route``, which is made where it is missing."""
        there = at(self.document.value, *route)
        if there is not None and not isinstance(there, list):
            raise CannotWrite(f"{named(route)} is no list")
        inner = {(0, *key): text for key, text in (spoken or {}).items()} if not there else spoken
        if not there:
            return self.put(route, [value], spoken=inner, alone=alone)
        return self.put((*route, len(there)), value, spoken=inner, alone=alone)

    def insert(self, route: Route, value: Value) -> tuple[Change, ...]:
        """Put an item into a list, before the one that stands at ``route`` now."""
        index = route[-1]
        there = at(self.document.value, *route[:-1])
        if not isinstance(there, list) or not isinstance(index, int) or not 0 <= index <= len(there):
            raise CannotWrite(f"there is no place for {named(route)}")
        if index == len(there):
            return self.put(route, value)
        expected = placed(self.document.value, route[:-1], [*there[:index], value, *there[index:]])
        writer = self._writer(True)
        return self._checked(writer.insert(route, value), expected, writer.ways.shared)

    def alias_of(self, route: Route) -> str | None:
        """The alias by which the scalar at ``route`` can be named further down, where its owner gave it an anchor."""
        node = self.top
        for step in route:
            if node is None or node.kind == "alias":
                return None
            if isinstance(step, str):
                node = next((value for key, value in reversed(node.entries) if key.name == step), None)
            else:
                node = node.items[step] if 0 <= step < len(node.items) else None
        if node is None:
            return None
        name = node.alias or (node.anchor if node.kind == "scalar" else "")
        return f"*{name}" if name and (node.target is None or node.target.kind == "scalar") else None

    def remove(self, route: Route, *, alone: bool = False) -> tuple[Change, ...]:
        """Take away the key or item at ``route``, with the comments that belong to it alone."""
        if not route:
            raise CannotWrite("a whole document is not taken away")
        expected = removed(self.document.value, route)
        writer = self._writer(alone)
        changes = writer.remove(route)
        for other in writer.ways.entered:
            expected = removed(expected, other)
        return self._checked(changes, expected, writer.ways.shared)

    def rename(self, names: Mapping[Route, str], values: Mapping[Route, str]) -> tuple[Change, ...]:
        """Call the keys at these routes otherwise, and give texts; all routes are those of the document as it is."""
        expected = self.document.value
        changes: list[Change] = []
        shared = ""
        for route, value in values.items():
            writer = self._writer(False)
            changes += writer.put(route, value)
            expected, shared = placed(expected, route, value), shared or writer.ways.shared
        for route in sorted(names, key=len, reverse=True):
            writer = self._writer(False)
            changes.append(writer.rename(route, names[route]))
            for each in (route, *writer.ways.entered):
                expected = called(expected, each, names[route])
            shared = shared or writer.ways.shared
        return self._checked(changes, expected, shared)

    def _writer(self, alone: bool, spoken: Mapping[Route, str] | None = None) -> Writer:
        return Writer(self.text, self.top, self.document, self.manner, spoken or {}, alone)

    def _load(self, text: str) -> Stream:
        return load_json(text) if self.is_json else load(text, words=self.words)

    def _checked(
        self, changes: list[Change], expected: Value, shared: str, *, loosely: bool = False
    ) -> tuple[Change, ...]:
        made = merged(changes)
        after = self._load(changed(self.text, made))
        if len(after.problems) > len(self.stream.problems) or len(after.documents) != len(self.stream.documents):
            raise CannotWrite("the text would not be YAML any more; its layout is not understood")
        for number, (old, new) in enumerate(zip(self.stream.documents, after.documents, strict=True)):
            wanted = expected if number == self.index else old.value
            if not (new.value == wanted if loosely else same(new.value, wanted)):
                raise CannotWrite(
                    shared or "more would change than what was asked for; the layout of the text is not understood"
                )
        return tuple(made)


def appended_document(text: str, body: Value) -> Change:
    """A new document behind the others of a text."""
    page = Page(text)
    renderer = Renderer(page.manner)
    newline = page.manner.newline
    written = renderer.after(body, -page.manner.step).lstrip("\r\n")
    last = page.stream.documents[-1]
    tail = text[last.end :].strip()
    end = len(text)
    lead = "" if not text or text.endswith("\n") else newline
    if tail not in ("", "...", "---") and not all(line.startswith("#") for line in tail.splitlines() if line.strip()):
        raise CannotWrite("what stands behind the last document is not understood")
    mark = "" if tail == "---" else f"---{newline}"
    change = Change(end, end, f"{lead}{mark}{written}{newline if text.endswith(chr(10)) or not text else ''}")
    after = load(changed(text, [change]))
    if after.problems or [one.value for one in after.documents[:-1]] != [one.value for one in page.stream.documents]:
        raise CannotWrite("a document cannot be put behind the others; the layout of the text is not understood")
    if after.documents[-1].value != body:
        raise CannotWrite("the new document would not be read as it was meant")
    return change


def new_document(body: Value, like: Manner | None = None, *, marked: bool = False) -> str:
    """A whole text with one document; ``marked`` begins it with ``---``."""
    manner = like or Manner()
    refuse_unknown(body)
    if manner.json:
        return Renderer(manner).json_lines(body, "", " " * manner.step) + manner.newline
    written = Renderer(manner).after(body, -manner.step).lstrip("\r\n")
    return (f"---{manner.newline}" if marked else "") + written + manner.newline
