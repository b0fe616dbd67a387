"""Attribute values as Kubernetes would see them.

Terraform and Kubernetes disagree on types: a replica count is a string in the provider's schema, a file
mode a string of octal digits, and a number may stand wherever a string is wanted. What cannot be turned into
the wanted type is left as it is, for nothing here is guessed; an empty string where a number belongs is no
value at all, as it is for the provider.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from typing import Final, TypeAlias

from shoreup.model.value import Unknown, Value


class Absent(Enum):
    """The type of :data:`ABSENT`, as an enumeration of one so that type checkers can tell it apart."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT
"""Nothing to write: the provider leaves the field out."""

Scalar: TypeAlias = Callable[[Value], "Value | Absent"]

_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)
_OCTAL = re.compile(r"[+-]?[0-7]+", re.ASCII)
_LONGEST = 20
"""Digits of the longest number that Kubernetes can hold, and a little more."""


def text(value: Value) -> Value:
    """A string, as Terraform makes one of a number or a truth."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return value


def integer(value: Value) -> Value | Absent:
    """An integer, where the string or number is one."""
    if isinstance(value, str):
        if value == "":
            return ABSENT
        return int(value) if _INTEGER.fullmatch(value) and len(value) <= _LONGEST else value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value


def number(value: Value) -> Value | Absent:
    """A number; whole ones are integers."""
    if isinstance(value, str) and _NUMBER.fullmatch(value) and len(value) <= _LONGEST:
        value = float(value)
    return integer(value)


def boolean(value: Value) -> Value | Absent:
    """A truth, which Terraform also takes from the words."""
    if value == "":
        return ABSENT
    if value in ("true", "false"):
        return value == "true"
    return value


def octal(value: Value) -> Value | Absent:
    """A file mode. The provider reads the digits as octal even where Terraform was given a number."""
    digits = text(value)
    if isinstance(digits, str):
        if digits == "":
            return ABSENT
        return int(digits, 8) if _OCTAL.fullmatch(digits) and len(digits) <= _LONGEST else digits
    return digits


SCALARS: dict[str, Scalar] = {
    "string": text,
    "quantity": text,
    "integer": integer,
    "intOrString": integer,
    "number": number,
    "boolean": boolean,
    "octal": octal,
}
"""By the table's types."""

EXACT: dict[str, type] = {"string": str, "quantity": str, "integer": int, "boolean": bool, "intOrString": int}
"""The Python type of values that need no conversion."""


def unless_empty(convert: Scalar) -> Scalar:
    """Like ``convert``, but an empty string, a zero or their text is no value."""

    def checked(value: Value) -> Value | Absent:
        if isinstance(value, (Unknown, bool)):
            return convert(value)
        converted = convert(value)
        return ABSENT if converted == "" or (converted == 0 and not isinstance(converted, bool)) else converted

    return checked


def list_of(item_type: str) -> Scalar:
    """Converts lists item by item. A single value in place of a list stays alone, as Terraform refuses it."""
    convert, exact = SCALARS[item_type], EXACT[item_type]

    def converted(value: Value) -> Value | Absent:
        if not isinstance(value, list):
            return value
        for item in value:
            if type(item) is not exact:
                break
        else:
            return value
        kept = (item if type(item) is exact else convert(item) for item in value if item is not None)
        return [item for item in kept if item is not ABSENT]

    return converted


def map_of(item_type: str) -> Scalar:
    """Converts maps entry by entry. Old releases wrote some maps as a block (``limits { cpu = "1" }``)."""
    convert, exact = SCALARS[item_type], EXACT[item_type]

    def converted(value: Value) -> Value | Absent:
        if isinstance(value, list):
            if len(value) > 1:
                return value
            value = value[0] if value else {}
        if not isinstance(value, dict):
            return value
        for item in value.values():
            if type(item) is not exact:
                break
        else:
            return value
        kept = {key: item if type(item) is exact else convert(item) for key, item in value.items() if item is not None}
        return {key: item for key, item in kept.items() if item is not ABSENT}

    return converted
