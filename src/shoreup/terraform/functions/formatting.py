"""``format`` and ``formatlist``: the verbs of printf as Terraform understands them.

Integers and floats follow Go's formatting of its big numbers, strings are measured in grapheme clusters, and a
verb whose argument is unknown leaves the rest of the string readable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

from msgspec import Struct

from shoreup.model.value import PartialText, Unknown, Value, join_text
from shoreup.terraform.functions import graphemes, jsontext
from shoreup.terraform.functions.conversion import as_bool, as_number, as_text
from shoreup.terraform.functions.kinds import Number, Refused, binary, exact, first_unknown, plain
from shoreup.terraform.functions.signature import Function, Parameter

_VERB = re.compile(
    r"%(?P<flags>[0#+ -]*)(?P<width>[1-9][0-9]*)?(?P<precise>\.(?P<precision>[0-9]*))?"
    r"(?:\[(?P<index>[1-9][0-9]*)\])?(?P<letter>[a-zA-Z])"
)
_MAX_WIDTH = 10_000
_BASES = {"b": 2, "o": 8, "d": 10, "x": 16, "X": 16}
_PREFIXES = {"b": "0b", "o": "0", "d": "", "x": "0x", "X": "0X"}


class Verb(Struct, frozen=True):
    """One ``%`` sequence. ``precision`` and ``width`` are -1 where absent; ``offset`` counts characters."""

    raw: str
    offset: int
    letter: str
    flags: str
    width: int
    precision: int

    def refuse(self, why: str) -> Refused:
        return Refused(f'unsupported value for "{self.raw}" at {self.offset}: {why}')


def format_text(template: str, *arguments: Value) -> Value:
    parts: list[str | Unknown] = []
    position, following, highest = 0, 1, 0
    while (start := template.find("%", position)) >= 0:
        parts.append(template[position:start])
        if template.startswith("%%", start):
            parts.append("%")
            position = start + 2
            continue
        found = _VERB.match(template, start)
        if found is None:
            raise Refused(_unreadable(template, start))
        position = found.end()
        number = int(found["index"] or following)
        following, highest = number + 1, max(highest, number)
        verb = _verb(found)
        if number > len(arguments):
            needs = f"need index {number} but have {len(arguments)} total"
            raise Refused(f'not enough arguments for "{verb.raw}" at {start}: {needs}')
        parts.extend(_formatted(verb, arguments[number - 1]))
    parts.append(template[position:])
    if highest < len(arguments):
        used = f"only {highest} used by format string" if highest else "no verbs in format string"
        raise Refused(f"too many arguments; {used}", highest + 1)
    return join_text(parts)


def _unreadable(template: str, start: int) -> str:
    good = re.compile(r"%[0#+ -]*(?:[1-9][0-9]*)?(?:\.[0-9]*)?(?:\[(?:[1-9][0-9]*\]?)?)?").match(template, start)
    end = good.end() if good else start
    if end < len(template):
        return f"unrecognized format character {template[end]!r} at offset {end}"
    return f"invalid format string starting at offset {end}"


def _verb(found: re.Match[str]) -> Verb:
    width = int(found["width"] or -1)
    precision = int(found["precision"] or 0) if found["precise"] else -1
    if max(width, precision) > _MAX_WIDTH:
        raise Refused(f"the width in {found[0]} is too large")
    return Verb(found[0], found.start(), found["letter"], found["flags"], width, precision)


def _formatted(verb: Verb, value: Value) -> tuple[str | Unknown, ...]:
    if verb.letter not in "vtbdoxXeEfgGsq":
        raise Refused(f"unsupported format verb '{verb.letter}' in \"{verb.raw}\" at offset {verb.offset}")
    unpadded = verb.letter in "sv" and verb.width < 0 and verb.precision <= 0 and "#" not in verb.flags
    if isinstance(value, PartialText) and unpadded:
        return value.parts
    if (unknown := first_unknown(value)) is not None:
        if isinstance(value, (list, dict)) and verb.letter == "v":
            return _parts(jsontext.encode(value))
        return (unknown,)
    if verb.letter == "v":
        return (_default(verb, value),)
    if value is None:
        raise verb.refuse("null value cannot be formatted")
    return (_by_letter(verb, value),)


def _parts(text: Value) -> tuple[str | Unknown, ...]:
    return text.parts if isinstance(text, PartialText) else (str(text),)


def _default(verb: Verb, value: Value) -> str:
    if "#" not in verb.flags:
        if isinstance(value, str):
            return _padded(verb, value)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return _padded(verb, general(value, -1))
    encoded = jsontext.encode(value)
    assert isinstance(encoded, str)
    return _padded(verb, encoded)


def _by_letter(verb: Verb, value: Value) -> str:
    try:
        if verb.letter == "t":
            return "true" if as_bool(value) else "false"
        converted = as_text(value) if verb.letter in "sq" else as_number(value)
    except Refused as problem:
        raise verb.refuse(str(problem)) from None
    if isinstance(converted, str):
        if verb.precision > 0:
            converted = "".join(graphemes.clusters(converted)[: verb.precision])
        return _padded(verb, converted if verb.letter == "s" else jsontext.quote(converted))
    assert isinstance(converted, (int, float))
    number = plain(converted)
    if verb.letter not in _BASES:
        return _signed(verb, number < 0, _float_digits(verb, abs(number)))
    if not isinstance(number, int):
        raise verb.refuse("an integer is required")
    return _integer(verb, number)


def _padded(verb: Verb, text: str) -> str:
    missing = verb.width - graphemes.length(text)
    if missing <= 0:
        return text
    padding = ("0" if "0" in verb.flags else " ") * missing
    return text + padding if "-" in verb.flags else padding + text


def _integer(verb: Verb, number: int) -> str:
    digits = _in_base(abs(number), _BASES[verb.letter])
    if verb.letter == "X":
        digits = digits.upper()
    if verb.precision >= 0:
        digits = "" if number == 0 and verb.precision == 0 else digits.rjust(verb.precision, "0")
    prefix = _PREFIXES[verb.letter] if "#" in verb.flags else ""
    return _signed(verb, number < 0, digits, prefix)


def _in_base(number: int, base: int) -> str:
    return format(number, {2: "b", 8: "o", 10: "d", 16: "x"}[base])


def _signed(verb: Verb, negative: bool, digits: str, prefix: str = "") -> str:
    sign = "-" if negative else "+" if "+" in verb.flags else " " if " " in verb.flags else ""
    missing = verb.width - len(sign) - len(prefix) - len(digits)
    integer = verb.letter in _BASES
    if missing <= 0:
        return sign + prefix + digits
    if "-" in verb.flags:
        return sign + prefix + digits + " " * missing
    if "0" in verb.flags and not (integer and verb.precision >= 0):
        return sign + prefix + "0" * missing + digits
    return " " * missing + sign + prefix + digits


def _float_digits(verb: Verb, number: Number) -> str:
    if verb.letter == "f":
        return format(_rounded(number, -(6 if verb.precision < 0 else verb.precision)), "f")
    if verb.letter in "eE":
        return _scientific(number, 6 if verb.precision < 0 else verb.precision, verb.letter)
    return general(number, verb.precision, "E" if verb.letter == "G" else "e")


def general(number: Number, precision: int, mark: str = "e") -> str:
    """A number as Go's ``%g``: the shortest digits for a precision of -1, an exponent for large or small ones."""
    shortest = precision < 0
    precision = precision or 1
    if shortest:
        value = Decimal(repr(number)) if isinstance(number, float) else Decimal(number)
    else:
        value = _significant(number, precision)
    sign, digits, _ = value.as_tuple()
    stripped = "".join(map(str, digits)).rstrip("0") or "0"
    exponent = value.adjusted() if value else 0
    limit = precision
    if limit > len(stripped) >= exponent + 1:
        limit = len(stripped)
    if shortest:
        limit = 6
    minus = "-" if sign else ""
    if -4 <= exponent < limit:
        return minus + _without_exponent(stripped, exponent)
    tail = f".{stripped[1:]}" if len(stripped) > 1 else ""
    return f"{minus}{stripped[0]}{tail}{mark}{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def _without_exponent(digits: str, exponent: int) -> str:
    if exponent < 0:
        return "0." + "0" * (-exponent - 1) + digits
    whole = digits[: exponent + 1].ljust(exponent + 1, "0")
    return whole + (f".{digits[exponent + 1 :]}" if len(digits) > exponent + 1 else "")


