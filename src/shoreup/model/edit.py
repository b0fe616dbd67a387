"""What a fix asks for, in the words of resources: fields and values, hardly ever files, never bytes.

A concern asks; the source that a resource came from knows how its files would say it; the stage that fixes looks
whether it came out as asked. Whatever stands in no resource (a comment, an entry of ``ignore_changes``) is named by
its span.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from shoreup.model.finding import Fix
from shoreup.model.location import Route, Span
from shoreup.model.value import Value


class Put(Struct, frozen=True):
    """Give a field a value, whether it stands there or not; what leads to it is made where it is missing.

    ``value`` is plain data in Kubernetes' names. ``like`` names fields inside of it that shall be written as another
    field of the same resource is written (``var.port`` stays ``var.port``): pairs of a route inside ``value`` and the
    route of that field. ``value`` holds what they come to here.
    """

    resource: int
    route: Route
    value: Value
    like: tuple[tuple[Route, Route], ...] = ()


class Append(Struct, frozen=True):
    """Add an item to the list at ``route``, which is made where it is missing. ``like`` as in :class:`Put`."""

    resource: int
    route: Route
    value: Value
    like: tuple[tuple[Route, Route], ...] = ()


class Remove(Struct, frozen=True):
    """Take away the field, block or list item at ``route``."""

    resource: int
    route: Route


class Rename(Struct, frozen=True):
    """Give the key at ``route`` another name; what it holds stays as it is written.

    ``inside`` are keys of what it holds that are called otherwise under the new name: pairs of old and new.
    """

    resource: int
    route: Route
    name: str
    inside: tuple[tuple[str, str], ...] = ()


class Become(Struct, frozen=True):
    """Make an object one of another kind, of the same name; what it holds stays as it is written.

    ``names`` are top fields that are called otherwise in the new kind: pairs of old and new.
    """

    resource: int
    kind: str
    names: tuple[tuple[str, str], ...] = ()


class Substitute(Struct, frozen=True):
    """Write ``text`` in place of the characters ``start`` to ``end`` (exclusive) of the string at ``route``.

    With ``start == end`` the text is put in. Lines of the text are indented like the line that it is put on: a line of
    a program inside a string is written as it stands in the string.
    """

    resource: int
    route: Route
    start: int
    end: int
    text: str


class Add(Struct, frozen=True):
    """A new Kubernetes object, in the dialect, the folder and the manner of the resource ``beside``.

    ``like`` as in :class:`Put`; its second routes lead into ``beside``.
    """

    beside: int
    body: Mapping[str, Value]
    like: tuple[tuple[Route, Route], ...] = ()


class Erase(Struct, frozen=True):
    """Take away bytes of a file that no resource holds: a comment, an entry of a list of code.

    The separator goes with an entry, and the line with a comment that stands alone on it.
    """

    span: Span


class Rewrite(Struct, frozen=True):
    """Write ``text`` over bytes of a file, in the file's own language."""

    span: Span
    text: str


class Move(Struct, frozen=True):
    """Move whole lines of code to the end of another file of the same folder, which is made where it is missing."""

    span: Span
    file: str


class Enclose(Struct, frozen=True):
    """Make blocks of Terraform a module of their own, called ``name`` from where the first of them stood.

    ``moves`` lead into the module's folder, which is not there yet. What the blocks and the rest say of one another
    becomes inputs and outputs. ``addresses`` are those that get a ``moved`` block (``kubernetes_secret.mail``).
    """

    name: str
    moves: tuple[Move, ...]
    addresses: tuple[str, ...]


FieldEdit: TypeAlias = Put | Append | Remove | Rename | Become | Substitute
"""Edits of one resource, which the plain object can be compared with."""
Edit: TypeAlias = FieldEdit | Add | Erase | Rewrite | Move | Enclose


ANYTHING = "*"
"""Opened by a fix that lets something begin to count which was written and not heard before."""


class Repair(Struct, frozen=True):
    """A fix that code can make.

    ``cost`` says what it hurts, empty where it hurts nothing. ``opens`` are concerns that rightly appear once it is
    done (a secret that was moved is still burnt), or :data:`ANYTHING`. ``loses_comments`` counts the comments that go
    with it.
    """

    fix: Fix
    edits: tuple[Edit, ...]
    cost: str = ""
    opens: frozenset[str] = frozenset()
    loses_comments: int = 0


class NoRepair(Struct, frozen=True):
    """Why code does not make a fix. ``text`` is what a person may complete and paste, where that helps.

    ``sketch`` are new objects that lack only what is the owner's to say, in angle brackets: they are shown before the
    text, in the dialect and manner of the files, and never made.
    """

    reason: str
    text: str = ""
    sketch: tuple[Add, ...] = ()


class Impact(StrEnum):
    """What an applied change does to what runs, from nothing to an outage."""

    NONE = "none"
    RELOAD = "reload"
    RESTART = "restart"
    REPLACE = "replace"
    OUTAGE = "outage"

    @property
    def order(self) -> int:
        """0 for no impact."""
        return list(Impact).index(self)
