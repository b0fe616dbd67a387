"""The JSON schema of ``shoreup.toml``, made of the settings' own fields and of the sentences beside them.

Nothing is written twice: a field that is added appears in the schema, in the reference and in the errors.
"""

from __future__ import annotations

import ast
import inspect
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import FieldInfo, fields

from shoreup.facts.products import Product
from shoreup.model import settings
from shoreup.stages.settings import key_of

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]

_LEAVES: Mapping[object, dict[str, Json]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer", "minimum": 0},
    date: {"type": "string", "format": "date"},
    timedelta: {"type": "string", "pattern": "^([0-9]+[smhdw])+$"},
}
_WORDS: Mapping[object, str] = {str: "text", bool: "true or false", int: "number", date: "day", timedelta: "time"}


def document() -> dict[str, Json]:
    """The whole schema."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:shoreup:settings:1",
        "title": "shoreup.toml",
        **_table(settings.Settings),
    }


class Setting(Struct, frozen=True):
    """One line of the reference. ``key`` is as in the file, ``kind`` and ``default`` are for people."""

    table: str
    key: str
    kind: str
    default: str
    text: str


def reference() -> Iterator[Setting]:
    """Every setting, in the order of the model."""
    yield from _lines(settings.Settings, "")


def _table(kind: type) -> dict[str, Json]:
    hints, said = typing.get_type_hints(kind), _sentences(kind)
    entries = fields(kind)
    required: list[Json] = [key_of(one.name) for one in entries if one.required]
    result: dict[str, Json] = {
        "description": inspect.cleandoc(kind.__doc__ or "").split("\n\n")[0].replace("\n", " ").replace("``", ""),
        "type": "object",
        "additionalProperties": False,
    }
    if required:
        result["required"] = required
    result["properties"] = {
        key_of(one.name): _value(hints[one.name]) | {"description": said[one.name]} for one in entries
    }
    return result


def _value(hint: object) -> dict[str, Json]:
    hint = _known(hint)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        return {"type": "array", "items": _product() if typing.get_origin(arguments[0]) else _value(arguments[0])}
    if origin is Mapping:
        return {"type": "object", "additionalProperties": _value(arguments[1])}
    assert isinstance(hint, type)
    if _is_table(hint):
        return _table(hint)
    if issubclass(hint, StrEnum):
        return {"enum": [one.value for one in hint]}
    return dict(_LEAVES[hint])


def _product() -> dict[str, Json]:
    """An entry of product knowledge; what its fields mean stands in the guide."""
    properties = {key_of(name): _field(hint) for name, hint in typing.get_type_hints(Product).items()}
    return {"type": "object", "additionalProperties": False, "required": ["id"], "properties": properties}


def _field(hint: object) -> dict[str, Json]:
    if typing.get_origin(hint) is tuple:
        return {"type": "array", "items": _field(typing.get_args(hint)[0])}
    return dict(_LEAVES.get(hint, {"type": "object"}))


def _known(hint: object) -> object:
    """What an optional field holds when it is there."""
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return next(one for one in typing.get_args(hint) if one is not type(None))
    return hint


def _sentences(kind: type) -> dict[str, str]:
    """What stands under each field in the source."""
    (node,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(node, ast.ClassDef)
    found: dict[str, str] = {}
    for field, text in zip(node.body, node.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            value = text.value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                found[field.target.id] = " ".join(value.value.split())
    return found


def _lines(kind: type, table: str) -> Iterator[Setting]:
    hints, said = typing.get_type_hints(kind), _sentences(kind)
    inner: list[tuple[type, str]] = []
    for one in fields(kind):
        hint, key = _known(hints[one.name]), key_of(one.name)
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        way = f"{table}.{key}" if table else key
        if _is_table(hint):
            inner.append((typing.cast(type, hint), way))
            continue
        if origin is Mapping and _is_table(arguments[1]):
            inner.append((typing.cast(type, arguments[1]), f"{way}.NAME"))
            continue
        if origin is tuple and _is_table(arguments[0]):
            inner.append((typing.cast(type, arguments[0]), f"[{way}]"))
            continue
        yield Setting(table, key, _spoken(hint), _default(one), said[one.name])
    for deeper, way in inner:
        yield from _lines(deeper, way)


def _is_table(hint: object) -> bool:
    return isinstance(hint, type) and issubclass(hint, Struct)


def _spoken(hint: object) -> str:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        return "tables" if typing.get_origin(arguments[0]) else f"list of {_spoken(arguments[0])}"
    if origin is Mapping:
        return "table of text"
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return ", ".join(f"`{one.value}`" for one in hint)
    return _WORDS[hint]


def _default(one: FieldInfo) -> str:
    if one.required:
        return "needed"
    default = one.default
    if isinstance(default, (int, StrEnum)) and not isinstance(default, bool):
        return f"`{default}`"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return ""
