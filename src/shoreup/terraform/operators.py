"""What Terraform's operators, conditions, templates and loops do with values that are there already.

Nothing here evaluates an expression. What is not known before an apply stays :class:`Unknown`; what Terraform refuses
raises :class:`EvaluationError`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from fractions import Fraction
from operator import add, ge, gt, le, lt, mul, sub

from shoreup.model.value import PartialText, Unknown, Value, join_text
from shoreup.terraform.functions import kinds
from shoreup.terraform.functions.conversion import parse_number
from shoreup.terraform.functions.kinds import FunctionError, Refused, TerraformSet, number_text
from shoreup.terraform.scope import EvaluationError

MAX_ITEMS = 100_000
"""More items than any configuration loops over."""
MAX_TEXT = 8 * 1024 * 1024
"""Characters of one string; with the other limits it stops what is made to exhaust a reader."""
_UNKNOWN_SIZE = 1000
"""What an unknown part counts for, so that texts of nothing but those end too."""
MAX_BITS = 4096
"""Of a number in a calculation; every number of Terraform has 512."""


def text_of(value: Value) -> str | Unknown | PartialText:
    """A value as a template shows it."""
    if isinstance(value, str | Unknown | PartialText):
        return value
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int | float):
        return number_text(value)
    if value is None:
        raise EvaluationError("a template includes a null value")
    raise EvaluationError("a template includes a list or an object")


def equal(left: Value, right: Value) -> bool | Unknown:
    """Terraform's ``==``: values of different types differ."""
    same = kinds.equal(left, right)
    if same is None:
        doubt = kinds.first_unknown(left)
        doubt = kinds.first_unknown(right) if doubt is None else doubt
        return Unknown("not known before apply") if doubt is None else doubt
    return same


def truth(value: Value) -> bool | Unknown:
    """A value as a condition."""
    if isinstance(value, bool):
        return value
    if isinstance(value, Unknown):
        return value
    if isinstance(value, PartialText):
        return Unknown(value.reason)
    if value == "true":
        return True
    if value == "false":
        return False
    raise EvaluationError("a condition is neither true nor false")


def number(value: Value) -> int | float | Unknown:
    """A value as an operand of a calculation."""
    if isinstance(value, bool):
        raise EvaluationError("a number is needed, not true or false")
    if isinstance(value, int | float | Unknown):
        return value
    if isinstance(value, PartialText):
        return Unknown(value.reason)
    if isinstance(value, str):
        try:
            return parse_number(value)
        except (FunctionError, Refused, ValueError):
            pass
    raise EvaluationError("a number is needed")


def calculated(operator: str, left: Value, right: Value) -> Value:
    """What a comparison by size or a calculation gives."""
    one, other = number(left), number(right)
    if isinstance(one, Unknown):
        return one
    if isinstance(other, Unknown):
        return other
    if operator in _COMPARISON:
        return _COMPARISON[operator](one, other)
    result = _ARITHMETIC[operator](kinds.exact(one), kinds.exact(other))
    if max(result.numerator.bit_length(), result.denominator.bit_length()) > MAX_BITS:
        raise EvaluationError("a number that is too large")
    return kinds.rounded(result)


def _divide(left: Fraction, right: Fraction) -> Fraction:
    if right == 0:
        raise EvaluationError("division by zero")
    return left / right


def _modulo(left: Fraction, right: Fraction) -> Fraction:
    if right == 0:
        raise EvaluationError("division by zero")
    remainder = abs(left) % abs(right)
    return -remainder if left < 0 else remainder


_ARITHMETIC: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "+": add,
    "-": sub,
    "*": mul,
    "/": _divide,
    "%": _modulo,
}
_COMPARISON: dict[str, Callable[[float, float], bool]] = {"<": lt, ">": gt, "<=": le, ">=": ge}


def joined(texts: list[str | Unknown]) -> str | PartialText:
    """The text of a template's rendered parts."""
    text_length(texts, limit=True)
    return join_text(texts)


def text_length(texts: Collection[str | Unknown], *, limit: bool = False) -> int:
    """Its characters, an unknown part counted as many. Raises where there is a ``limit`` and it is passed."""
    size = sum(len(text) if isinstance(text, str) else _UNKNOWN_SIZE for text in texts)
    if limit and size > MAX_TEXT:
        raise EvaluationError(f"a text of more than {MAX_TEXT // 1024 // 1024} MiB")
    return size


def pairs(collection: Value) -> list[tuple[str | int, Value, Value]]:
    """The items of a collection in Terraform's order: position (index or key), key as loops see it, item."""
    if isinstance(collection, dict):
        return [(key, key, collection[key]) for key in sorted(collection)]
    if isinstance(collection, list):
        if len(collection) > MAX_ITEMS:
            raise EvaluationError(f"a loop over more than {MAX_ITEMS} items")
        if isinstance(collection, TerraformSet):
            return [(index, item, item) for index, item in enumerate(collection)]
        return [(index, index, item) for index, item in enumerate(collection)]
    raise EvaluationError("a loop over something that is neither a list nor a map")


def unified(value: Value, other: Value) -> Value:
    """The value as it is when both sides of a conditional get one type: ``true ? 80 : "http"`` is ``"80"``."""
    if isinstance(value, int | float):
        return text_of(value) if isinstance(other, str | PartialText) else value
    if isinstance(value, list) and isinstance(other, list):
        if isinstance(other, TerraformSet) and not isinstance(value, TerraformSet):
            value = kinds.make_set(value)
        if len(value) == len(other):
            return type(value)(unified(one, two) for one, two in zip(value, other, strict=True))
        return type(value)(_as_texts(value, other))
    if isinstance(value, dict) and isinstance(other, dict):
        if value.keys() == other.keys():
            return {key: unified(one, other[key]) for key, one in value.items()}
        return dict(zip(value, _as_texts(value.values(), other.values()), strict=True))
    return value


def _as_texts(values: Collection[Value], others: Collection[Value]) -> list[Value]:
    """Items of a collection of one type: if one of them is a string, all are."""
    if not any(isinstance(one, str | PartialText) for one in (*values, *others)):
        return list(values)
    return [text_of(one) if isinstance(one, int | float) else one for one in values]
