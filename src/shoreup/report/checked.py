"""A checked document: its own lines, with the answers under them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from shoreup.model.claim import Answer, Checked, CheckedDocument
from shoreup.report.contract import Json, encode
from shoreup.report.terminal import Ink, plain, sentence, wrap

_STYLES: Mapping[Answer, str] = {
    Answer.CONFIRMED: "good",
    Answer.PARTLY: "medium",
    Answer.WRONG: "critical",
    Answer.MOVED: "medium",
    Answer.PLACE: "faint",
    Answer.UNDECIDED: "faint",
    Answer.NOT_UNDERSTOOD: "faint",
}
_SPOKEN: Mapping[Answer, str] = {Answer.PLACE: "place found, statement not checked"}
NARROWEST = 60
WIDEST = 120
_MARK = 8


def render(document: CheckedDocument, *, width: int = 100, colour: bool = False, full: bool = True) -> str:
    """The document's lines with the answers; not ``full``, only the lines that have some."""
    ink, width = Ink(colour), max(NARROWEST, min(width, WIDEST))
    lines = [*_lines(document, ink, width, full), "", *_summary(document.checked, ink)]
    if document.elsewhere:
        lines.append("Most of the files that it names are not here. Is PATH the estate that it was written for?")
    return "".join(f"{line}\n" for line in lines)


def render_json(document: CheckedDocument) -> str:
    """The answers as JSON: see docs/check.md."""
    counts = Counter(one.answer for one in document.checked)
    return encode(
        {
            "document": document.name,
            "summary": {answer.value: counts[answer] for answer in Answer},
            "claims": [_claim(one) for one in document.checked],
        }
    )


def _claim(one: Checked) -> Mapping[str, Json]:
    return {
        "line": one.line,
        "sentence": one.sentence or one.text,
        "text": one.text,
        "kind": one.kind.value,
        "answer": one.answer.value,
        "said": one.said,
        "places": [{"file": spot.file, "line": spot.line} for spot in one.spots],
        "fingerprints": list(one.fingerprints),
    }


def _lines(document: CheckedDocument, ink: Ink, width: int, full: bool) -> Iterator[str]:
    by_line: dict[int, list[Checked]] = defaultdict(list)
    for one in document.checked:
        by_line[one.line].append(one)
    size = len(str(len(document.lines)))
    for number, line in enumerate(document.lines, start=1):
        answers = by_line.get(number, ())
        if not full and not answers:
            continue
        yield f"{ink(f'{number:>{size}}', 'faint')}  {plain(line)}"
        indent = " " * (size + 4)
        for one in answers:
            if one.answer is Answer.NOT_UNDERSTOOD and len(answers) > 1:
                continue
            # The line itself is the claim where it makes only one.
            what = f"  {ink(plain(one.text), 'faint')}" if len(answers) > 1 else ""
            yield f"{indent}{_word(one.answer, ink)}{what}"
            if one.answer is Answer.NOT_UNDERSTOOD:
                continue
            named = (f"{spot.file}:{spot.line}" for spot in one.spots)
            places = "".join(f" {place}" for place in named if place not in one.said)
            marks = "".join(f" {mark[:_MARK]}" for mark in one.fingerprints[:4])
            for said in wrap(sentence(f"{one.said}.{places}"), width - size - 6):
                yield f"{indent}  {said}"
            if marks:
                yield f"{indent}  {ink(f'shoreup explain{marks}', 'faint')}"
        rest = [plain(one.text) for one in answers if one.answer is Answer.NOT_UNDERSTOOD]
        if rest and len(answers) > 1:
            yield f"{indent}{_word(Answer.NOT_UNDERSTOOD, ink)}"
            for said in wrap(" · ".join(rest), width - size - 6):
                yield f"{indent}  {ink(said, 'faint')}"


def _word(answer: Answer, ink: Ink) -> str:
    return ink(_SPOKEN.get(answer, answer.value.replace("-", " ")).upper(), _STYLES[answer])


def _summary(checked: Sequence[Checked], ink: Ink) -> Iterator[str]:
    counts = Counter(one.answer for one in checked)
    if not checked:
        yield "Nothing in it is a claim that could be checked."
        return
    told = (f"{counts[one]} {_SPOKEN.get(one, one.value.replace('-', ' '))}" for one in Answer if counts[one])
    yield f"{ink(f'{len(checked)} claims', 'strong')}: {', '.join(told)}"
