"""What kinds of value Terraform tells apart, where plain Python data does not.

Terraform knows sets, never confuses ``1`` with ``true`` or ``"1"``, writes numbers without an exponent and
answers "not known yet" to a comparison. The functions all lean on these few rules.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import TypeAlias

from shoreup.model.value import PartialText, Unknown, Value

Number: TypeAlias = int | float
Text: TypeAlias = str | PartialText | Unknown
"""A string argument of a function that can work with a string it knows only in part."""


PRECISION_BITS = 512

_CONTROLS = {ord(char): f"\\{letter}" for char, letter in zip("\a\b\f\n\r\t\v", "abfnrtv", strict=True)}


class FunctionError(ValueError):
    """A call that Terraform would refuse too. The message is one line and never shows a string argument."""


class Refused(Exception):
    """Why a function's body refuses its arguments; ``position`` counts from 0, ``None`` blames none of them."""

    def __init__(self, message: str, position: int | None = None) -> None:
        super().__init__(message)
        self.position = position


class TerraformSet(list[Value]):
    """A set: a list without duplicates, in the order in which Terraform iterates it. It has no indexes."""

    __slots__ = ()


def kind(value: Value) -> str:
    """The word that Terraform's messages use for a value's type."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, (str, PartialText)):
        return "string"
    if isinstance(value, TerraformSet):
        return "set"
    if isinstance(value, list):
        return "tuple"
    if isinstance(value, dict):
        return "object"
    return "dynamic"


def first_unknown(value: Value) -> Unknown | None:
    """The first unknown inside a value as a whole-value unknown, or ``None`` when everything is known."""
    if isinstance(value, Unknown):
        return value
    if isinstance(value, PartialText):
        return Unknown(value.reason)
    if isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            if (found := first_unknown(item)) is not None:
                return found
    return None


def equal(one: Value, other: Value) -> bool | None:
    """Whether Terraform calls two values equal: types must match too. ``None`` when only an apply can tell."""
    if isinstance(one, Unknown) or isinstance(other, Unknown):
        return None
    if isinstance(one, PartialText) or isinstance(other, PartialText):
        if isinstance(one, PartialText) and isinstance(other, PartialText):
            return None
        text, partial = (one, other) if isinstance(other, PartialText) else (other, one)
        return None if isinstance(text, str) and isinstance(partial, PartialText) and may_be(partial, text) else False
    if isinstance(one, (list, dict)):
        return _equal_items(one, other)
    return kind(one) == kind(other) and one == other


def _equal_items(one: list[Value] | dict[str, Value], other: Value) -> bool | None:
    if isinstance(one, dict):
        if not isinstance(other, dict) or one.keys() != other.keys():
            return False
        answers = [equal(value, other[key]) for key, value in one.items()]
    else:
        if not isinstance(other, list) or len(one) != len(other):
            return False
        answers = [equal(mine, theirs) for mine, theirs in zip(one, other, strict=True)]
    return False if False in answers else None if None in answers else True


def may_be(partial: PartialText, text: str) -> bool:
    """Whether a partly known string can still turn out to be this text."""
    first, last = partial.parts[0], partial.parts[-1]
    known = sum(len(part) for part in partial.parts if isinstance(part, str))
    return (
        known <= len(text)
        and (not isinstance(first, str) or text.startswith(first))
        and (not isinstance(last, str) or text.endswith(last))
    )


def plain(number: Number) -> Number:
    """A whole number as an int, because Terraform knows one type of number. Digits beyond a float's are zeros."""
    if isinstance(number, float) and number.is_integer():
        return int(Decimal(repr(number)))
    return number


def exact(number: Number) -> Fraction:
    """A number as the decimal that was written: Terraform adds 0.1 and 0.2 to 0.3."""
    return Fraction(number) if isinstance(number, int) else Fraction(repr(number))


def binary(value: Fraction) -> Fraction:
    """The value as Terraform holds it, a binary fraction of 512 bits: it decides ties and ends of ranges."""
    if value.denominator == 1:
        return value
    scale = Fraction(2) ** (PRECISION_BITS - abs(value.numerator).bit_length() + value.denominator.bit_length())
    if abs(value) * scale >= 2**PRECISION_BITS:
        scale /= 2
    return Fraction(round(value * scale)) / scale


def rounded(number: Fraction) -> Number:
    """The nearest value that Python can hold."""
    return number.numerator if number.denominator == 1 else float(number)


def number_text(number: Number) -> str:
    """A number as Terraform turns it into a string: no exponent, no trailing ``.0``."""
    if isinstance(number, int):
        return str(number)
    if number != number or number in (float("inf"), float("-inf")):
        raise Refused("the number is too large to be written")
    if number.is_integer():
        return str(plain(number))
    return format(Decimal(repr(number)), "f")


def make_set(values: Iterable[Value]) -> TerraformSet:
    """The values as a set, in Terraform's order. They must be of one type already (see ``conversion.unify``)."""
    listed = list(values)
    texts = [value for value in listed if isinstance(value, str)]
    if len(texts) == len(listed):
        return TerraformSet(sorted(set(texts)))
    shapes = {frozenset(value) for value in listed if isinstance(value, dict)}
    as_maps = len(shapes) > 1
    distinct: list[Value] = []
    seen: dict[str, list[Value]] = {}
    for value in listed:
        alike = seen.setdefault(_set_key(value), [])
        if not any(equal(value, other) is True for other in alike):
            alike.append(value)
            distinct.append(value)
    return TerraformSet(sorted(distinct, key=lambda value: _set_order(value, as_maps)))


def _set_order(value: Value, as_maps: bool) -> tuple[int, float, str]:
    """Known before unknown before null; numbers by size; everything else by a text of its content."""
    if value is None:
        return 3, 0.0, ""
    if isinstance(value, (Unknown, PartialText)):
        return 2, 0.0, ""
    if isinstance(value, (int, float)):
        return 0, float(value), ""
    return (0, 0.0, value) if isinstance(value, str) else (1, 0.0, _set_key(value, as_maps))


def _set_key(value: Value, as_maps: bool = False) -> str:
    """A text by which Terraform orders compound values: unequal texts mean unequal values."""
    if isinstance(value, (Unknown, PartialText)):
        return "?"
    if value is None:
        return "~"
    if isinstance(value, bool):
        return "T" if value else "F"
    if isinstance(value, (int, float)):
        return number_text(value)
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').translate(_CONTROLS) + '"'
    if isinstance(value, dict) and as_maps:
        return "{" + "".join(f"{_set_key(key)}:{_set_key(value[key], as_maps)};" for key in sorted(value)) + "}"
    items = [value[key] for key in sorted(value)] if isinstance(value, dict) else value
    return "<" + "".join(f"{_set_key(item)};" for item in items) + ">"
