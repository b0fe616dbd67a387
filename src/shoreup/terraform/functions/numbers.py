"""Numbers: rounding, powers, extremes, and whole numbers in other bases."""

from __future__ import annotations

import math
from collections.abc import Mapping

from shoreup.model.value import Unknown, Value
from shoreup.terraform.functions.conversion import as_number
from shoreup.terraform.functions.kinds import Number, Refused, kind, plain
from shoreup.terraform.functions.signature import Function, Parameter

_LONGEST = 1000
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def absolute(number: Number) -> Value:
    return plain(abs(number))


def ceil(number: Number) -> Value:
    return plain(number) if number == int(number) else math.ceil(number)


def floor(number: Number) -> Value:
    return plain(number) if number == int(number) else math.floor(number)


def log(number: Number, base: Number) -> Value:
    if number < 0 or base < 0 or (number == base and number in (0, 1)):
        raise Refused("result is not a number")
    if number == 0 or base == 1:
        return Unknown("the logarithm is infinite")
    return plain(math.log(number) / math.log(base)) if base else 0


def power(number: Number, exponent: Number) -> Value:
    try:
        result = math.pow(number, exponent)
    except OverflowError:
        return Unknown("the power is too large to be computed")
    except ValueError:
        if number == 0:
            return Unknown("the power is infinite")
        raise Refused("result is not a number") from None
    return plain(result)


def signum(number: Number) -> Value:
    if isinstance(number, float):
        raise Refused("value must be a whole number")
    return (number > 0) - (number < 0)


def maximum(*numbers: Number) -> Value:
    if not numbers:
        raise Refused("must pass at least one number")
    return max(numbers)


def minimum(*numbers: Number) -> Value:
    if not numbers:
        raise Refused("must pass at least one number")
    return min(numbers)


def parseint(text: Value, base: Number) -> Value:
    if not isinstance(text, str):
        raise Refused(f"first argument must be a string, not {kind(text)}", 0)
    if not isinstance(base, int) or not 2 <= base <= 62:
        raise Refused("base must be a whole number between 2 and 62 inclusive", 1)
    digits = text[1:] if text[:1] in ("+", "-") else text
    if len(digits) > _LONGEST:
        raise Refused("the number has too many digits", 0)
    if base <= 36:
        digits = digits.lower()
    value = 0
    for digit in digits:
        place = _DIGITS.find(digit)
        if not 0 <= place < base:
            raise Refused(f"cannot parse this string as a base {base} integer", 0)
        value = value * base + place
    if not digits:
        raise Refused(f"cannot parse this string as a base {base} integer", 0)
    return -value if text.startswith("-") else value


_NUMBER = Parameter("num", as_number)

FUNCTIONS: Mapping[str, Function] = {
    "abs": Function(absolute, (_NUMBER,)),
    "ceil": Function(ceil, (_NUMBER,)),
    "floor": Function(floor, (_NUMBER,)),
    "log": Function(log, (_NUMBER, Parameter("base", as_number))),
    "max": Function(maximum, rest=Parameter("numbers", as_number)),
    "min": Function(minimum, rest=Parameter("numbers", as_number)),
    "parseint": Function(parseint, (Parameter("number"), Parameter("base", as_number))),
    "pow": Function(power, (_NUMBER, Parameter("power", as_number))),
    "signum": Function(signum, (_NUMBER,)),
}