def _scientific(number: Number, precision: int, mark: str) -> str:
    value = _significant(number, precision + 1)
    digits = "".join(map(str, value.as_tuple().digits)).ljust(precision + 1, "0")[: precision + 1]
    exponent = value.adjusted() if value else 0
    tail = f".{digits[1:]}" if precision else ""
    return f"{digits[0]}{tail}{mark}{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def _rounded(number: Number, exponent: int) -> Decimal:
    scaled = round(binary(exact(number)) * Fraction(10) ** -exponent)
    return Decimal(scaled).scaleb(exponent, Context(prec=_MAX_WIDTH * 2))


def _significant(number: Number, digits: int) -> Decimal:
    if not number:
        return Decimal(0)
    value = _rounded(number, Decimal(repr(number)).adjusted() - digits + 1)
    return Context(prec=digits, rounding=ROUND_HALF_EVEN).plus(value)


def format_list(template: str, *arguments: Value) -> Value:
    lengths = {len(argument) for argument in arguments if isinstance(argument, list)}
    if not lengths:
        for argument in arguments:
            if isinstance(argument, Unknown):
                return argument
        return [format_text(template, *arguments)]
    if len(lengths) > 1:
        raise _uneven(arguments)
    rows: list[Value] = []
    for index in range(lengths.pop()):
        row = [argument[index] if isinstance(argument, list) else argument for argument in arguments]
        try:
            rows.append(format_text(template, *row))
        except Refused as problem:
            raise Refused(f"error on format iteration {index}: {problem}") from None
    return rows


def _uneven(arguments: Sequence[Value]) -> Refused:
    lists = [(number, len(value)) for number, value in enumerate(arguments, 1) if isinstance(value, list)]
    first, size = lists[0]
    number, other = next((number, length) for number, length in lists if length != size)
    what = f"argument {number} has length {other}, which is inconsistent with argument {first} of length {size}"
    return Refused(what, number)


_FORMAT = Parameter("format", as_text)
_ARGUMENTS = Parameter("args", null=True, unknown=True)

FUNCTIONS: Mapping[str, Function] = {
    "format": Function(format_text, (_FORMAT,), _ARGUMENTS),
    "formatlist": Function(format_list, (_FORMAT,), _ARGUMENTS),
}
