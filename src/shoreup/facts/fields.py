"""How facts look at fields: what is there, what is absent, what is not decided.

Bodies come from strangers, so any field may have any type. These readers give the wanted shape or its empty
form, and keep what is undecided apart where it matters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

from shoreup.formats.yaml import load
from shoreup.model.value import PartialText, Unknown, Value, pattern

_PLACEHOLDER = re.compile(r"\$\{[^}]*\}|\{\{.*?\}\}")
NOTHING: Mapping[str, Value] = MappingProxyType({})


def mapping(value: Value) -> Mapping[str, Value]:
    """The value as a mapping; empty when it is anything else."""
    return value if isinstance(value, dict) else NOTHING


def document(value: Value) -> Mapping[str, Value]:
    """The mapping that a YAML text inside a value holds; empty when it is none. A mapping is itself."""
    if not isinstance(value, str):
        return mapping(value)
    documents = load(value).documents
    return mapping(documents[0].value) if documents else NOTHING


def items(value: Value) -> Sequence[Value]:
    """The value as a list; empty when it is anything else."""
    return value if isinstance(value, list) else ()


def text(value: Value) -> str:
    """The value as text with ``*`` for unknown parts; empty when it is absent, a list or a mapping."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, (list, dict)):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return pattern(value)


def filled(value: Value) -> str:
    """As :func:`text`, and a placeholder that something else fills in later (``${NAME}``, ``{{ name }}``) is
    unknown too.
    """
    written = text(value)
    return _PLACEHOLDER.sub("*", written) if "${" in written or "{{" in written else written


def known_text(value: Value) -> str:
    """The value when it is a decided string, a number or a truth value as text, else empty."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    return ""


def number(value: Value) -> int | None:
    """The value as a whole number, also when it is written as a string; ``None`` when it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, str) and value.strip().lstrip("-").isdecimal() and len(value) < 19:
        return int(value)
    return None


def truth(value: Value) -> bool | None:
    """The value as a truth value; ``None`` when it is absent, undecided or none."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return None


def doubt(value: Value) -> Unknown | None:
    """The reason why the value is undecided, if it is."""
    if isinstance(value, Unknown):
        return value
    if isinstance(value, PartialText):
        return Unknown(value.reason)
    return None


def why_open(value: Value) -> str:
    """Why the value is undecided; empty when it is decided."""
    unsure = doubt(value)
    return "" if unsure is None else unsure.reason


def first(*values: Value) -> Value:
    """The first value that is there, decided or not."""
    return next((value for value in values if value is not None and value != ""), None)


def texts(value: Value) -> tuple[str, ...]:
    """The strings of a list, with ``*`` for unknown parts; one string counts as a list of one."""
    if isinstance(value, str):
        return (value,)
    return tuple(text(item) for item in items(value) if not isinstance(item, (list, dict)) and item is not None)


def every_text(value: Value, leave: Callable[[str, Value], bool] | None = None) -> Iterator[str]:
    """Every string inside a value, of a partly known one what is known, in no order that counts.

    Entries of mappings for which ``leave`` says so are left out with all that is in them.
    """
    waiting: list[Value] = [value]
    while waiting:
        held = waiting.pop()
        if isinstance(held, str):
            yield held
        elif isinstance(held, PartialText):
            yield "".join(part for part in held.parts if isinstance(part, str))
        elif isinstance(held, dict):
            waiting.extend(inner for key, inner in held.items() if leave is None or not leave(key, inner))
        elif isinstance(held, list):
            waiting.extend(held)
