"""One type for several values, and a value as another type: what Terraform does before and inside its functions.

A list, a set or a map has one type for all its items. ``["a", 1]`` becomes ``["a", "1"]`` in a list, two objects
with different attributes become maps, and ``[1, true]`` fits nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from shoreup.model.value import PartialText, Unknown, Value
from shoreup.terraform.functions.kinds import (
    Number,
    Refused,
    TerraformSet,
    kind,
    make_set,
    number_text,
    plain,
)
from shoreup.terraform.functions.signature import Converter, Function, Parameter

MAX_DIGITS = 1000
"""Numbers with a larger exponent are refused: writing them out would never end."""

_DECIMAL = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


def as_text(value: Value) -> Value:
    """Convert to a string as an argument is converted, keeping null and unknowns."""
    if isinstance(value, (str, PartialText, Unknown)) or value is None:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number_text(value)
    raise Refused("string required")


def as_number(value: Value) -> Value:
    """Convert to a number as an argument is converted."""
    if isinstance(value, PartialText):
        return Unknown(value.reason)
    if isinstance(value, str):
        return parse_number(value)
    if isinstance(value, (list, dict, bool)):
        raise Refused("number required")
    return value


def as_bool(value: Value) -> Value:
    """Convert to a bool as an argument is converted."""
    if isinstance(value, PartialText):
        return Unknown(value.reason)
    if isinstance(value, str):
        if value not in ("true", "false"):
            raise Refused("a bool is required")
        return value == "true"
    if isinstance(value, bool) or value is None or isinstance(value, Unknown):
        return value
    raise Refused("bool required")


def as_list(value: Value) -> Value:
    """Convert to a list with items of one type."""
    if isinstance(value, (Unknown, PartialText)) or value is None:
        return value
    if not isinstance(value, list):
        raise Refused("list of any single type required")
    return unify(value)


def as_texts(value: Value) -> Value:
    """Convert to a list of strings."""
    return _each(value, as_text, "list of string required")


def as_bools(value: Value) -> Value:
    """Convert to a list of bools."""
    return _each(value, as_bool, "list of bool required")


def as_set(value: Value) -> Value:
    """Convert to a set with items of one type."""
    if isinstance(value, (TerraformSet, Unknown, PartialText)) or value is None:
        return value
    if not isinstance(value, list):
        raise Refused("set of any single type required")
    return make_set(unify(value))


def _each(value: Value, convert: Converter, required: str) -> Value:
    if isinstance(value, (Unknown, PartialText)) or value is None:
        return value
    if not isinstance(value, list):
        raise Refused(required)
    converted: list[Value] = []
    for index, item in enumerate(value):
        try:
            converted.append(convert(item))
        except Refused as problem:
            raise Refused(f"element {index}: {problem}") from None
    return converted


def parse_number(text: str) -> Number:
    """A decimal number in a string. Raises ``Refused``."""
    if not _DECIMAL.fullmatch(text):
        raise Refused("a number is required")
    number = Decimal(text)
    if abs(number.adjusted()) > MAX_DIGITS:
        raise Refused("the number is too large")
    if number == number.to_integral_value():
        return int(number)
    return plain(float(number))


def unify(values: Sequence[Value]) -> list[Value]:
    """The values converted to the one type that Terraform would choose. Raises ``Refused`` if there is none."""
    typed = [value for value in values if value is not None and not isinstance(value, Unknown)]
    if len(typed) < 2:
        return list(values)
    kinds = {kind(value) for value in typed}
    if kinds <= {"string", "number", "bool"}:
        if "string" in kinds:
            return list(values) if len(kinds) == 1 else [as_text(value) for value in values]
        if len(kinds) == 1:
            return list(values)
    elif kinds <= {"tuple", "set"}:
        return _unify_lists(values)
    elif kinds == {"object"}:
        return _unify_maps(values)
    raise Refused("all elements must be of the same type")


def _unify_lists(values: Sequence[Value]) -> list[Value]:
    lists = [value for value in values if isinstance(value, list)]
    as_one = make_set if any(isinstance(value, TerraformSet) for value in lists) else list
    length = len(lists[0])
    if all(len(value) == length for value in lists):
        try:
            columns = [unify([value[index] for value in lists]) for index in range(length)]
        except Refused:
            pass
        else:
            rows = iter([[column[row] for column in columns] for row in range(len(lists))])
            return [as_one(next(rows)) if isinstance(value, list) else value for value in values]
    together = iter(unify([item for value in lists for item in value]))
    return [as_one([next(together) for _ in value]) if isinstance(value, list) else value for value in values]


def _unify_maps(values: Sequence[Value]) -> list[Value]:
    maps = [value for value in values if isinstance(value, dict)]
    keys = maps[0].keys()
    if all(value.keys() == keys for value in maps):
        columns = {key: iter(unify([value[key] for value in maps])) for key in keys}
        return [{key: next(columns[key]) for key in value} if isinstance(value, dict) else value for value in values]
    together = iter(unify([item for value in maps for item in value.values()]))
    return [{key: next(together) for key in value} if isinstance(value, dict) else value for value in values]


def tostring(value: Value) -> Value:
    try:
        return as_text(value)
    except Refused:
        raise Refused(f"cannot convert {kind(value)} to string", 0) from None


def tonumber(value: Value) -> Value:
    if isinstance(value, str):
        try:
            return parse_number(value)
        except Refused:
            message = "cannot convert this string to number; given string must be a decimal representation of a number"
            raise Refused(message, 0) from None
    try:
        return as_number(value)
    except Refused:
        raise Refused(f"cannot convert {kind(value)} to number", 0) from None


def tobool(value: Value) -> Value:
    try:
        return as_bool(value)
    except Refused:
        if isinstance(value, str):
            message = 'cannot convert this string to bool; only the strings "true" or "false" are allowed'
            raise Refused(message, 0) from None
        raise Refused(f"cannot convert {kind(value)} to bool", 0) from None


def tolist(value: Value) -> Value:
    return _collection(value, "list")


def toset(value: Value) -> Value:
    return _collection(value, "set")


def _collection(value: Value, wanted: str) -> Value:
    if value is None or isinstance(value, Unknown):
        return value
    if isinstance(value, list):
        try:
            items = unify(value)
        except Refused:
            pass
        else:
            return make_set(items) if wanted == "set" else items
    raise Refused(f"cannot convert {kind(value)} to {wanted} of any single type", 0)


def tomap(value: Value) -> Value:
    if value is None or isinstance(value, Unknown):
        return value
    if isinstance(value, dict):
        try:
            return dict(zip(value, unify(list(value.values())), strict=True))
        except Refused:
            pass
    raise Refused(f"cannot convert {kind(value)} to map of any single type", 0)


def unchanged(value: Value) -> Value:
    """``sensitive`` and its relatives change how Terraform shows a value, not the value."""
    return value


def issensitive(value: Value) -> Value:
    return Unknown("whether a value is sensitive is not followed")


_VALUE = Parameter("v", null=True, unknown=True)
_MARKED = Parameter("value", null=True, unknown=True)

FUNCTIONS: Mapping[str, Function] = {
    "tostring": Function(tostring, (_VALUE,)),
    "tonumber": Function(tonumber, (_VALUE,)),
    "tobool": Function(tobool, (_VALUE,)),
    "tolist": Function(tolist, (_VALUE,)),
    "toset": Function(toset, (_VALUE,)),
    "tomap": Function(tomap, (_VALUE,)),
    "sensitive": Function(unchanged, (_MARKED,)),
    "nonsensitive": Function(unchanged, (_MARKED,)),
    "issensitive": Function(issensitive, (_MARKED,)),
    "ephemeralasnull": Function(unchanged, (_MARKED,)),
}
