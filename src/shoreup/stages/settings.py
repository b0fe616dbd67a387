"""``shoreup.toml``, read so that every mistake in it names its line and what was meant.

The fields of :class:`Settings` are the keys of the file. A key that is no field is an error, because a setting
that is silently not in force is worse than none.
"""

from __future__ import annotations

import re
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from difflib import get_close_matches
from enum import StrEnum
from hashlib import blake2b
from ipaddress import ip_network
from pathlib import Path
from typing import NoReturn

import msgspec
from msgspec import Struct, field
from msgspec.structs import fields

from shoreup.facts.products import Product, product_from_mapping, with_products
from shoreup.formats.toml_positions import key_lines
from shoreup.model.errors import UserError
from shoreup.model.location import Route
from shoreup.model.settings import Settings

FILE = "shoreup.toml"
LARGEST = 1024 * 1024
"""Bytes; more is no configuration."""
_DURATION = re.compile(r"(?:\d+[smhdw])+")
_PART = re.compile(r"(\d+)([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_EXPECTED: Mapping[type, str] = {
    str: "text in quotes",
    int: "a whole number",
    bool: "true or false",
    date: "a day such as 2027-01-31",
    timedelta: "a time such as '30m', '24h' or '7d'",
}


class GivenSettings(Struct, frozen=True):
    """Settings with where they stand. ``name`` is the file as people know it, empty where there is none."""

    settings: Settings = field(default_factory=Settings)
    name: str = ""
    folder: Path = Path()
    digest: str = ""
    """A hash of the file: part of what an account depends on."""
    lines: Mapping[Route, int] = field(default_factory=dict)
    """The line of every key of the file, by its route there."""

    def line(self, route: Route) -> int:
        """The line of a key, or of the nearest table that is written; 0 without a file."""
        while route and route not in self.lines:
            route = route[:-1]
        return self.lines.get(route, 0)

    def wrong(self, message: str, route: Route) -> UserError:
        """The error for a key that is wrong in a way that only its reader knows."""
        return UserError(f"{self.name}:{self.line(route)}: {message}")


def read_settings(root: Path, named: Path | None = None) -> GivenSettings:
    """The settings of the estate at ``root``: from the file that was named, or from ``shoreup.toml`` there.

    Raises :class:`UserError` that names line, key and what was expected.
    """
    path = named or root / FILE
    try:
        if named is None and not path.exists():
            return GivenSettings()
        if not path.is_file():
            raise UserError(f"There is no settings file at {path}.")
        content = path.read_bytes()[: LARGEST + 1]
    except OSError as problem:
        raise UserError(f"The settings {path} cannot be read: {problem.strerror}.") from None
    if len(content) > LARGEST:
        raise UserError(f"{path} is larger than 1 MiB: that is no settings file.")
    return parse_settings(content, str(named) if named else FILE, path.parent)


def parse_settings(content: bytes, name: str = FILE, folder: Path = Path()) -> GivenSettings:
    """Settings from the bytes of a file. Raises :class:`UserError`."""
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
        document = tomllib.loads(text)
        lines = key_lines(text)
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        raise UserError(f"{name}:{line}: not UTF-8.") from None
    except ValueError as problem:  # no TOML, or a number that Python refuses
        raise UserError(f"{name}: {problem}.") from None
    except RecursionError:
        raise UserError(f"{name}: nested too deeply.") from None
    reader = _Reader(name, lines)
    settings = reader.table(document, Settings, ())
    assert isinstance(settings, Settings)
    reader.consistent(settings)
    return GivenSettings(settings, name, folder, blake2b(content, digest_size=16).hexdigest(), lines)


def own_products(given: GivenSettings) -> tuple[Product, ...]:
    """The owner's entries of product knowledge. One with the id of a known product changes only what it names.

    Raises :class:`UserError`.
    """
    if not given.settings.product:
        return ()
    known = with_products()
    found: list[Product] = []
    for index, entry in enumerate(given.settings.product):
        fields_of = {key_of(one): one for one in Product.__struct_fields__}
        for key in entry:
            if key not in fields_of:
                raise given.wrong(_unknown(key, fields_of, ("product", index)), ("product", index, key))
        name = entry.get("id")
        before = known.get(name) if isinstance(name, str) else None
        base: dict[str, object] = {"source": given.name, "title": name, "images": {}}
        if before is not None:
            base = {one: getattr(before, one) for one in Product.__struct_fields__}
        try:
            product = product_from_mapping(base | {fields_of[key]: value for key, value in entry.items()})
        except ValueError as problem:
            raise given.wrong(f"[[product]] is not whole: {problem}.", ("product", index)) from None
        found.append(product)
    return tuple(found)


def key_of(field_name: str) -> str:
    """How a field is written in the file."""
    return field_name.replace("_", "-")


