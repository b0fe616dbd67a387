"""The text that a shell gets, and the way from each of its characters back to the outer text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from shoreup.formats.offsets import offsets
from shoreup.formats.shell.program import Part, Word

HOLE = "\ue000"
"""Stands in the parsed text where a part is put in whose text is not known."""

_KUBERNETES_REFERENCE = re.compile(r"\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")


class Source(NamedTuple):
    """A text to parse; ``offsets[i]`` is the outer place of character ``i``, the one behind the last included.

    ``reworded`` are outer places at which the text says the same in other characters.
    """

    text: str
    offsets: Sequence[int]
    holes: dict[int, Part]
    reworded: frozenset[int] = frozenset()


def prepare(text: str, gaps: Sequence[int], environment: frozenset[str]) -> Source:
    """The text with gaps and Kubernetes' references as holes, and backquotes as what says the same."""
    pieces: list[tuple[int, int, Part]] = [(gap, gap, Part("unknown", "", gap, gap)) for gap in gaps]
    if environment:
        for match in _KUBERNETES_REFERENCE.finditer(text):
            escaped = match.start() > 0 and text[match.start() - 1] == "$"
            if match.group(1) in environment and not escaped:
                part = Part("variable", match.group(1), match.start(), match.end(), quoted=True)
                pieces.append((match.start(), match.end(), part))
    ticks = _backquoted(text) if "`" in text else []
    if not pieces and not ticks:
        return Source(text, offsets(len(text)), {})
    made: list[str] = []
    places: list[int] = []
    outer = offsets(len(text))
    holes: dict[int, Part] = {}
    position = 0
    replaced: list[tuple[int, int, Part | str]] = [*pieces, *ticks]
    for start, end, held in sorted(replaced, key=lambda piece: piece[:2]):
        if start < position:
            continue
        made.append(text[position:start])
        places.extend(outer[position:start])
        if isinstance(held, str):
            made.append(held)
            places.extend([start] * len(held))
        else:
            holes[len(places)] = held
            made.append(HOLE)
            places.append(start)
        position = end
    made.append(text[position:])
    places.extend(outer[position : len(text) + 1])
    return Source("".join(made), places, holes, frozenset(start for start, _, _ in ticks))


def _backquoted(text: str) -> list[tuple[int, int, str]]:
    """The backquotes of a text and what says the same: the grammar takes ``a-`date` `` for two words."""
    found: list[tuple[int, int, str]] = []
    quote = ""
    opened = -1
    for index, char in enumerate(text):
        if index and text[index - 1] == "\\" and quote != "'":
            if char == "`":
                return []  # one inside another
        elif char == "'" and quote != '"' and opened < 0:
            quote = "" if quote == "'" else "'"
        elif char == '"' and quote != "'" and opened < 0:
            quote = "" if quote == '"' else '"'
        elif char == "\n" and opened >= 0:
            return []
        elif char == "`" and quote != "'":
            if opened < 0:
                opened = index
            else:
                found.extend(((opened, opened + 1, "$("), (index, index + 1, ")")))
                opened = -1
    return found if opened < 0 and not quote else []


def positions_of(part: Part) -> tuple[int, ...]:
    """The place of each character of a part's text."""
    if part.positions is not None:
        return part.positions or (part.start,) * len(part.text)
    return tuple(range(part.start, part.start + len(part.text)))


def source_of(word: Word) -> Source:
    """The program that an inner shell gets from a word. What the outer shell puts in becomes a hole."""
    text: list[str] = []
    places: list[int] = []
    holes: dict[int, Part] = {}
    for part in word.parts:
        if part.kind in ("literal", "glob"):
            text.append(part.text)
            places.extend(positions_of(part))
        else:
            holes[len(places)] = part
            text.append(HOLE)
            places.append(part.start)
    last = word.parts[-1] if word.parts else None
    places.append(last.end if last is not None else word.end)
    return Source("".join(text), places, holes)
