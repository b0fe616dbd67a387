"""From what a fix asks for to bytes in files: by the origin where the value stands already, by the source elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from shoreup.formats.edits import CannotWrite, Replacement, collide, reconciled
from shoreup.formats.erasing import erased
from shoreup.formats.spelling import substituted
from shoreup.model.edit import (
    Add,
    Append,
    Become,
    Edit,
    Enclose,
    Erase,
    FieldEdit,
    Move,
    Put,
    Remove,
    Rename,
    Rewrite,
    Substitute,
)
from shoreup.model.location import Route
from shoreup.model.origin import Origin
from shoreup.model.value import Value, at
from shoreup.sources.editing import Editor, Renamer, Switcher
from shoreup.stages.auditing.reading import Reading
from shoreup.stages.fixing.carrying import carried
from shoreup.stages.fixing.expectation import Unexpectable, expected
from shoreup.stages.fixing.merging import merged
from shoreup.stages.fixing.relocation import relocated

_GENERATED = re.compile(
    rb"^[ \t]*(?:#|//|/\*|<!--)?[ \t]*(?:code |this file (?:is|was) |file |auto-?)?generated\b[^\n]*(?:do not edit)?"
    rb"|^[^\n]{0,80}\bdo not edit\b",
    re.IGNORECASE | re.MULTILINE,
)
_HEAD = 600
"""Bytes at the top of a file in which a generator leaves its mark."""


class Realiser:
    """Turns edits into replacements, over one reading of the estate."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._read = reading.tree.read
        self._added: list[tuple[Add, tuple[Replacement, ...]]] = []

    def realise(self, edits: Sequence[Edit], *, alone: bool = False) -> tuple[Replacement, ...]:
        """The bytes that make the edits. Raises :class:`CannotWrite`, also for files that are not the owner's to edit.

        ``alone`` as in :class:`Editor`. What cannot be written may be there for others, and is asked for as they do.
        """
        try:
            return self._realised(edits, alone)
        except CannotWrite:
            made = self._switched(edits)
            if made:
                return made
            raise

    def _switched(self, edits: Sequence[Edit]) -> tuple[Replacement, ...]:
        """The edits by what the code does for others already; nothing where it does not."""
        fields = [one for one in edits if isinstance(one, FieldEdit)]
        more = [one.body for one in edits if isinstance(one, Add)]
        key = fields[0].resource if fields else -1
        editor: object = self._reading.found[key].tracer if fields else None
        if not isinstance(editor, Switcher) or len(fields) + len(more) < len(edits):
            return ()
        if any(one.resource != key for one in fields):
            return ()
        try:
            made = tuple(map(self._real, editor.switch(expected(self.body(key), fields), more, self._read)))
            for file in sorted({one.file for one in made}):
                self._refuse(file)
        except (CannotWrite, Unexpectable):
            return ()
        return made

    def _realised(self, edits: Sequence[Edit], alone: bool) -> tuple[Replacement, ...]:
        each = [(edit, tuple(map(self._real, self._one(edit, alone)))) for edit in merged(edits, self.body)]
        made = carried(each, self._read)
        moves = [one for one in edits if isinstance(one, Move)]
        modules = [one for one in edits if isinstance(one, Enclose)]
        made += [self._real(one) for one in relocated(moves, modules, self._reading.tree)]
        for file in sorted({one.file for one in made}):
            self._refuse(file)
        settled = reconciled(made, self._read)
        if any(collide([one], settled) for one in settled):
            raise CannotWrite("its edits stand too close together to be made at once")
        return settled

    def body(self, key: int) -> Mapping[str, Value]:
        """A resource's object."""
        return self._reading.found[key].resource.body

    def _real(self, one: Replacement) -> Replacement:
        path = self._reading.tree.real(one.file)
        return one if path == one.file else Replacement(path, one.start, one.end, one.text)

    def _refuse(self, path: str) -> None:
        content = self._read(path)
        if content is None:
            if path in self._reading.tree:
                raise CannotWrite(f"{path} cannot be read, so it is not written either")
            return
        first = content[:_HEAD]
        lines = b"\n".join(
            line for line in first.split(b"\n")[:8] if line.lstrip()[:2] in (b"//", b"/*") or b"#" in line[:3]
        )
        if lines and _GENERATED.search(lines):
            raise CannotWrite(f"{path} says that it is generated; the change belongs into what generates it")

    def _one(self, edit: Edit, alone: bool) -> Iterator[Replacement]:
        if isinstance(edit, Erase):
            yield erased(edit.span, self._content(edit.span.file))
        elif isinstance(edit, Rewrite):
            yield Replacement(edit.span.file, edit.span.start, edit.span.end, edit.text.encode())
        elif isinstance(edit, Substitute):
            yield from self._substitute(edit, alone)
        elif isinstance(edit, Put):
            yield from self._put(edit, alone)
        elif isinstance(edit, Append):
            yield from self._editor(edit.resource).append(
                edit.route, edit.value, self._read, like=edit.like, alone=alone
            )
        elif isinstance(edit, Remove):
            yield from self._editor(edit.resource).remove(edit.route, self._read, alone=alone)
        elif isinstance(edit, Rename):
            yield from self._rename(edit, alone)
        elif isinstance(edit, Become):
            yield from self._renamer(edit.resource).become(edit.kind, edit.names, self._read, alone=alone)
        elif isinstance(edit, Add):
            yield from self._add(edit)

    def _rename(self, edit: Rename, alone: bool) -> Iterator[Replacement]:
        """The key alone where the source can; else what it holds is written anew under the other name."""
        editor = self._editor(edit.resource)
        if isinstance(editor, Renamer):
            yield from editor.rename(edit.route, edit.name, edit.inside, self._read, alone=alone)
            return
        holder = edit.route[:-1]
        try:
            body: Value = dict(expected(self.body(edit.resource), (edit,)))
        except Unexpectable:
            raise CannotWrite(f"there is no {edit.route[-1]} that could be called {edit.name}") from None
        yield from editor.put(holder, at(body, *holder), self._read, alone=alone)

    def _renamer(self, key: int) -> Renamer:
        editor = self._editor(key)
        if isinstance(editor, Renamer):
            return editor
        source = self._reading.found[key].resource.source
        raise CannotWrite(f"Shoreup cannot make another kind of an object that comes from {_WAYS.get(source, source)}")

    def _add(self, edit: Add) -> tuple[Replacement, ...]:
        """The new object; one that several fixes want alike is written once, where the first of them wants it."""
        for one, made in self._added:
            if one.body == edit.body:
                return made
        made = self._editor(edit.beside).add(edit.body, self._read, like=edit.like)
        self._added.append((edit, made))
        return made

    def _content(self, path: str) -> bytes:
        content = self._read(path)
        if content is None:
            raise CannotWrite(f"{path} cannot be read, so it is not written either")
        return content

    def _put(self, edit: Put, alone: bool) -> Iterator[Replacement]:
        old = self._value(edit.resource, edit.route)
        if not alone and isinstance(old, str) and isinstance(edit.value, str) and not edit.like:
            origin = self._origin(edit.resource, edit.route)
            if origin is not None and origin.segments:
                yield from substituted(origin, 0, len(old), edit.value, self._read)
                return
        written = None if alone else self._number(edit, old)
        if written is not None:
            yield written
            return
        editor = self._editor(edit.resource)
        yield from editor.put(edit.route, edit.value, self._read, like=edit.like, alone=alone)

    def _number(self, edit: Put, old: Value) -> Replacement | None:
        """A number or a truth over another: as it prints, where the old one is written as it prints."""
        if not isinstance(old, int) or type(edit.value) is not type(old) or edit.like:
            return None
        origin = self._origin(edit.resource, edit.route)
        if origin is None or len(origin.segments) != 1:
            return None
        segment = origin.segments[0]
        if segment.span is None or not segment.verbatim or segment.derived or segment.text != _printed(old):
            return None
        return Replacement(segment.span.file, segment.span.start, segment.span.end, _printed(edit.value).encode())

    def _substitute(self, edit: Substitute, alone: bool) -> Iterator[Replacement]:
        origin = self._origin(edit.resource, edit.route)
        if origin is None or not origin.segments:
            raise CannotWrite("where the text is written could not be found")
        if alone:
            value = self._value(edit.resource, edit.route)
            if not isinstance(value, str):
                raise CannotWrite("the text is shared with others and only partly known")
            whole = value[: edit.start] + edit.text + value[edit.end :]
            yield from self._editor(edit.resource).put(edit.route, whole, self._read, alone=True)
            return
        yield from substituted(origin, edit.start, edit.end, edit.text, self._read)

    def _value(self, key: int, route: Route) -> Value:
        return at(dict(self._reading.found[key].resource.body), *route)

    def _origin(self, key: int, route: Route) -> Origin | None:
        return self._reading.trace(key, route)

    def _editor(self, key: int) -> Editor:
        found = self._reading.found[key]
        if isinstance(found.tracer, Editor):
            return found.tracer
        raise CannotWrite(f"Shoreup cannot write into {_WAYS.get(found.resource.source, found.resource.source)} yet")


def _printed(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


_WAYS = {"helm": "a rendered chart", "argo": "an Argo application", "compose": "a compose file"}
