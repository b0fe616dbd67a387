"""What an unquoted scalar means: the rules of go-yaml version 2, through which every manifest passes.

They are neither YAML 1.1 nor 1.2: ``yes`` and ``on`` are booleans, ``0777`` is octal, ``1_000`` is a number,
``12:30:45`` and dates are text. Kustomize reads with version 3, where ``yes`` and ``on`` are text; that is
what ``words=False`` is for.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TypeAlias

Plain: TypeAlias = bool | int | float | str | None

_TRUE = {"true": True, "True": True, "TRUE": True}
_FALSE = {"false": False, "False": False, "FALSE": False}
_WORDS: Mapping[str, bool] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF"), False),
}
_FIXED: Mapping[str, Plain] = {
    **_TRUE,
    **_FALSE,
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_FIXED_AND_WORDS: Mapping[str, Plain] = {**_FIXED, **_WORDS}

_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}", re.ASCII)
_INTEGER = re.compile(
    r"(?P<sign>[-+]?)(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[bB](?P<bin>[01]+)|0[oO](?P<oct>[0-7]+)"
    r"|0(?P<old>[0-7]+)|(?P<dec>0|[1-9][0-9]*))",
    re.ASCII,
)
_BASES = {"hex": 16, "bin": 2, "oct": 8, "old": 8, "dec": 10}
_LONGEST_NUMBER = 400
"""Longer digit strings are text to us: converting them costs time squared."""

NUMBER_STARTS = frozenset("+-.0123456789")


def resolve(text: str, *, words: bool = True) -> Plain:
    """The value of a plain scalar. ``words`` says whether yes, no, on and off are booleans."""
    fixed = _FIXED_AND_WORDS if words else _FIXED
    if text in fixed:
        return fixed[text]
    if text[0] not in NUMBER_STARTS or len(text) > _LONGEST_NUMBER:
        return text
    if text[0] == ".":
        return float(text) if _FLOAT.fullmatch(text) else text
    if _DATE.match(text):
        return text
    digits = text.replace("_", "")
    found = _INTEGER.fullmatch(digits)
    if found is not None:
        group = found.lastgroup or "dec"
        number = int(found[group], _BASES[group])
        return -number if found["sign"] == "-" else number
    return float(digits) if _FLOAT.fullmatch(digits) else text


def resolve_tagged(text: str, tag: str) -> Plain:
    """The value of a scalar with an explicit tag; of a tag that is not YAML's own, the text."""
    name = tag.removeprefix("tag:yaml.org,2002:")
    if name == "null":
        return None
    if name in ("bool", "int", "float"):
        value = resolve(text)
        if name == "float" and isinstance(value, int) and not isinstance(value, bool):
            return float(value) if abs(value) < 1 << 1000 else value
        return value
    return text


def key_text(value: Plain) -> str:
    """A mapping's key as JSON has it: always text."""
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return str(value)
