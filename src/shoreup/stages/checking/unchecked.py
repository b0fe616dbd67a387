"""Places that are found, of which the statement was not checked.

That lines exist, and that they have some of the words of a claim, does not make the claim true. A place is confirmed
where quoted code or an amount stands in it, or where nearly all that is said of it does.
"""

from __future__ import annotations

import re

from msgspec.structs import replace

from shoreup.model.claim import Answer, Checked, Kind
from shoreup.stages.checking.corpus import Corpus
from shoreup.stages.checking.document import FILE
from shoreup.stages.checking.evidence import frequency, holds
from shoreup.stages.checking.words import parts, shared, telling

_PLACE = re.compile(
    rf"\[[^\]]*\]\([^)]*\)|`?(?:{FILE})(?::\d+(?:[-–]\d+)?)*`?|\b(?:L|lines?\s+)\d+(?:\s*(?:-|–|to|through|and|,)\s*L?\d+)*",
    re.IGNORECASE,
)
_SHOWS = re.compile(r"`[^`]*\w[^`]*`|(?<![\w.])\d")
"""Code or an amount."""
_COMMENT = re.compile(r"\s*(?:#|//|--|<!--|/?\*|;)")
_AROUND = 3
"""Lines around a place that may name what stands there."""
_SPARE = 2
"""Words of a statement that its place need not have."""


def honest(tree: Corpus, one: Checked) -> Checked:
    """The answer to a place, *place found* where no more than that was seen; any other answer as it is."""
    if one.kind is not Kind.ANCHOR or not one.spots:
        return one
    if one.answer is Answer.UNDECIDED:
        return replace(one, answer=Answer.PLACE)
    if one.answer is not Answer.CONFIRMED:
        return one
    said = _PLACE.sub(" ", one.text)
    if all(_COMMENT.match(line) for spot in one.spots for line in tree.cut(spot.file)[spot.line - 1 : spot.line]):
        said = re.sub(r"\bcommented[ -]out\b", "", said)
    rest = telling(said) - shared(telling(said), parts(_there(tree, one)))
    quoted = [code for code in re.findall(r"`([^`]+)`", one.sentence) if not _PLACE.fullmatch(code)]
    lines = [line for spot in one.spots for line in tree.cut(spot.file)[spot.line - 1 : spot.line]]
    shows = _SHOWS.search(said) is not None or frequency(said) is not None
    shows = shows or any(holds(line, code) for line in lines for code in quoted)
    if not telling(said) and not shows:
        return replace(one, answer=Answer.PLACE)
    if shows or (len(rest) <= _SPARE and any(not word.startswith("=") for word in telling(said) - rest)):
        return one
    unseen = ", ".join(sorted(word for word in rest if not word.startswith("=")))
    return replace(one, answer=Answer.PLACE, said=f"{one.said}; not seen there: {unseen}" if unseen else one.said)


def shows_value(text: str) -> bool:
    """Whether a claim shows code, more than a name."""
    return re.search(r"`[^`]*[^`\w-][^`]*`", _PLACE.sub(" ", text).replace("``", "")) is not None


def _there(tree: Corpus, one: Checked) -> str:
    lines = (
        line
        for spot in one.spots
        for line in tree.cut(spot.file)[max(0, spot.line - 1 - _AROUND) : spot.line + _AROUND]
    )
    return " ".join((one.said, *(spot.file for spot in one.spots), *lines))
