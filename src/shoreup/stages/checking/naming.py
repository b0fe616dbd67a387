"""The places that a sentence names, each with what the sentence says of it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from shoreup.stages.checking.clauses import around
from shoreup.stages.checking.document import FILE, Sentence
from shoreup.stages.checking.words import telling

_WITH_LINE = re.compile(rf"(?P<file>{FILE})`?:(?:L)?(?P<first>\d+)(?:\s*[-–]\s*L?(?P<last>\d+))?")
_LINES_OF = re.compile(r"\blines? (?P<first>\d+)(?:\s*(?:-|–|to|through|and)\s*(?P<last>\d+))?", re.IGNORECASE)


class Anchor(Struct, frozen=True):
    """A place as a document names it; lines are 1-based, ``last`` inclusive.

    ``said`` is the clause that speaks of it, ``part`` that clause as it stands in the document. ``wider`` is all that
    stands before the place since the last one, ``rest`` what stands behind the last place of a sentence; it may speak
    of other lines of the file.
    """

    written: str
    file: str
    first: int
    last: int
    said: str
    part: str
    wider: str = ""
    rest: str = ""


def anchors(sentence: Sentence) -> Sequence[Anchor]:
    """Every place that a sentence names, each with what is said of it."""
    text = sentence.text
    found: list[tuple[re.Match[str], str]] = [(one, one["file"]) for one in _WITH_LINE.finditer(text)]
    if not found and sentence.file:
        found = [(one, sentence.file) for one in _LINES_OF.finditer(text)]
    told = []
    before, row = 0, " | " in text
    for number, (match, file) in enumerate(found):
        start, end = around(text, match.start())
        start = before if row else max(start, before)
        behind = found[number + 1][0].start() if number + 1 < len(found) else len(text)
        closed = _closed(text, start, match.end())
        end, whole = closed, max(closed, min(end, behind))
        if silent(text[start:end]) and not row:
            end = whole
        if silent(text[start:end]):
            start, end = (0, len(text)) if silent(text[before:end]) else (before, end)
        if row and len(found) == 1:
            start, end = 0, len(text)
        wider = text[before : match.end()]
        rest = text[max(end, match.end()) :] if number == len(found) - 1 else ""
        first = int(match["first"])
        last = max(first, int(match["last"] or first))
        told.append(
            Anchor(
                match[0].strip("`"),
                file,
                first,
                last,
                without_places(text[start:end]),
                sentence.part(start, end),
                without_places(wider),
                rest,
            )
        )
        before = _closed(text, start, match.end())
    return told


def _closed(text: str, start: int, end: int) -> int:
    """The end of a place with the marks behind it that close what was opened before it."""
    while end < len(text) and text[end] in "`)":
        end += 1
    if text.count("(", start, end) > text.count(")", start, end):
        close = text.find(")", end)
        return close + 1 if close >= 0 else end
    return end


def silent(text: str) -> bool:
    """Whether a piece of text says nothing of its places."""
    bare = without_places(text)
    return not telling(bare) and not re.search(r"`[^`|]*\w[^`|]*`", bare)


def without_places(text: str) -> str:
    text = _LINES_OF.sub(" ", re.sub(rf"`?(?:{_WITH_LINE.pattern})`?", " ", text))
    return re.sub(rf"`?(?:{FILE})`?", " ", text)
