"""Claims about a place: a file, lines of it, and what is said to stand there.

An anchor grows stale while its text stays true, so what is not at its line is looked for by content: further up or down
the file, and in files of the same name elsewhere. That lines exist confirms nothing of what is said of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from shoreup.model.claim import Answer, Checked, Kind, Spot
from shoreup.model.finding import Finding
from shoreup.stages.auditing.masking import masked
from shoreup.stages.checking.corpus import Corpus
from shoreup.stages.checking.document import FILE, Sentence
from shoreup.stages.checking.evidence import Lines, Mismatch, Wanted, abridged, wanted
from shoreup.stages.checking.places import meant
from shoreup.stages.checking.words import shared, telling

_WITH_LINE = re.compile(rf"(?P<file>{FILE})`?:(?:L)?(?P<first>\d+)(?:\s*[-–]\s*L?(?P<last>\d+))?")
_LINES_OF = re.compile(r"\blines? (?P<first>\d+)(?:\s*(?:-|–|to|through|and)\s*(?P<last>\d+))?", re.IGNORECASE)
_FILE_ALONE = re.compile(rf"(?:{FILE})(?::\d+(?:[-–]\d+)?)?")
_NAME = re.compile(r"[A-Za-z][\w.-]*[_-][\w.-]*\w|[a-z]+[A-Z]\w+")
"""Words that are names: with a hyphen or underscore inside, or in camel case."""
_LONGEST = 90
_NEAR = 2
"""Lines beside a place that are no other place, if only words tell."""
_SHORTEST = 4


class Anchor(Struct, frozen=True):
    """A place as a document names it; lines are 1-based, ``last`` inclusive. ``said`` is the text that speaks of it."""

    written: str
    file: str
    first: int
    last: int
    said: str
    rest: str = ""
    """What stands behind the last place of a sentence; it may speak of other lines of the file."""


def anchors(sentence: Sentence) -> Sequence[Anchor]:
    """Every place that a sentence names, each with what stands before it."""
    found: list[tuple[re.Match[str], str]] = [(one, one["file"]) for one in _WITH_LINE.finditer(sentence.text)]
    if not found and sentence.file:
        found = [(one, sentence.file) for one in _LINES_OF.finditer(sentence.text)]
    told = []
    start = 0
    for match, file in found:
        before = sentence.text[start : match.start()]
        start = match.end()
        bare = _without_places(before)
        silent = not telling(bare) and not re.search(r"`[^`|]*\w[^`|]*`", bare)
        said = sentence.text if silent else before
        first = int(match["first"])
        last = max(first, int(match["last"] or first))
        rest = sentence.text[match.end() :] if said == before and match is found[-1][0] else ""
        told.append(Anchor(match[0].strip("`"), file, first, last, _without_places(said), rest))
    return told


def _without_places(text: str) -> str:
    text = _LINES_OF.sub(" ", _WITH_LINE.sub(" ", text))
    return re.sub(rf"`?(?:{FILE})`?", " ", text)


class Places(Struct, frozen=True):
    """Answers claims about places in a tree. ``findings`` are those of its audit.

    ``blocks`` says which lines of a file declare what has a name, first and last.
    """

    tree: Corpus
    findings: Sequence[Finding]
    blocks: Callable[[str, str], Sequence[tuple[int, int]]]

    def answers(self, sentence: Sentence) -> Iterator[Checked]:
        """What the files say to a sentence's anchors and quotes."""
        found = anchors(sentence)
        for anchor in found:
            yield from self._anchored(sentence, anchor)
        if not found and sentence.file and _FILE_ALONE.search(sentence.text):
            yield from self._quoted(sentence)

    def _anchored(self, sentence: Sentence, anchor: Anchor) -> Iterator[Checked]:
        files = meant(self.tree, anchor.file, sentence.written)
        if files.ambiguous:
            yield _checked(sentence, anchor.written, Kind.ANCHOR, Answer.UNDECIDED, files.why)
        for path in files.paths:
            yield from self._at(sentence, anchor, path)
        if files.paths or files.ambiguous:
            return
        for path in files.likely:
            lines = self._lines(path)
            wish = self._wish(sentence, anchor, path)
            if lines is None or wish.empty:
                continue
            here = lines.standing(wish.codes, anchor.first, anchor.last)
            if here or lines.said(wish, anchor.first, anchor.last):
                said = f"it is in {path} now"
                spots = (Spot(path, here or anchor.first),)
                yield _checked(sentence, anchor.written, Kind.ANCHOR, Answer.MOVED, said, spots)
                return
        yield _checked(sentence, anchor.written, Kind.ANCHOR, Answer.WRONG, files.why)

    def _at(self, sentence: Sentence, anchor: Anchor, path: str) -> Iterator[Checked]:
        lines = self._lines(path)
        if lines is None:
            said = f"{path} is not text that can be read ({self.tree.skipped.get(path, 'unreadable')})"
            yield _checked(sentence, anchor.written, Kind.ANCHOR, Answer.UNDECIDED, said)
            return
        wish = self._wish(sentence, anchor, path)
        placed = self._placed(sentence, anchor, path, lines, wish)
        yield placed
        at = placed.spots[0].line if placed.answer is Answer.MOVED and placed.spots else anchor.first
        if placed.answer in (Answer.CONFIRMED, Answer.MOVED):
            for one in lines.mismatches(wish, at, max(at, anchor.last)):
                yield _measured(sentence, path, one)
            for one in lines.mismatches(wanted(anchor.rest, ()), 1, len(lines.text)):
                yield _measured(sentence, path, one)

    def _placed(self, sentence: Sentence, anchor: Anchor, path: str, lines: Lines, wish: Wanted) -> Checked:
        """Whether what is said stands at the place, elsewhere, or nowhere."""
        here = lines.standing(wish.codes, anchor.first, anchor.last)
        if here:
            return self._stands(sentence, anchor, path, here)
        behind = [one for one in self._quotes(sentence.codes, path) if one in anchor.rest and one not in wish.codes]
        here = lines.standing(behind, anchor.first, anchor.last)
        if here and not wish.codes:
            return self._stands(sentence, anchor, path, here)
        elsewhere = lines.nearest(wish.codes, anchor.first)
        words = lines.said(wish, anchor.first, anchor.last)
        if elsewhere and not (words and " | " in sentence.text):
            said = f"{_what(wish.codes)} stands at {path}:{elsewhere} now"
            return _checked(sentence, anchor.written, Kind.ANCHOR, Answer.MOVED, said, (Spot(path, elsewhere),))
        named = self._named(sentence, anchor, path)
        if named is not None:
            return named
        untrue = next((one for one in wish.codes if _is_value(one)), "")
        if words and untrue and not elsewhere:
            return self._not_there(sentence, anchor, path, [untrue], here=True)
        if words and anchor.first <= len(lines.text):
            return self._stands(sentence, anchor, path, anchor.first)
        if any(map(_looks_like_code, wish.codes)):
            return self._not_there(sentence, anchor, path, wish.codes)
        if anchor.first > len(lines.text):
            said = f"{path} has {len(lines.text)} lines"
            return _checked(sentence, anchor.written, Kind.ANCHOR, Answer.WRONG, said)
        best = lines.best(wish)
        if best and not anchor.first - _NEAR <= best <= anchor.last + _NEAR:
            said = f"what is said of it fits {path}:{best}"
            return _checked(sentence, anchor.written, Kind.ANCHOR, Answer.MOVED, said, (Spot(path, best),))
        return self._unrecognised(sentence, anchor, path, wish)

    def _named(self, sentence: Sentence, anchor: Anchor, path: str) -> Checked | None:
        """A place of which only the name of what is there is said."""
        for name in _names(sentence, anchor):
            blocks = self.blocks(path, name)
            if any(first <= anchor.last and anchor.first <= last for first, last in blocks):
                return self._stands(sentence, anchor, path, anchor.first)
            if blocks:
                first = min(blocks, key=lambda one: abs(one[0] - anchor.first))[0]
                said = f"{name} is at {path}:{first} now"
                return _checked(sentence, anchor.written, Kind.ANCHOR, Answer.MOVED, said, (Spot(path, first),))
        return None

    def _unrecognised(self, sentence: Sentence, anchor: Anchor, path: str, wish: Wanted) -> Checked:
        """Lines that exist; of what is said of them nothing was recognised, unless a finding says it."""
        about = self._found(path, anchor)
        spots, prints = (Spot(path, anchor.first),), tuple(one.fingerprint for one in about)
        named = f"; found there: {_concerns(about)}" if about else ""
        if wish.empty:
            said = f"the lines are there; the text does not say what should stand in them{named}"
            return _checked(sentence, anchor.written, Kind.ANCHOR, Answer.CONFIRMED, said, spots, prints)
        told = telling(" ".join(f"{one.message} {one.concern}" for one in about))
        ids = telling(" ".join(one.concern for one in about))
        if len(shared(wish.words, told)) > 1 and shared(wish.words, ids):
            return _checked(sentence, anchor.written, Kind.ANCHOR, Answer.CONFIRMED, named[2:], spots, prints)
        said = f"the lines are there, but nothing of what is said was recognised in them{named}"
        return _checked(sentence, anchor.written, Kind.ANCHOR, Answer.UNDECIDED, said, spots, prints)

    def _stands(self, sentence: Sentence, anchor: Anchor, path: str, here: int) -> Checked:
        about = self._found(path, anchor)
        said = "it stands there"
        if about:
            said = f"{said}; found there too: {_concerns(about)}"
        prints = tuple(one.fingerprint for one in about)
        return _checked(sentence, anchor.written, Kind.ANCHOR, Answer.CONFIRMED, said, (Spot(path, here),), prints)

    def _found(self, path: str, anchor: Anchor) -> Sequence[Finding]:
        return [
            one
            for one in self.findings
            if one.file == path and one.line <= anchor.last and max(one.end_line, one.line) >= anchor.first
        ]

    def _not_there(
        self, sentence: Sentence, anchor: Anchor, path: str, quotes: Sequence[str], *, here: bool = False
    ) -> Checked:
        """What stands nowhere in its file. ``here`` says that the place itself is the one that is meant."""
        there = [] if here else [spot for one in self.tree.files for spot in self._spots(one, quotes)]
        if len(there) == 1:
            said = f"{_what(quotes)} stands at {there[0].file}:{there[0].line}"
            return _checked(sentence, anchor.written, Kind.ANCHOR, Answer.MOVED, said, tuple(there))
        text = self.tree.text(path) or ""
        shown = masked(text, [range(anchor.first, anchor.first + 1)], secret=False).get(anchor.first, "").strip()
        now = f"; line {anchor.first} is {shown[:_LONGEST]!r}" if shown else ""
        said = f"{_what(quotes)} stands nowhere in {path}{now}"
        return _checked(sentence, anchor.written, Kind.ANCHOR, Answer.WRONG, said, (Spot(path, anchor.first),))

    def _wish(self, sentence: Sentence, anchor: Anchor, path: str) -> Wanted:
        mine = [one for one in sentence.codes if one in anchor.said or one not in sentence.text]
        return wanted(
            anchor.said, sorted(self._quotes(mine, path), key=lambda one: (not _looks_like_code(one), -len(one)))
        )

    def _quotes(self, codes: Sequence[str], path: str) -> list[str]:
        """What stands in backticks and is neither a file nor a place nor the name of a thing of the file."""
        found = (one for one in codes if not _FILE_ALONE.fullmatch(one) and len(one) > 1)
        return [
            one
            for one in found
            if one.strip("/") not in self.tree.folders and not self.blocks(path, one.rpartition("/")[2])
        ]

    def _quoted(self, sentence: Sentence) -> Iterator[Checked]:
        """Code that is said to stand somewhere in a file."""
        files = meant(self.tree, sentence.file, sentence.written)
        for path in files.paths[:1]:
            lines = self._lines(path)
            for quote in self._quotes(sentence.codes, path) if lines is not None else ():
                at = lines.nearest([quote], 1) if lines is not None and len(quote) >= _SHORTEST else 0
                if at:
                    said, spots = f"it stands at {path}:{at}", (Spot(path, at),)
                    yield _checked(sentence, quote, Kind.QUOTE, Answer.CONFIRMED, said, spots)
                elif lines is not None and _looks_like_code(quote) and not _denied(sentence, quote):
                    yield self._unquoted(sentence, path, quote, lines)
        if files.paths or files.ambiguous:
            return
        wish = wanted(_without_places(sentence.text), self._quotes(sentence.codes, ""))
        for path in files.likely:
            lines = self._lines(path)
            at = (lines.nearest(wish.codes, 1) or lines.best(wish)) if lines is not None else 0
            if at:
                said, spots = f"{files.why}; what is said fits {path}:{at}", (Spot(path, at),)
                yield _checked(sentence, sentence.file, Kind.ANCHOR, Answer.MOVED, said, spots)
                return
        yield _checked(sentence, sentence.file, Kind.ANCHOR, Answer.WRONG, files.why)

    def _unquoted(self, sentence: Sentence, path: str, quote: str, lines: Lines) -> Checked:
        """A quote that does not stand in its file as it is written."""
        at = abridged(lines.text, quote)
        if at:
            said = f"in other words it stands at {path}:{at}"
            return _checked(sentence, quote, Kind.QUOTE, Answer.CONFIRMED, said, (Spot(path, at),))
        if " | " in sentence.text or len(set(re.findall(FILE, sentence.text))) > 1:
            said = f"it does not stand in {path} as it is written; the sentence may mean another file"
            return _checked(sentence, quote, Kind.QUOTE, Answer.UNDECIDED, said)
        return _checked(sentence, quote, Kind.QUOTE, Answer.WRONG, f"it stands nowhere in {path}")

    def _lines(self, path: str) -> Lines | None:
        return self.tree.lines(path)

    def _spots(self, path: str, quotes: Sequence[str]) -> Iterator[Spot]:
        if all(self.tree.has(path, quote) for quote in quotes):
            yield from (Spot(path, one) for one in self.tree.standing(path, quotes[0])[:1])


