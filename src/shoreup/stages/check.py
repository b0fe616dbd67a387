"""A written audit held against the code: every claim that is understood, with its answer."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from msgspec.structs import replace

from shoreup.model.claim import Answer, Checked, CheckedDocument, Kind, Spot
from shoreup.model.errors import UserError
from shoreup.model.finding import Place
from shoreup.model.resource import Resource
from shoreup.stages.auditing.examination import Asked, Examination, chosen, examination
from shoreup.stages.checking import practice
from shoreup.stages.checking.anchors import Places as Anchors
from shoreup.stages.checking.census import ROW, Census
from shoreup.stages.checking.clauses import advises, clauses, left, squashed
from shoreup.stages.checking.corpus import Corpus
from shoreup.stages.checking.document import Sentence, sentences, without_advice, without_files
from shoreup.stages.checking.evidence import cut
from shoreup.stages.checking.language import foreign
from shoreup.stages.checking.listed import Listed
from shoreup.stages.checking.numbers import QUANTITY
from shoreup.stages.checking.statements import Statements
from shoreup.stages.checking.troubles import Troubles
from shoreup.stages.checking.unchecked import honest, shows_value
from shoreup.stages.checking.values import Block, Values
from shoreup.stages.checking.words import parts, telling
from shoreup.stages.opening import opened

Progress = Callable[[str, int, int], None]
_OF_THESE = re.compile(
    r"(?:\.{3}|…|-+|–)?\s*(?:of (?:these|those|them|which)|thereof|out of these)\s*,?\s*", re.IGNORECASE
)
_LARGEST = 4_000_000
"""Bytes of a document; a longer one was written by no person."""
_FEWEST = 3
"""Words beside names of files; with fewer it is a list of places."""
_DECIDED = frozenset({Answer.CONFIRMED, Answer.PARTLY, Answer.WRONG, Answer.MOVED})
_CLAIMS = re.compile(
    r"\b(?:no|nobody|nothing|not|never|without|missing|lacks?|only|all|every|none|always|hard-?coded|single|\d+)\b|`",
    re.IGNORECASE,
)
"""What a sentence has that claims something; any other is prose."""


def check(document: Path, paths: Sequence[Path], config: Path | None, say: Progress) -> CheckedDocument:
    """Hold the document against the estate at ``paths``.

    Raises :class:`UserError` where the document cannot be read, and what an audit raises.
    """
    text = _read(document)
    found = opened(paths, config=config)
    today = datetime.now(UTC).date()
    asked = Asked(chosen((), (), found.given), today, proven=found.proven(), given=found.given, whole=found.whole)
    seen = examination(found.tree, asked, say)
    say("checking the document", 0, 0)
    answers = _Answers(seen)
    checked = tuple(one for sentence in sentences(text) for one in answers.to(sentence))
    places = [one for one in checked if one.kind is Kind.ANCHOR]
    nowhere = [one for one in places if one.answer is Answer.WRONG and not one.spots]
    elsewhere = len(nowhere) > _FEWEST and len(nowhere) * 2 > len(places)
    return CheckedDocument(document.name, tuple(cut(text)), checked, elsewhere)


class _Answers:
    """Everyone who can answer a sentence."""

    def __init__(self, seen: Examination) -> None:
        findings = (*seen.account.findings, *seen.account.unproven)
        blocks, corpus = _Blocks(seen), Corpus(seen.reading.tree)
        self._corpus = corpus
        self._row = ""
        self._installed = {one.path for one in map(blocks.block, seen.reading.resources) if one is not None}
        self._listed = Listed(corpus)
        self._places = Anchors(corpus, findings, blocks.of)
        self._census = Census(corpus, seen.estate, blocks.block)
        self._values = Values(corpus, blocks.named, blocks.of_kind)
        traced = cache(lambda words: corpus.times(re.compile(words, re.IGNORECASE)))
        self._statements = Statements(
            seen.estate,
            lambda place: _spot(seen, place),
            findings,
            blocks.block,
            lambda asked: traced(asked.trace or asked.words),
            lambda kind: traced(rf"(?m)^kind:[ \t]*[\"']?{kind}[\"']?[ \t]*(?:#.*)?$"),
        )
        self._troubles = Troubles(findings, seen.account.undecided)

    def to(self, sentence: Sentence) -> Iterator[Checked]:
        if foreign(sentence.text):
            text = "it is not English"
            yield Checked(
                sentence.line, sentence.plain, Kind.OTHER, Answer.NOT_UNDERSTOOD, text, sentence=sentence.written
            )
            return
        said = without_advice(sentence)
        told = [self._if_shown(one) for one in self._places.answers(sentence)]
        told += _agreed([*self._statements.answers(self._of_row(said))], [*self._census.answers(said)])
        if not any(one.answer in _DECIDED for one in told):
            found = [self._if_installed(one) for one in self._values.answers(said)]
            told += found if any(one.answer in _DECIDED for one in found) else []
        if not any(one.answer in _DECIDED for one in told):
            held = [*self._listed.answers(said)]
            told = held or told
        told = _left_out(told)
        # What a property says already, a trouble need not say again.
        if not any(one.kind in (Kind.PROPERTY, Kind.ABSENCE, Kind.COUNT) for one in told):
            named = [*self._troubles.answers(said)]
            told += [one for one in named if one.answer is Answer.CONFIRMED] if told else named
        if not any(one.answer in _DECIDED for one in told):
            told += practice.answers(sentence)
        told = [replace(one, text=_part(sentence, one.text), sentence=sentence.written) for one in told]
        told = [honest(self._corpus, one) for one in told]
        yield from told
        yield from _not_said(sentence, said, told)

    def _of_row(self, said: Sentence) -> Sentence:
        """A row of a table as a sentence: ``... of these with a probe | 56`` counts what a row above names."""
        row = ROW.fullmatch(said.text)
        if row is None:
            self._row = "" if " | " not in said.text else self._row
            return said
        below = _OF_THESE.match(row["what"])
        if below is None:
            self._row = row["what"]
            return said
        if not self._row or row["rest"]:
            return said
        return replace(said, text=f"{row['number'] or 'no'} {self._row} {row['what'][below.end() :]}")

    def _if_shown(self, one: Checked) -> Checked:
        """An answer to a place; where that is in what nothing installs, only code that is shown is confirmed."""
        return one if one.kind is not Kind.ANCHOR or shows_value(one.text) else self._if_installed(one)

    def _if_installed(self, one: Checked) -> Checked:
        """An answer about what runs, open where its evidence is in a manifest that nothing installs."""
        idle = [
            spot.file
            for spot in one.spots
            if not spot.file.endswith("kustomization.yaml")
            and self._corpus.manifest(spot.file)
            and spot.file not in self._installed
        ]
        if not idle or not self._installed or one.answer is not Answer.CONFIRMED:
            return one
        return replace(one, answer=Answer.UNDECIDED, said=f"{one.said}, but nothing installs {idle[0]}")


def _part(sentence: Sentence, text: str) -> str:
    """What is answered, as it stands in the document: the piece itself, or the clause that has most of its words."""
    if squashed(text) in squashed(sentence.written):
        return text
    pieces = [sentence.part(start, end) for start, end in clauses(sentence.text)]
    words = telling(text)
    best = max(pieces, key=lambda one: len(words & telling(one)), default="")
    return best.strip(" ,;:") if words & telling(best) else text


def _not_said(sentence: Sentence, said: Sentence, told: Sequence[Checked]) -> Iterator[Checked]:
    """What of a sentence nobody answered."""
    if not told:
        if not _CLAIMS.search(sentence.text) or len(without_files(sentence.plain).split()) < _FEWEST:
            return
        if not re.search(r"\w", said.text):
            text, answer = "it advises or judges; no source decides that", Answer.UNDECIDED
        else:
            text, answer = "it is none of the kinds of claim that can be checked", Answer.NOT_UNDERSTOOD
        yield Checked(sentence.line, sentence.plain, Kind.OTHER, answer, text, sentence=sentence.written)
        return
    if any(one.text == sentence.plain for one in told):
        return
    for piece in left(sentence.written, [one.text for one in told]):
        if not advises(piece) and (_CLAIMS.search(piece) or len(telling(piece)) >= _FEWEST):
            text = "nothing of this was checked"
            yield Checked(sentence.line, piece, Kind.OTHER, Answer.NOT_UNDERSTOOD, text, sentence=sentence.written)


def _agreed(stated: Sequence[Checked], counted: Sequence[Checked]) -> Iterator[Checked]:
    """What the facts and the count of the text say; of two numbers for the same claim, the one that fits."""
    by_text = [one for one in counted if one.kind in (Kind.COUNT, Kind.ABSENCE)]
    if any(one.kind is Kind.ABSENCE for one in counted):
        stated = [one for one in stated if one.kind is not Kind.ABSENCE]
    fits = {_number(one.text) for one in (*stated, *by_text) if one.answer is Answer.CONFIRMED}
    for one in stated:
        if one.kind is not Kind.COUNT or one.answer is Answer.CONFIRMED or _number(one.text) not in fits:
            yield one
    told = {_number(one.text) for one in stated if one.kind in (Kind.COUNT, Kind.ABSENCE)}
    for one in counted:
        if one.answer is Answer.CONFIRMED or _number(one.text) not in (fits | told) or one.answer is Answer.PARTLY:
            yield one


def _left_out(told: Sequence[Checked]) -> list[Checked]:
    """Answers without those to an amount that another answer has dealt with."""
    dealt = " ".join(one.text for one in told if one.answer in _DECIDED)
    return [
        one
        for one in told
        if one.answer is not Answer.NOT_UNDERSTOOD or not re.search(rf"(?<!\w){re.escape(one.text)}(?!\w)", dealt)
    ]


def _number(text: str) -> str:
    match = QUANTITY.search(text)
    return match["number"] or match["none"] or "" if match is not None else ""


class _Blocks:
    """Which lines declare what has a name, file by file; looked up when first asked."""

    def __init__(self, seen: Examination) -> None:
        self._seen = seen
        self._by_name: dict[str, list[Resource]] = defaultdict(list)
        self._known: dict[int, Block | None] = {}
        for resource in seen.reading.resources:
            self._by_name[resource.name].append(resource)

    def of(self, path: str, name: str) -> Sequence[tuple[int, int]]:
        return [(one.first, one.last) for one in self.named(name) if one.path == path]

    def named(self, name: str) -> Sequence[Block]:
        """What is declared by a name, in any file."""
        return [*filter(None, map(self.block, self._by_name.get(name, ())))]

    def of_kind(self, words: str) -> Sequence[Block]:
        """What is declared of the one kind that the words name."""
        told = parts(words)
        kinds = [one for one in self._seen.estate.by_kind if "-" in one and parts(one.rpartition("-")[2]) <= told]
        found = self._seen.estate.by_kind[kinds[0]] if len(kinds) == 1 else ()
        return [*filter(None, map(self.block, found))]

    def block(self, resource: Resource) -> Block | None:
        """The lines that declare a resource."""
        if resource.key not in self._known:
            at = self._seen.places.location(Place(resource.key))
            found = Block(at.file, at.line, at.end_line, resource.kind) if at is not None else None
            self._known[resource.key] = found
        return self._known[resource.key]


def _spot(seen: Examination, place: Place) -> Spot | None:
    location = seen.places.location(place)
    return Spot(location.file, location.line) if location is not None else None


def _read(document: Path) -> str:
    try:
        if document.stat().st_size > _LARGEST:
            raise UserError(f"{document} is too long for a document that a person wrote.")
        return document.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"{document} is not text in UTF-8. Save it as Markdown.") from None
    except OSError as problem:
        raise UserError(f"{document} cannot be read: {problem.strerror}.") from None
