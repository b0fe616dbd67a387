"""Terraform's functions without Terraform: each gives what the real one gives, or says that only an apply can know.

Values are plain Python data with ``Unknown`` and ``PartialText`` where something is not decided, and
:class:`TerraformSet` for sets. An unknown spreads as little as it must. The functions that read files are not
here: the evaluator does them, because it knows the module's folder (see :data:`FILE_FUNCTIONS`,
:func:`hashes.of_content` and :func:`filesystem.fileset`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from shoreup.model.value import Unknown, Value
from shoreup.terraform.functions import (
    collections,
    conversion,
    dates,
    encoding,
    filesystem,
    formatting,
    hashes,
    networks,
    numbers,
    sets,
    strings,
)
from shoreup.terraform.functions.kinds import FunctionError, TerraformSet, equal, make_set, number_text
from shoreup.terraform.functions.signature import Function, invoke

__all__ = [
    "FILE_FUNCTIONS",
    "FunctionError",
    "TerraformSet",
    "call",
    "equal",
    "known_functions",
    "make_set",
    "number_text",
]

FILE_FUNCTIONS = frozenset(
    [
        "file",
        "fileexists",
        "fileset",
        "filebase64",
        "filebase64sha256",
        "filebase64sha512",
        "filemd5",
        "filesha1",
        "filesha256",
        "filesha512",
        "templatefile",
        "templatestring",
    ]
)
"""Functions whose result depends on files or on the evaluator; ``call`` gives an unknown for them."""

_AT_APPLY = frozenset(["bcrypt", "uuid", "timestamp", "plantimestamp", "rsadecrypt"])
_WITHDRAWN = {"list": "use tolist([ ... ])", "map": "use tomap({ ... })"}


def call(name: str, arguments: Sequence[Value]) -> Value:
    """The result of a function. Raises ``FunctionError`` where Terraform would refuse the call."""
    name = name.removeprefix("core::")
    function = _table().get(name)
    if function is None:
        return _elsewhere(name)
    return _composed(invoke(name, function, [_composed(argument) for argument in arguments]))


def _composed(value: Value) -> Value:
    """Terraform keeps every string in Unicode's composed form."""
    if isinstance(value, str) and not value.isascii():
        return unicodedata.normalize("NFC", value)
    return value


def known_functions() -> Iterator[str]:
    """The names that ``call`` computes."""
    return iter(sorted(_table()))


@lru_cache(maxsize=1)
def _table() -> Mapping[str, Function]:
    families = (
        collections,
        conversion,
        dates,
        encoding,
        filesystem,
        formatting,
        hashes,
        networks,
        numbers,
        sets,
        strings,
    )
    return {name: function for family in families for name, function in family.FUNCTIONS.items()}


def _elsewhere(name: str) -> Value:
    if name in _AT_APPLY:
        return Unknown(f"the result of {name}() is known only at apply")
    if name in _WITHDRAWN:
        raise FunctionError(f'The "{name}" function is no longer available; {_WITHDRAWN[name]}.')
    if "::" in name:
        return Unknown(f"{name}() belongs to a provider")
    if name in FILE_FUNCTIONS:
        return Unknown(f"{name}() needs the module's files")
    return Unknown(f"there is no function {name}() here")