def _denied(sentence: Sentence, quote: str) -> bool:
    """Whether a sentence says that a quote is missing."""
    before = sentence.text.partition(f"`{quote}`")[0]
    return (
        re.search(r"\b(?:no|not|without|missing|lacks?|never|instead of)\b[^.;|]*$", before, re.IGNORECASE) is not None
    )


def _measured(sentence: Sentence, path: str, one: Mismatch) -> Checked:
    if not one.line:
        said = f"nothing was found that {one.amount.written!r} could be held against"
        return _checked(sentence, one.amount.written, Kind.PROPERTY, Answer.NOT_UNDERSTOOD, said)
    said = f"it is {one.true} at {path}:{one.line}"
    return _checked(sentence, one.amount.written, Kind.PROPERTY, Answer.WRONG, said, (Spot(path, one.line),))


def _concerns(about: Sequence[Finding]) -> str:
    return ", ".join(sorted({one.concern for one in about}))


def _names(sentence: Sentence, anchor: Anchor) -> list[str]:
    """Names in the sentence that its lines may be expected to hold."""
    return list(dict.fromkeys(one for one in _NAME.findall(anchor.said) if not _FILE_ALONE.fullmatch(one)))


def _looks_like_code(text: str) -> bool:
    """Whether it is more than a name that a person put into code's letters."""
    return bool(re.search(r"[=:{}()|$<>]|\s-", text))


def _is_value(text: str) -> bool:
    """Whether a quote is what a field has: code, a schedule, or with figures."""
    return _looks_like_code(text) or bool(re.search(r"\d", text))


def _what(quotes: Sequence[str]) -> str:
    return repr(quotes[0][:_LONGEST]) if quotes else "it"


def _checked(
    sentence: Sentence,
    text: str,
    kind: Kind,
    answer: Answer,
    said: str,
    spots: tuple[Spot, ...] = (),
    fingerprints: tuple[str, ...] = (),
) -> Checked:
    return Checked(sentence.line, text, kind, answer, said, spots, fingerprints, sentence.written)
