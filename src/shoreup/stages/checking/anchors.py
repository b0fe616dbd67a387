"""Claims about a place: a file, lines of it, and what is said to stand there.

An anchor grows stale while its text stays true, so what is not at its line is looked for by content: further up or down
the file, and in files of the same name elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from shoreup.formats.files import FileTree
from shoreup.model.claim import Answer, Checked, Kind, Spot
from shoreup.model.finding import Finding
from shoreup.stages.checking.document import FILE, Sentence
from shoreup.stages.masking import masked

_WITH_LINE = re.compile(rf"(?P<file>{FILE})`?:(?:L)?(?P<first>\d+)(?:\s*[-–]\s*L?(?P<last>\d+))?")
_LINES_OF = re.compile(
    rf"\blines? (?P<first>\d+)(?:\s*(?:-|–|to|through|and)\s*(?P<last>\d+))?(?: (?:of|in) `?(?P<file>{FILE})`?)?",
    re.IGNORECASE,
)
_LENGTH = re.compile(
    r"(?P<about>about |around |roughly |almost |nearly |over |more than |~ ?)?(?P<number>\d[\d,]*)[ -]lines?\b(?! \d)",
    re.IGNORECASE,
)
_FILE_ALONE = re.compile(rf"(?:{FILE})(?::\d+(?:[-–]\d+)?)?")
_NAME = re.compile(r"[A-Za-z][\w.-]*[_-][\w.-]*\w|[a-z]+[A-Z]\w+")
"""Words that are names: with a hyphen or underscore inside, or in camel case."""
_ABOUT = 0.1
"""How far a number that is called approximate may be off, as a share."""
_LONGEST = 90


class Anchor(Struct, frozen=True):
    """A place as a document names it; lines are 1-based, ``last`` inclusive."""

    written: str
    file: str
    first: int
    last: int


def anchors(sentence: Sentence) -> Iterator[Anchor]:
    """Every place that a sentence names."""
    taken: list[tuple[int, int]] = []
    for match in _WITH_LINE.finditer(sentence.text):
        taken.append(match.span())
        yield _anchor(match, match["file"])
    for match in _LINES_OF.finditer(sentence.text):
        if any(start < match.end() and match.start() < end for start, end in taken):
            continue
        file = match["file"] or sentence.file
        if file:
            yield _anchor(match, file)


def _anchor(match: re.Match[str], file: str) -> Anchor:
    first = int(match["first"])
    return Anchor(match[0].strip("`"), file, first, max(first, int(match["last"] or first)))


class Places(Struct, frozen=True):
    """Answers claims about places in a tree. ``findings`` are those of its audit.

    ``blocks`` says which lines of a file declare what has a name, first and last.
    """

    tree: FileTree
    findings: Sequence[Finding]
    blocks: Callable[[str, str], Sequence[tuple[int, int]]]

    def answers(self, sentence: Sentence) -> Iterator[Checked]:
        """What the files say to a sentence's anchors, quotes and lengths."""
        found = list(anchors(sentence))
        for anchor in found:
            yield self._anchored(sentence, anchor)
        yield from self._lengths(sentence)
        if not found and sentence.file and _FILE_ALONE.search(sentence.text):
            yield from self._quoted(sentence)

    def _anchored(self, sentence: Sentence, anchor: Anchor) -> Checked:
        path, why = self._path(anchor.file)
        if not path:
            return _checked(sentence, anchor.written, Kind.ANCHOR, Answer.WRONG, why)
        text = self.tree.text(path)
        if text is None:
            said = f"{path} is not text that can be read ({self.tree.skipped.get(path, 'unreadable')})"
            return _checked(sentence, anchor.written, Kind.ANCHOR, Answer.UNDECIDED, said)
        lines = text.splitlines()
        quotes = self._quotes(sentence, path)
        here = _standing(lines, quotes, anchor.first, anchor.last)
        if here and path.endswith(anchor.file):
            return self._stands(sentence, anchor, path, here)
        if here:
            return _checked(
                sentence, anchor.written, Kind.ANCHOR, Answer.MOVED, f"it is in {path} now", (Spot(path, here),)
            )
        if quotes:
            elsewhere = _elsewhere(lines, quotes, anchor.first)
            if elsewhere:
                said = f"{_what(quotes)} stands at {path}:{elsewhere} now"
                return _checked(sentence, anchor.written, Kind.ANCHOR, Answer.MOVED, said, (Spot(path, elsewhere),))
            if any(map(_looks_like_code, quotes)):
                return self._not_there(sentence, anchor, path, text, quotes)
        return self._named(sentence, anchor, path, len(lines))

    def _named(self, sentence: Sentence, anchor: Anchor, path: str, length: int) -> Checked:
        """A place of which only the name of what is there is said."""
        for name in _names(sentence, anchor):
            blocks = self.blocks(path, name)
            if any(first <= anchor.last and anchor.first <= last for first, last in blocks):
                return self._stands(sentence, anchor, path, anchor.first)
            if blocks:
                first = min(blocks, key=lambda one: abs(one[0] - anchor.first))[0]
                said = f"{name} is at {path}:{first} now"
                return _checked(sentence, anchor.written, Kind.ANCHOR, Answer.MOVED, said, (Spot(path, first),))
        if anchor.first > length:
            said = f"{path} has {length} lines"
            return _checked(sentence, anchor.written, Kind.ANCHOR, Answer.WRONG, said)
        return self._stands(sentence, anchor, path, 0)

    def _stands(self, sentence: Sentence, anchor: Anchor, path: str, here: int) -> Checked:
        about = [
            one
            for one in self.findings
            if one.file == path and one.line <= anchor.last and max(one.end_line, one.line) >= anchor.first
        ]
        said = "it stands there" if here else "the lines are there; the text does not say what should stand in them"
        if about:
            said = f"{said}; found there too: {', '.join(sorted({one.concern for one in about}))}"
        prints = tuple(one.fingerprint for one in about)
        spots = (Spot(path, here or anchor.first),)
        return _checked(sentence, anchor.written, Kind.ANCHOR, Answer.CONFIRMED, said, spots, prints)

    def _not_there(self, sentence: Sentence, anchor: Anchor, path: str, text: str, quotes: Sequence[str]) -> Checked:
        there = [spot for one in sorted(self.tree.files) for spot in self._spots(one, quotes)]
        if len(there) == 1:
            said = f"{_what(quotes)} stands at {there[0].file}:{there[0].line}"
            return _checked(sentence, anchor.written, Kind.ANCHOR, Answer.MOVED, said, tuple(there))
        shown = masked(text, [range(anchor.first, anchor.first + 1)], secret=False).get(anchor.first, "").strip()
        now = f"; line {anchor.first} is {shown[:_LONGEST]!r}" if shown else ""
        said = f"{_what(quotes)} stands nowhere in {path}{now}"
        return _checked(sentence, anchor.written, Kind.ANCHOR, Answer.WRONG, said, (Spot(path, anchor.first),))

    def _quotes(self, sentence: Sentence, path: str) -> list[str]:
        """What stands in backticks and is neither a file nor a place nor the name of a thing of the file."""
        found = (one for one in sentence.codes if not _FILE_ALONE.fullmatch(one) and len(one) > 1)
        return [one for one in found if not self.blocks(path, one.rpartition("/")[2])]

    def _quoted(self, sentence: Sentence) -> Iterator[Checked]:
        """Code that is said to stand somewhere in a file."""
        path, why = self._path(sentence.file)
        text = self.tree.text(path) if path else None
        for quote in self._quotes(sentence, path) if text is not None else ():
            if len(quote) < 4 or text is None:
                continue
            at = _elsewhere(text.splitlines(), [quote], 1)
            if at:
                yield _checked(
                    sentence, quote, Kind.QUOTE, Answer.CONFIRMED, f"it stands at {path}:{at}", (Spot(path, at),)
                )
            elif _looks_like_code(quote):
                yield _checked(sentence, quote, Kind.QUOTE, Answer.WRONG, f"it stands nowhere in {path}")
        if not path and _FILE_ALONE.search(sentence.text):
            yield _checked(sentence, sentence.file, Kind.ANCHOR, Answer.WRONG, why)

    def _lengths(self, sentence: Sentence) -> Iterator[Checked]:
        """How long a file is said to be."""
        for match in _LENGTH.finditer(sentence.plain):
            path, _ = self._path(sentence.file) if sentence.file else ("", "")
            text = self.tree.text(path) if path else None
            if text is None:
                continue
            number, true = int(match["number"].replace(",", "")), len(text.splitlines())
            said = f"{path} has {true} lines"
            answer = Answer.CONFIRMED if close(number, true, match["about"] or "") else Answer.PARTLY
            yield _checked(sentence, match[0].strip(), Kind.COUNT, answer, said, (Spot(path, 1),))

    def _path(self, written: str) -> tuple[str, str]:
        """The file that is meant, or why there is none."""
        written = written.removeprefix("./")
        if written in self.tree:
            return written, ""
        ends = [one for one in self.tree.files if one.endswith(f"/{written}") or written.endswith(f"/{one}")]
        if len(ends) == 1:
            return ends[0], ""
        if len(ends) > 1:
            return "", f"{len(ends)} files end so, among them {ends[0]} and {ends[1]}"
        name = written.rpartition("/")[2]
        same = [one for one in self.tree.files if one.rpartition("/")[2] == name]
        return (same[0], "") if len(same) == 1 else ("", f"there is no file {written}")

    def _spots(self, path: str, quotes: Sequence[str]) -> Iterator[Spot]:
        text = self.tree.text(path)
        if text is None or not all(_squeezed(quote) in _squeezed(text) for quote in quotes):
            return
        at = _elsewhere(text.splitlines(), quotes, 1)
        if at:
            yield Spot(path, at)