def duration(text: str) -> timedelta | None:
    """A time such as ``24h`` or ``1h30m``; ``None`` for what is none."""
    if not _DURATION.fullmatch(text):
        return None
    try:
        return sum((timedelta(**{_UNITS[unit]: int(number)}) for number, unit in _PART.findall(text)), timedelta())
    except OverflowError:
        return None


class _Reader(Struct, frozen=True):
    name: str
    lines: Mapping[Route, int]

    def table(self, value: object, kind: type, route: Route) -> object:
        """A table as one of the model's structs."""
        if not isinstance(value, dict):
            self._fail(route, f"{_spelled(route)} must be a table, not {_what(value)}")
        known = {key_of(one.name): one for one in fields(kind)}
        for key in value:
            if key not in known:
                self._fail((*route, key), _unknown(key, known, route))
        hints = typing.get_type_hints(kind)
        arguments = {
            one.name: self._value(value[key], hints[one.name], (*route, key))
            for key, one in known.items()
            if key in value
        }
        for key, one in known.items():
            if key not in value and one.required:
                self._fail(route, f"{_spelled(route)} lacks the key {key!r}")
        return kind(**arguments)

    def _value(self, value: object, hint: object, route: Route) -> object:
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if origin in (types.UnionType, typing.Union) and type(None) in arguments:
            hint = next(one for one in arguments if one is not type(None))
            origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if origin is tuple:
            if not isinstance(value, list):
                self._fail(route, f"{_spelled(route)} must be a list, not {_what(value)}")
            return tuple(self._value(item, arguments[0], (*route, index)) for index, item in enumerate(value))
        if origin is Mapping:
            if not isinstance(value, dict):
                self._fail(route, f"{_spelled(route)} must be a table, not {_what(value)}")
            if typing.get_origin(arguments[1]) is not None or not isinstance(arguments[1], type):
                return value
            return {key: self._value(item, arguments[1], (*route, key)) for key, item in value.items()}
        assert isinstance(hint, type)
        return self.table(value, hint, route) if issubclass(hint, Struct) else self._leaf(value, hint, route)

    def _leaf(self, value: object, kind: type, route: Route) -> object:
        if kind is timedelta:
            value = duration(value) if isinstance(value, str) else None
        if kind is str and isinstance(value, str) and "\0" in value:
            value = None
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError:
            self._fail(route, f"{_spelled(route)} must be {_expected(kind)}")

    def consistent(self, settings: Settings) -> None:
        """What types alone cannot say."""
        for side in ("internet", "lan"):
            for index, network in enumerate(getattr(settings.exposure, side).networks):
                try:
                    ip_network(network, strict=False)
                except ValueError:
                    self._fail(
                        ("exposure", side, "networks", index), f"{network!r} is no range of addresses (192.0.2.0/24)"
                    )
        for key in settings.objectives:
            if "/" not in key and key != "default" and key not in settings.tiers:
                hint = _nearest(key, ["default", *settings.tiers])
                self._fail(
                    ("objectives", key),
                    f"{key!r} is no tier. Name a tier, a service as 'namespace/name', or 'default'.{hint}",
                )
        for index, one in enumerate(settings.suppress):
            if not one.ids or not (one.path or one.resource):
                self._fail(("suppress", index), "[[suppress]] needs ids, and a path or a resource")
        for key in ("module_lines", "support_ends_days"):
            if getattr(settings.thresholds, key) < 0:
                self._fail(("thresholds", key_of(key)), f"{key_of(key)} must not be negative")

    def _fail(self, route: Route, message: str) -> NoReturn:
        while route and route not in self.lines:
            route = route[:-1]
        where = f":{self.lines[route]}" if route in self.lines else ""
        raise UserError(f"{self.name}{where}: {message.rstrip('.')}.")


def _unknown(key: str, known: Iterable[str], route: Route) -> str:
    inside = f" in {_spelled(route)}" if route else ""
    known = list(known)
    near = _nearest(key, known) or f" There are {', '.join(known)}."
    return f"unknown key {key!r}{inside}.{near}"


def _nearest(word: str, known: Iterable[str]) -> str:
    near = get_close_matches(word.lower().replace("_", "-"), list(known), n=1, cutoff=0.5)
    return f" The nearest is {near[0]!r}." if near else ""


def _spelled(route: Route) -> str:
    """A route as it is written in the file: ``[selection]``, ``[[suppress]]``, ``selection.fail-on``."""
    names = [part for part in route if isinstance(part, str)]
    if len(route) == 2 and isinstance(route[1], int):
        return f"[[{names[0]}]]"
    return ".".join(names) or "the file"


def _expected(kind: type) -> str:
    if issubclass(kind, StrEnum):
        return f"one of {', '.join(one.value for one in kind)}"
    return _EXPECTED.get(kind, kind.__name__)


def _what(value: object) -> str:
    words = {str: "text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "a table"}
    return words.get(type(value), "a date")
