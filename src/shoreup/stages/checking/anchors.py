"""Claims about a place: a file, lines of it, and what is said to stand there.

An anchor grows stale while its text stays true, so what is not at its line is looked for by content: further up or down
the file, and in files of the same name elsewhere. That lines exist confirms nothing of what is said of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from shoreup.model.claim import Answer, Checked, Kind, Spot
from shoreup.model.finding import Finding
from shoreup.stages.auditing.masking import masked
from shoreup.stages.checking.clauses import clauses
from shoreup.stages.checking.corpus import Corpus
from shoreup.stages.checking.document import FILE, Sentence, without_advice
from shoreup.stages.checking.evidence import CRON, Lines, Mismatch, Wanted, abridged, wanted
from shoreup.stages.checking.naming import Anchor, anchors, without_places
from shoreup.stages.checking.places import meant
from shoreup.stages.checking.polarity import denied, exclusive, is_false, negative, says_not, sweeping
from shoreup.stages.checking.words import shared, telling

_FILE_ALONE = re.compile(rf"(?:{FILE})(?::\d+(?:[-–]\d+)?)?")
_NAME = re.compile(r"[A-Za-z][\w.-]*[_-][\w.-]*\w|[a-z]+[A-Z]\w+")
"""Words that are names: with a hyphen or underscore inside, or in camel case."""
_FILES = re.compile(FILE)
_LACKS = re.compile(
    r"\b(?:no|without|lacks?|lacking|missing|misses|never (?:sets?|uses?|reads?|mentions?|passes|calls?)"
    r"|(?:doesn[’']t|does not|don[’']t|do not) (?:set|use|read|mention|pass|call|have|contain))"
    r"(?:[\s,/]|\b(?:a|an|any|the|and|or|nor|option|flag|field|line|argument|variable)\b|`[^`]*`)*$",
    re.IGNORECASE,
)
"""How a quote is said to be missing, directly before it."""
_IS = re.compile(r"`(?P<key>[\w.-]+)`\s+(?:is|are|has|=|(?:is\s+|are\s+)?set\s+to)\s+`(?P<value>[^`]+)`", re.IGNORECASE)
_UNUSED = re.compile(
    r"\s*(?:(?:is|are)\s+(?:never|not|nowhere)(?:\s+(?:even|ever))?\s+(?:read|used|mentioned|set|referenced|listed|passed|called|there"
    r"|present|found)|(?:occurs?|appears?|stands?)\s+nowhere|(?:does|do)\s+not\s+(?:occur|appear))\b",
    re.IGNORECASE,
)
"""How a name is said to be missing, right behind it."""
_EVERY = re.compile(r"\b(?:every|each|hourly|daily|nightly|weekly|monthly|once an?|twice)\b", re.IGNORECASE)
"""What says how often something runs."""
_LONGEST = 90
_NEAR = 2
"""Lines beside a place that are no other place, if only words tell."""
_SHORTEST = 4
_SHOWN = 4


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
        if not found and sentence.file and _FILE_ALONE.search(without_advice(sentence).text):
            yield from self._quoted(sentence)

    def _anchored(self, sentence: Sentence, anchor: Anchor) -> Iterator[Checked]:
        files = meant(self.tree, anchor.file, sentence.written)
        if files.ambiguous:
            fits = [one for one in files.likely if self._fits(sentence, anchor, one)]
            if len(fits) != 1:
                yield _checked(sentence, anchor.part, Kind.ANCHOR, Answer.UNDECIDED, files.why)
                return
            yield from self._at(sentence, anchor, fits[0])
            return
        for path in files.paths:
            yield from self._at(sentence, anchor, path)
        if files.paths:
            return
        for path in files.likely:
            lines = self._lines(path)
            wish = self._wish(sentence, anchor.said, path)
            if lines is None or wish.empty:
                continue
            here = lines.standing(wish.codes, anchor.first, anchor.last)
            if here or lines.said(wish, anchor.first, anchor.last):
                said = f"{files.why}; it is in {path} now"
                spots = (Spot(path, here or anchor.first),)
                yield _checked(sentence, anchor.part, Kind.ANCHOR, Answer.MOVED, said, spots)
                return
        yield _checked(sentence, anchor.part, Kind.ANCHOR, Answer.WRONG, files.why)

    def _fits(self, sentence: Sentence, anchor: Anchor, path: str) -> bool:
        """Whether code that is said to stand at a place does, in one of several files of the name."""
        lines = self._lines(path)
        codes = [one for one in self._wish(sentence, anchor.said, path).codes if not denied(anchor.said, one)]
        return bool(codes) and lines is not None and bool(lines.standing(codes, anchor.first, anchor.last))

    def _at(self, sentence: Sentence, anchor: Anchor, path: str) -> Iterator[Checked]:
        lines = self._lines(path)
        if lines is None:
            said = f"{path} is not text that can be read ({self.tree.skipped.get(path, 'unreadable')})"
            yield _checked(sentence, anchor.part, Kind.ANCHOR, Answer.UNDECIDED, said)
            return
        wish = self._wish(sentence, anchor.said, path)
        placed = self._placed(sentence, anchor, path, lines, wish)
        seen = lines.said(wish, anchor.first, anchor.last) or lines.standing(wish.codes, anchor.first, anchor.last)
        if placed.answer is Answer.UNDECIDED and anchor.wider != anchor.said and not seen:
            wish = self._wish(sentence, anchor.wider, path)
            again = self._placed(sentence, anchor, path, lines, wish)
            placed = again if again.answer in (Answer.CONFIRMED, Answer.MOVED) else placed
        at = placed.spots[0].line if placed.answer is Answer.MOVED and placed.spots else anchor.first
        if placed.answer in (Answer.CONFIRMED, Answer.MOVED):
            others = [*self._others(sentence, path, lines, wish, anchor, at)]
            amounts = [*lines.mismatches(wish, at, max(at, anchor.last))]
            told = self._measured(anchor, path, placed, wish, amounts)
            yield told
            if told is placed:
                yield from (_measured(sentence, path, one) for one in amounts)
            yield from others
            for one in lines.mismatches(wanted(anchor.rest, ()), 1, len(lines.text)):
                if one.line:
                    yield _measured(sentence, path, one)
        else:
            yield placed

    def _measured(
        self, anchor: Anchor, path: str, placed: Checked, wish: Wanted, amounts: Sequence[Mismatch]
    ) -> Checked:
        """The answer to a place of which amounts are said: none confirms another amount than there is."""
        others = [one for one in amounts if one.line]
        if others and negative(_prose(anchor.said)):
            said = f"{placed.said}; whether it is as it is said is for a person to judge"
            return replace(placed, answer=Answer.UNDECIDED, said=said)
        if others:
            one = others[0]
            said = f"it is {one.true} at {path}:{one.line}, not {one.amount.written}"
            answer = Answer.PARTLY if wish.codes or len(others) < len(wish.amounts) else Answer.WRONG
            return replace(placed, answer=answer, said=said, spots=(Spot(path, one.line),), fingerprints=())
        quoted = any(map(_is_value, wish.codes)) and " | " not in anchor.part
        if amounts and placed.answer is Answer.CONFIRMED and not quoted:
            said = f"{placed.said}; but nothing there is {amounts[0].amount.written!r}"
            return replace(placed, answer=Answer.UNDECIDED, said=said)
        return placed

    def _others(
        self, sentence: Sentence, path: str, lines: Lines, wish: Wanted, anchor: Anchor, at: int
    ) -> Iterator[Checked]:
        """Quoted values that do not stand at a place which others prove to be the one that is meant."""
        for code in self._quotes(sentence.codes, path):
            # What stands beside it in the same sentence, and in the same lines.
            if code in anchor.wider and code not in anchor.said and _is_value(code):
                here = lines.standing([code], anchor.first, anchor.last)
                if here and not denied(sentence.text, code) and not sweeping(_prose(anchor.wider)):
                    said = f"it stands there: {self._shown(path, here)}"
                    yield _checked(sentence, code, Kind.QUOTE, Answer.CONFIRMED, said, (Spot(path, here),))
        behind = [one for one in self._quotes(sentence.codes, path) if one in anchor.rest]
        for code in (*wish.codes, *behind):
            stated = _looks_like_code(code) and not denied(sentence.text, code)
            if not stated or lines.standing([code], min(at, anchor.first), max(at, anchor.last)):
                continue
            contrary = lines.contrary(code)
            if contrary:
                said = f"it is {self._shown(path, contrary)}"
                yield _checked(sentence, code, Kind.QUOTE, Answer.WRONG, said, (Spot(path, contrary),))
            elif code in wish.codes and not lines.nearest([code], at) and not abridged(lines.text, code):
                said = f"it does not stand in {path} as it is written"
                yield _checked(sentence, code, Kind.QUOTE, Answer.UNDECIDED, said)

    def _placed(self, sentence: Sentence, anchor: Anchor, path: str, lines: Lines, wish: Wanted) -> Checked:
        """Whether what is said stands at the place, elsewhere, or nowhere."""
        missing = [one for one in wish.codes if denied(anchor.said, one)]
        if missing:
            return self._without(sentence, anchor, path, lines, wish, missing)
        if re.search(r"\bcommented[ -]out\b", anchor.said, re.IGNORECASE) and negative(_prose(anchor.said)):
            rows = [one.strip() for one in lines.text[anchor.first - 1 : anchor.last] if one.strip()]
            if rows and all(one.startswith(("#", "//", "<!--", "*", "/*", ";")) for one in rows):
                return self._stands(sentence, anchor, path, anchor.first)
            said = f"not every line there is a comment: {self._shown(path, anchor.first)}"
            return _checked(sentence, anchor.part, Kind.ANCHOR, Answer.UNDECIDED, said, (Spot(path, anchor.first),))
        here = lines.standing(wish.codes, anchor.first, anchor.last)
        if here:
            return self._agreed(sentence, anchor, path, lines, here, wish)
        behind = [one for one in self._quotes(sentence.codes, path) if one in anchor.rest and one not in wish.codes]
        here = lines.standing(behind, anchor.first, anchor.last)
        if here and not wish.codes:
            return self._stands(sentence, anchor, path, here)
        elsewhere = lines.nearest(wish.codes, anchor.first)
        if anchor.last > anchor.first and elsewhere in (anchor.first - 1, anchor.last + 1):
            return self._agreed(sentence, anchor, path, lines, elsewhere, wish)
        words = lines.said(wish, anchor.first, anchor.last)
        if (
            elsewhere
            and _EVERY.search(_prose(anchor.said))
            and any(map(CRON.search, lines.text[anchor.first - 1 : anchor.last]))
        ):
            said = f"the place is a schedule; {_what(wish.codes)} stands at {path}:{elsewhere}"
            return _checked(sentence, anchor.part, Kind.ANCHOR, Answer.UNDECIDED, said, (Spot(path, anchor.first),))
        if elsewhere and not (words and " | " in sentence.text):
            said = f"{_what(wish.codes)} stands at {path}:{elsewhere}"
            at = next((one for one in wish.codes if lines.standing([one], elsewhere, elsewhere)), "")
            quoted, part = re.findall(r"`([^`]+)`", anchor.part), anchor.part
            if at in quoted[1:] and not lines.nearest(quoted[: quoted.index(at)], 1):
                part = part[part.index(f"`{at}`") :]  # what is quoted before it has another place
            return _checked(sentence, part, Kind.ANCHOR, Answer.MOVED, said, (Spot(path, elsewhere),))
        named = self._named(sentence, anchor, path, lines, wish)
        if named is not None:
            return named
        untrue = next((one for one in wish.codes if _is_value(one)), "")
        if words and untrue and not elsewhere:
            return self._not_there(sentence, anchor, path, [untrue], here=True)
        if words and anchor.first <= len(lines.text):
            return self._worded(sentence, anchor, path, lines, wish, words)
        if any(map(_looks_like_code, wish.codes)) and " | " in sentence.text:
            said = f"{_what(wish.codes)} does not stand in {path} as it is written; the row may mean something else"
            return _checked(sentence, anchor.part, Kind.ANCHOR, Answer.UNDECIDED, said)
        if any(map(_looks_like_code, wish.codes)):
            return self._not_there(sentence, anchor, path, wish.codes)
        if anchor.first > len(lines.text):
            said = f"{path} has {len(lines.text)} lines"
            return _checked(sentence, anchor.part, Kind.ANCHOR, Answer.WRONG, said)
        best = lines.best(wish)
        plain = not (
            sweeping(_prose(anchor.said)) or negative(_prose(anchor.said)) or (best and says_not(lines.text[best - 1]))
        )
        if best and plain and not anchor.first - _NEAR <= best <= anchor.last + _NEAR:
            said = f"what is said of it fits {path}:{best}: {self._shown(path, best)}"
            return _checked(sentence, anchor.part, Kind.ANCHOR, Answer.MOVED, said, (Spot(path, best),))
        return self._unrecognised(sentence, anchor, path, wish)

    def _without(
        self, sentence: Sentence, anchor: Anchor, path: str, lines: Lines, wish: Wanted, missing: Sequence[str]
    ) -> Checked:
        """A place that is said to lack something."""
        first, last = lines.block(anchor.first, anchor.last)
        there = lines.standing(missing, first, last)
        if there:
            said = f"it stands there: {self._shown(path, there)}"
            return _checked(sentence, anchor.part, Kind.ANCHOR, Answer.WRONG, said, (Spot(path, there),))
        others = [one for one in wish.codes if one not in missing]
        known = lines.standing(others, first, last) or any(
            top <= last and first <= bottom
            for name in _names(sentence, anchor)
            for top, bottom in self.blocks(path, name)
        )
        if anchor.first <= len(lines.text) and (known or lines.said(wish, first, last)):
            said = f"lines {first} to {last} do not have it"
            return _checked(sentence, anchor.part, Kind.ANCHOR, Answer.CONFIRMED, said, (Spot(path, first),))
        return self._unrecognised(sentence, anchor, path, wish)

    def _agreed(self, sentence: Sentence, anchor: Anchor, path: str, lines: Lines, here: int, wish: Wanted) -> Checked:
        """Quoted code that stands at its place; a mere name only where what it is set to does not say the contrary."""
        held = [one for one in wish.codes if lines.standing([one], min(here, anchor.first), max(here, anchor.last))]
        line = lines.text[here - 1]
        mere = all(not _is_value(one) for one in held)
        if mere and negative(wish.text) is not (says_not(line) or any(is_false(line, one) for one in held)):
            said = f"it stands there, but whether as it is said is for a person to judge: {self._shown(path, here)}"
            return _checked(sentence, anchor.part, Kind.ANCHOR, Answer.UNDECIDED, said, (Spot(path, here),))
        pair = _IS.search(anchor.said)
        if pair is not None and not lines.standing([pair["value"].strip("\"'")], anchor.first, anchor.last):
            key = lines.standing([pair["key"]], anchor.first, anchor.last)
            if key:
                shown = " ".join(self._shown(path, one) for one in range(key, min(key + 1, anchor.last) + 1))
                said = f"{pair['key']} stands there, {pair['value']} does not: {shown}"
                return _checked(sentence, anchor.part, Kind.ANCHOR, Answer.UNDECIDED, said, (Spot(path, key),))
        return self._stands(sentence, anchor, path, here, lines, wish)

    def _worded(
        self, sentence: Sentence, anchor: Anchor, path: str, lines: Lines, wish: Wanted, words: frozenset[str]
    ) -> Checked:
        """A place that has some of the words of what is said, if it does not say the contrary."""
        held = lines.having(words, anchor.first, anchor.last)
        at = held[0] if held else anchor.first
        off = any(says_not(lines.text[one - 1]) for one in held) and not lines.measured(wish, held)
        # One word that only means the same, of many, is chance.
        few = len(words) == 1 < len(wish.words) - 1 and next(iter(words)).startswith("=") and not wish.amounts
        if negative(wish.text) is off and not few:
            return self._stands(sentence, anchor, path, at, lines, wish)
        said = f"the place is about it, but whether it says so is for a person to judge: {self._shown(path, at)}"
        return _checked(sentence, anchor.part, Kind.ANCHOR, Answer.UNDECIDED, said, (Spot(path, at),))

    def _named(self, sentence: Sentence, anchor: Anchor, path: str, lines: Lines, wish: Wanted) -> Checked | None:
        """A place of which only the name of what is there is said."""
        for name in _names(sentence, anchor):
            blocks = self.blocks(path, name)
            if any(first <= anchor.last and anchor.first <= last for first, last in blocks):
                if telling(_prose(anchor.said)) - telling(name) or negative(_prose(anchor.said)):
                    return None  # more is said than its name
                return self._stands(sentence, anchor, path, anchor.first, lines, wish)
            if blocks:
                first = min(blocks, key=lambda one: abs(one[0] - anchor.first))[0]
                said = f"{name} is at {path}:{first}"
                return _checked(sentence, anchor.part, Kind.ANCHOR, Answer.MOVED, said, (Spot(path, first),))
        return None

    def _unrecognised(self, sentence: Sentence, anchor: Anchor, path: str, wish: Wanted) -> Checked:
        """Lines that exist; of what is said of them nothing was recognised, unless a finding says it."""
        about = self._found(path, anchor)
        spots, prints = (Spot(path, anchor.first),), tuple(one.fingerprint for one in about)
        named = f"; found there: {_concerns(about)}" if about else ""
        if wish.empty:
            said = f"the lines are there; the text does not say what should stand in them{named}"
            return _checked(sentence, anchor.part, Kind.ANCHOR, Answer.CONFIRMED, said, spots, prints)
        told = telling(" ".join(f"{one.message} {one.concern}" for one in about))
        ids = telling(" ".join(one.concern for one in about))
        if len(shared(wish.words, told)) > 1 and shared(wish.words, ids):
            return _checked(sentence, anchor.part, Kind.ANCHOR, Answer.CONFIRMED, named[2:], spots, prints)
        said = f"the lines are there, but nothing of what is said was recognised in them{named}"
        return _checked(sentence, anchor.part, Kind.ANCHOR, Answer.UNDECIDED, said, spots, prints)

    def _stands(
        self,
        sentence: Sentence,
        anchor: Anchor,
        path: str,
        here: int,
        lines: Lines | None = None,
        wish: Wanted | None = None,
    ) -> Checked:
        """A place that is the one that is meant; what is quoted beside and stands nowhere in the file is told."""
        about = self._found(path, anchor)
        if lines is not None and wish is not None:
            values = [one for one in wish.codes if _is_value(one)]
            absent = [one for one in values if not lines.nearest([one], here) and not abridged(lines.text, one)]
            other = next((at for one in absent if (at := lines.contrary(one))), 0)
            if other and len(values) == len(absent):
                said = f"it is {self._shown(path, other)}"
                return _checked(sentence, anchor.part, Kind.ANCHOR, Answer.WRONG, said, (Spot(path, other),))
            if absent:
                said = f"the place is right, but {absent[0]!r} does not stand in {path}: {self._shown(path, here)}"
                return _checked(sentence, anchor.part, Kind.ANCHOR, Answer.PARTLY, said, (Spot(path, here),))
        said = f"it stands there: {self._shown(path, here)}"
        if sweeping(_prose(anchor.said)):
            said = f"{said}; that is one place, whether all are so was not checked"
            return _checked(sentence, anchor.part, Kind.ANCHOR, Answer.UNDECIDED, said, (Spot(path, here),))
        if about:
            said = f"{said}; found there too: {_concerns(about)}"
        prints = tuple(one.fingerprint for one in about)
        return _checked(sentence, anchor.part, Kind.ANCHOR, Answer.CONFIRMED, said, (Spot(path, here),), prints)

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
            return _checked(sentence, anchor.part, Kind.ANCHOR, Answer.MOVED, said, tuple(there))
        shown = self._shown(path, anchor.first)
        now = f"; line {anchor.first} is {shown}" if shown else ""
        said = f"{_what(quotes)} stands nowhere in {path}{now}"
        return _checked(sentence, anchor.part, Kind.ANCHOR, Answer.WRONG, said, (Spot(path, anchor.first),))

    def _shown(self, path: str, number: int) -> str:
        """A line as evidence, without secrets."""
        text = self.tree.text(path) or ""
        shown = masked(text, [range(number, number + 1)], secret=False).get(number, "").strip().rstrip(".")
        return f"`{shown[:_LONGEST]}{'…' if len(shown) > _LONGEST else ''}`" if shown else ""

    def _wish(self, sentence: Sentence, said: str, path: str) -> Wanted:
        mine = [one for one in sentence.codes if one in said or one not in sentence.text]
        return wanted(said, sorted(self._quotes(mine, path), key=lambda one: (not _looks_like_code(one), -len(one))))

    def _quotes(self, codes: Sequence[str], path: str) -> list[str]:
        """What stands in backticks and is neither a file nor a place nor the name of a thing of the file."""
        found = (one for one in codes if not _FILE_ALONE.fullmatch(one) and re.search(r"[^\W\d]|\d.*\W.*\d", one))
        return [
            one
            for one in found
            if one.strip("/") not in self.tree.folders and not self.blocks(path, one.rpartition("/")[2])
        ]

    def _quoted(self, sentence: Sentence) -> Iterator[Checked]:
        """Code that is said to stand somewhere in a file."""
        files = meant(self.tree, sentence.file, sentence.written)
        if f"*{sentence.file}" in sentence.text:
            return  # a pattern
        if sentence.file.startswith(".") and any(one.endswith(sentence.file) for one in self.tree.files):
            return  # an ending, as in "three `.tftest.hcl` files"
        for path in files.paths[:1]:
            lines = self._lines(path)
            for quote in self._quotes(sentence.codes, path) if lines is not None else ():
                at = lines.nearest([quote], 1) if lines is not None and len(quote) >= _SHORTEST else 0
                clause = next(
                    (sentence.text[a:b] for a, b in clauses(sentence.text) if f"`{quote}`" in sentence.text[a:b]), ""
                )
                if denied(sentence.text, quote):
                    yield from self._missing(sentence, path, quote, at)
                elif negative(_prose(clause)) and not _looks_like_code(quote):
                    yield from self._unused(sentence, clause, path, quote, at)
                elif at and sweeping(_prose(sentence.text)):
                    said, spots = f"it stands at {path}:{at}; whether all have it was not checked", (Spot(path, at),)
                    yield _checked(sentence, quote, Kind.QUOTE, Answer.UNDECIDED, said, spots)
                elif at and exclusive(_prose(sentence.text)):
                    yield self._alone(sentence, path, quote, at)
                elif at:
                    said, spots = f"it stands at {path}:{at}", (Spot(path, at),)
                    yield _checked(sentence, quote, Kind.QUOTE, Answer.CONFIRMED, said, spots)
                elif lines is not None and _looks_like_code(quote) and sentence.file in clause:
                    yield self._unquoted(sentence, path, quote, lines)
        if files.paths or files.ambiguous:
            return
        wish = wanted(without_places(sentence.text), self._quotes(sentence.codes, ""))
        for path in files.likely:
            lines = self._lines(path)
            at = (lines.nearest(wish.codes, 1) or lines.best(wish)) if lines is not None else 0
            if at:
                said, spots = f"{files.why}; what is said fits {path}:{at}", (Spot(path, at),)
                yield _checked(sentence, sentence.file, Kind.ANCHOR, Answer.MOVED, said, spots)
                return
        yield _checked(sentence, sentence.file, Kind.ANCHOR, Answer.WRONG, files.why)

    def _unused(self, sentence: Sentence, clause: str, path: str, quote: str, at: int) -> Iterator[Checked]:
        """A name of which a file is said to have nothing: "`x` is never read"."""
        if not _UNUSED.match(clause.partition(f"`{quote}`")[2]) or len(set(_FILES.findall(sentence.text))) > 1:
            return
        said, spots = f"it stands nowhere in {path}", (Spot(path, at or 1),)
        if at:
            said = f"it stands at {path}:{at}: {self._shown(path, at)}"
        yield _checked(sentence, clause.strip(), Kind.QUOTE, Answer.WRONG if at else Answer.CONFIRMED, said, spots)

    def _alone(self, sentence: Sentence, path: str, quote: str, at: int) -> Checked:
        """A quote that is said to stand in one file alone."""
        files = [one for one in self.tree.files if not one.endswith(".md") and self.tree.standing(one, quote)]
        if files == [path]:
            said = f"it stands at {path}:{at}, and in no other file"
            return _checked(sentence, quote, Kind.QUOTE, Answer.CONFIRMED, said, (Spot(path, at),))
        said = f"it stands in {len(files)} files; whether it is the only one was not checked"
        spots = tuple(Spot(one, self.tree.standing(one, quote)[0]) for one in files[:_SHOWN])
        return _checked(sentence, quote, Kind.QUOTE, Answer.UNDECIDED, said, spots)

    def _missing(self, sentence: Sentence, path: str, quote: str, at: int) -> Iterator[Checked]:
        """A quote that is said to stand nowhere in a file, where the words before it leave no doubt of that."""
        if not _LACKS.search(sentence.text.partition(f"`{quote}`")[0]) or len(set(_FILES.findall(sentence.text))) > 1:
            return
        said, spots = f"it stands nowhere in {path}", (Spot(path, at or 1),)
        if at:
            said = f"it stands at {path}:{at}: {self._shown(path, at)}"
        answer = Answer.WRONG if at else Answer.CONFIRMED
        yield _checked(sentence, quote, Kind.QUOTE, answer, said, spots)

    def _unquoted(self, sentence: Sentence, path: str, quote: str, lines: Lines) -> Checked:
        """A quote that does not stand in its file as it is written."""
        at = abridged(lines.text, re.split(r"…|\.\.\.", quote)[0])
        if "…" in quote or "..." in quote:
            said = f"it is shortened; {f'what begins so stands at {path}:{at}' if at else 'nothing begins so'}"
            return _checked(sentence, quote, Kind.QUOTE, Answer.CONFIRMED if at else Answer.UNDECIDED, said)
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


def _prose(text: str) -> str:
    return re.sub(r"`[^`]*`", " ", text)


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