def close(said: int, true: int, about: str) -> bool:
    """Whether a number as it is written (``about 40``, ``over 900``) fits the true one."""
    word = about.strip().lower()
    if word in ("over", "more than", "at least", "up from"):
        return said <= true <= said * 1.5 + 1
    if word in ("under", "less than", "at most", "up to", "fewer than"):
        return true <= said
    if word:
        return abs(said - true) <= max(1, said * _ABOUT)
    return said == true


def _names(sentence: Sentence, anchor: Anchor) -> list[str]:
    """Names in the sentence that its lines may be expected to hold."""
    words = sentence.plain.replace(anchor.written, " ").replace(anchor.file, " ")
    return list(dict.fromkeys(one for one in _NAME.findall(words) if not _FILE_ALONE.fullmatch(one)))


def _standing(lines: Sequence[str], wanted: Sequence[str], first: int, last: int) -> int:
    """The line within the range that holds the first of what is wanted; 0 where none does."""
    part = lines[max(0, first - 1) : last]
    for one in wanted:
        for number, line in enumerate(part, start=first):
            if _squeezed(one) in _squeezed(line):
                return number
        if _squeezed(one) in _squeezed("\n".join(part)):
            return first
    return 0


def _elsewhere(lines: Sequence[str], wanted: Sequence[str], near: int) -> int:
    """The line nearest to ``near`` that holds the first of what is wanted, looked for as a whole; 0 where none does."""
    for one in wanted:
        found = [number for number, line in enumerate(lines, start=1) if _squeezed(one) in _squeezed(line)]
        if found:
            return min(found, key=lambda number: abs(number - near))
    return 0


def _squeezed(text: str) -> str:
    """Code without what two people write differently: white space, quotes, alignment."""
    return re.sub(r"[\s\"']+", "", text)


def _looks_like_code(text: str) -> bool:
    """Whether it is more than a name that a person put into code's letters."""
    return bool(re.search(r"[=:{}()|$<>]|\s-", text))


def _what(wanted: Sequence[str]) -> str:
    return repr(wanted[0][:_LONGEST]) if wanted else "it"


def _checked(
    sentence: Sentence,
    text: str,
    kind: Kind,
    answer: Answer,
    said: str,
    spots: tuple[Spot, ...] = (),
    fingerprints: tuple[str, ...] = (),
) -> Checked:
    return Checked(sentence.line, text, kind, answer, said, spots, fingerprints)
