"""``regex``, ``regexall`` and the pattern form of ``replace``, with Go's answers.

Terraform's patterns are RE2's: other flags and classes than Python's, no look-around, and linear time on any text,
which matters where the pattern is a stranger's. RE2's own library gives all of that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from shoreup.model.value import Value
from shoreup.terraform.functions.kinds import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

_VARIABLE = re.compile(r"\$(?:\$|(?P<name>[0-9A-Za-z_]+)|\{(?P<braced>[0-9A-Za-z_]+)\})")
_MAX_MEMORY = 8 << 20
"""Bytes that one compiled pattern may take; larger ones are refused."""


class _Match(Protocol):
    def span(self, group: int = 0) -> tuple[int, int]: ...

    def group(self, group: int = 0) -> str | None: ...


class _Pattern(Protocol):
    groups: int
    groupindex: Mapping[str, int]

    def finditer(self, text: str) -> Iterator[_Match]: ...


@lru_cache(maxsize=256)
def compiled(text: str) -> _Pattern:
    """A pattern ready to run. Raises ``Refused``."""
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_MEMORY
    try:
        pattern: _Pattern = re2.compile(text, options)
    except re2.error as problem:
        cause = problem.args[0] if problem.args else ""
        shown = cause.decode("utf-8", "replace") if isinstance(cause, bytes) else str(cause)
        kind = shown.partition(":")[0]  # what follows repeats the pattern, which may be a secret
        raise Refused(f"invalid regexp pattern: {kind}", 0) from None
    return pattern


def _matches(pattern: _Pattern, text: str) -> Iterator[_Match]:
    """All matches from left to right; an empty one directly after another match is left out, as in Go."""
    previous = -1
    for match in pattern.finditer(text):
        start, end = match.span()
        if not start == end == previous:
            yield match
        previous = end


def first(pattern: str, text: str) -> Value:
    """What ``regex`` gives."""
    expression = _without_mixed_groups(pattern)
    for match in _matches(expression, text):
        return _result(expression, match)
    raise Refused("pattern did not match any part of the given string")


def every(pattern: str, text: str) -> Value:
    """What ``regexall`` gives."""
    expression = _without_mixed_groups(pattern)
    return [_result(expression, match) for match in _matches(expression, text)]


def _without_mixed_groups(pattern: str) -> _Pattern:
    expression = compiled(pattern)
    if expression.groupindex and len(expression.groupindex) != expression.groups:
        raise Refused("invalid regexp pattern: cannot mix both named and unnamed capture groups", 0)
    return expression


def _result(expression: _Pattern, match: _Match) -> Value:
    if not expression.groups:
        return match.group()
    if expression.groupindex:
        return {name: match.group(number) for name, number in expression.groupindex.items()}
    return [match.group(number) for number in range(1, expression.groups + 1)]


def replace(pattern: str, text: str, template: str) -> Value:
    """Replace every match; ``$1``, ``${name}`` and ``$$`` in the template are expanded."""
    try:
        expression = compiled(pattern)
    except Refused as problem:
        raise Refused(str(problem)) from None
    pieces: list[str] = []
    position = 0
    for match in _matches(expression, text):
        start, end = match.span()
        pieces.append(text[position:start])
        pieces.append(_expanded(expression, template, match))
        position = end
    return "".join(pieces) + text[position:]


def _expanded(expression: _Pattern, template: str, match: _Match) -> str:
    def expand(found: re.Match[str]) -> str:
        name = found["name"] or found["braced"]
        if name is None:
            return "$"
        number = int(name) if name.isdigit() else expression.groupindex.get(name, -1)
        return (match.group(number) or "") if 0 <= number <= expression.groups else ""

    return _VARIABLE.sub(expand, template)
