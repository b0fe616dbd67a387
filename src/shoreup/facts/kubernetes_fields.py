"""Which fields the objects of Kubernetes' own kinds have, and of which form each is.

The table is made by ``tools/kubernetes_fields.py`` from the API definitions that Kubernetes publishes. It joins several
releases, so it says of no field that it is too new or too old. Kinds that it does not hold are other people's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import msgspec

from shoreup.facts.knowledge import table

FREE = "*"
_EXACT = {"s": str, "i": int, "b": bool, "q": str, "x": str}


class Form(msgspec.Struct, frozen=True, eq=False):
    """What a field holds.

    ``code`` is ``s`` text, ``i`` whole number, ``n`` number, ``b`` truth value, ``q`` quantity, ``x`` whole number or
    text, ``[`` list, ``{`` map with names of its owner's, ``o`` object, or ``*`` anything. ``exact`` is the type of a
    value that needs no second look. ``inner`` is the form of a list's or a map's values.
    """

    code: str
    exact: type | None = None
    inner: Form | None = None
    _shape: int | Callable[[], Shape] = -1

    @property
    def shape(self) -> Shape:
        """The fields of an object."""
        return _shape(self._shape) if isinstance(self._shape, int) else self._shape()


class Shape(msgspec.Struct, frozen=True, eq=False):
    """A type of Kubernetes, such as ``PodSpec``: its name and its fields."""

    name: str
    fields: Mapping[str, Form]


class Released(msgspec.Struct, frozen=True):
    """The releases of Kubernetes that the table knows, and the day that it was made."""

    what: str
    package: str
    first: str
    last: str
    date: str


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: Released
    kinds: dict[str, int]
    shapes: list[tuple[str, dict[str, str]]]


@cache
def _table() -> _Table:
    return table("kubernetes_fields", _Table)


def released() -> Released:
    """Where the table is from."""
    return _table().source


@cache
def shape_of(api_version: str, kind: str) -> Shape | None:
    """The fields of a kind; ``None`` where Kubernetes has no such kind, or the table leaves it out."""
    number = _table().kinds.get(f"{api_version}/{kind}")
    return None if number is None else _shape(number)


@cache
def metadata() -> Form:
    """What every object says of itself."""
    pod = shape_of("v1", "Pod")
    assert pod is not None
    return pod.fields["metadata"]


@cache
def _shape(number: int) -> Shape:
    name, fields = _table().shapes[number]
    return Shape(name, {field: form_of(code) for field, code in fields.items()})


@cache
def form_of(code: str) -> Form:
    """The form that the table writes so: a code of :class:`Form`, before it those of lists and maps around it."""
    if code[0] in "[{":
        return Form(code[0], None, form_of(code[1:]))
    if code.isdecimal():
        return Form("o", None, None, int(code))
    return Form(code, _EXACT.get(code))
