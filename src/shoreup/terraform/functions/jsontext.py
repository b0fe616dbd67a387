"""JSON as Terraform writes it: no spaces, keys sorted, and characters that are special in HTML escaped."""

from __future__ import annotations

from json.encoder import encode_basestring

from shoreup.model.value import PartialText, Unknown, Value, join_text
from shoreup.terraform.functions.kinds import number_text

_OF_HTML = {char: f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


def escape(text: str) -> str:
    """The text as it stands between the quotes of a JSON string."""
    return quote(text)[1:-1]


def quote(text: str) -> str:
    """The text as a JSON string."""
    quoted = encode_basestring(text)
    for char, escaped in _OF_HTML.items():
        quoted = quoted.replace(char, escaped)
    return quoted


def encode(value: Value) -> str | PartialText:
    """A value as JSON; what is unknown stays an unknown part of the text."""
    parts: list[str | Unknown] = []
    _write(value, parts)
    return join_text(parts)


def _write(value: Value, parts: list[str | Unknown]) -> None:
    if isinstance(value, str):
        parts.append(quote(value))
    elif value is None:
        parts.append("null")
    elif isinstance(value, bool):
        parts.append("true" if value else "false")
    elif isinstance(value, (int, float)):
        parts.append(number_text(value))
    elif isinstance(value, Unknown):
        parts.append(value)
    elif isinstance(value, PartialText):
        parts.append('"')
        parts.extend(escape(part) if isinstance(part, str) else part for part in value.parts)
        parts.append('"')
    else:
        _write_items(value, parts)


def _write_items(value: list[Value] | dict[str, Value], parts: list[str | Unknown]) -> None:
    parts.append("{" if isinstance(value, dict) else "[")
    separator = ""
    for key in sorted(value) if isinstance(value, dict) else range(len(value)):
        parts.append(separator)
        separator = ","
        if isinstance(key, str):
            parts.append(f"{quote(key)}:")
        _write(value[key], parts)  # type: ignore[index]  # the key's type follows the container's
    parts.append("}" if isinstance(value, dict) else "]")
