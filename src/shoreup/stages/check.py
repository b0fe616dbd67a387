"""A written audit held against the code: every claim that is understood, with its answer."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from shoreup.model.claim import Answer, Checked, CheckedDocument, Kind, Spot
from shoreup.model.errors import UserError
from shoreup.model.finding import Place
from shoreup.stages.checking.anchors import Places as Anchors
from shoreup.stages.checking.document import Sentence, sentences, without_files
from shoreup.stages.checking.statements import Statements
from shoreup.stages.checking.troubles import Troubles
from shoreup.stages.examination import Asked, Examination, chosen, examination
from shoreup.stages.opening import opened

Progress = Callable[[str, int, int], None]
_LARGEST = 4_000_000
"""Bytes of a document; a longer one was written by no person."""
_FEWEST = 3
"""Words beside names of files; with fewer it is a list of places."""
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
    return CheckedDocument(document.name, tuple(text.splitlines()), checked)


class _Answers:
    """Everyone who can answer a sentence."""

    def __init__(self, seen: Examination) -> None:
        findings = (*seen.account.findings, *seen.account.unproven)
        self._places = Anchors(seen.reading.tree, findings, _Blocks(seen).of)
        self._statements = Statements(seen.estate, lambda place: _spot(seen, place))
        self._troubles = Troubles(findings, seen.account.undecided)

    def to(self, sentence: Sentence) -> Iterator[Checked]:
        told = [*self._places.answers(sentence), *self._statements.answers(sentence)]
        # What a property says already, a trouble need not say again.
        if not any(one.kind in (Kind.PROPERTY, Kind.ABSENCE, Kind.COUNT) for one in told):
            told += self._troubles.answers(sentence)
        yield from told
        if not told and _CLAIMS.search(sentence.text) and len(without_files(sentence.plain).split()) >= _FEWEST:
            said = "it is none of the kinds of claim that can be checked"
            yield Checked(sentence.line, sentence.plain, Kind.OTHER, Answer.NOT_UNDERSTOOD, said)


class _Blocks:
    """Which lines declare what has a name, file by file; looked up when first asked."""

    def __init__(self, seen: Examination) -> None:
        self._seen = seen
        self._by_name: dict[str, list[int]] = defaultdict(list)
        for resource in seen.reading.resources:
            self._by_name[resource.name].append(resource.key)

    def of(self, path: str, name: str) -> Sequence[tuple[int, int]]:
        found = []
        for key in self._by_name.get(name, ()):
            location = self._seen.places.location(Place(key))
            if location is not None and location.file == path:
                found.append((location.line, location.end_line))
        return found


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
