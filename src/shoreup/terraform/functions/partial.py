"""Reading structured text of which some parts are unknown.

An unknown is taken to stand inside one value: ``replicas: ${var.n}`` has an unknown ``replicas`` and nothing else
is unknown. Each gap is filled with a mark, the text is decoded, and the marks become unknowns again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from shoreup.model.value import PartialText, Unknown, Value, join_text
from shoreup.terraform.functions.kinds import Refused, TerraformSet


def decode(text: PartialText, read: Callable[[str], Value], quoted: bool) -> Value:
    """Decode around the gaps; ``quoted`` says that a value of the format needs quotes to be a string.

    The whole is unknown where the text around the gaps makes no sense by itself.
    """
    gaps = [part for part in text.parts if isinstance(part, Unknown)]
    known = "".join(part for part in text.parts if isinstance(part, str))
    word = "unknown"
    while word in known:
        word += "x"
    filled: list[str] = []
    inside = False
    for part in text.parts:
        if isinstance(part, str):
            filled.append(part)
            inside = _inside_quotes(part, inside)
        else:
            mark = f"{word}q{gaps.index(part)}q"
            filled.append(mark if inside or not quoted else f'"{mark}"')
    try:
        value = read("".join(filled))
    except Refused:
        return Unknown(text.reason)
    return _restored(value, re.compile(f"{word}q([0-9]+)q"), gaps)


def _inside_quotes(part: str, inside: bool) -> bool:
    for found in re.finditer(r'\\.|"', part, re.DOTALL):
        if found[0] == '"':
            inside = not inside
    return inside


def _restored(value: Value, mark: re.Pattern[str], gaps: Sequence[Unknown]) -> Value:
    if isinstance(value, str):
        pieces = mark.split(value)
        if len(pieces) == 3 and not pieces[0] and not pieces[2]:
            return gaps[int(pieces[1])]
        return join_text([gaps[int(piece)] if index % 2 else piece for index, piece in enumerate(pieces)])
    if isinstance(value, dict):
        for key in value:
            if (found := mark.search(key)) is not None:
                return gaps[int(found[1])]
        return {key: _restored(item, mark, gaps) for key, item in value.items()}
    if isinstance(value, list) and not isinstance(value, TerraformSet):
        return [_restored(item, mark, gaps) for item in value]
    return value
