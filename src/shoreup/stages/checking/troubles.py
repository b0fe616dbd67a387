"""Claims in the words of a trouble that the catalogue knows: whether the audit found the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources

import msgspec
from msgspec import Struct

from shoreup.model.claim import Answer, Checked, Kind, Spot
from shoreup.model.finding import Finding, Undecided
from shoreup.stages.checking.clauses import clauses
from shoreup.stages.checking.document import Sentence, without_files
from shoreup.stages.checking.words import parts, shared, telling

_SHOWN = 4
_SPARE = 1
"""Words of a clause that a finding need not have to say the same."""
_NOTHING = re.compile(r"\b(?:nothing|nobody|none|no|not|never|neither)\b[^,;]*$", re.IGNORECASE)


class _Phrase(Struct, frozen=True, forbid_unknown_fields=True):
    words: str
    concerns: tuple[str, ...]


class Troubles(Struct, frozen=True):
    """Answers by what an audit found, what it could not decide, and what it lists as unproven."""

    findings: Sequence[Finding]
    undecided: Sequence[Undecided]

    def answers(self, sentence: Sentence) -> Iterator[Checked]:
        """Whether the troubles that a sentence names are there, at what it names."""
        for pattern, concerns in _phrases():
            match = pattern.search(sentence.plain)
            if match is None:
                continue
            held = (sentence.text[start:end] for start, end in clauses(sentence.text))
            clause = next((one for one in held if _holds(one, match[0])), sentence.text)
            known = [one for one in self.findings if one.concern in concerns]
            names = _names(sentence)
            mine = [one for one in known if _about(one, names, sentence)]
            denied = _NOTHING.search(sentence.plain[: match.start()]) is not None
            doubt = next((one for one in self.undecided if one.concern in concerns), None)
            of_another = bool(sentence.codes) or re.search(r"\b(?:it|them|that|this|these|those)\b", clause) is not None
            if mine or (known and not of_another and not (names & _all_names(self.findings)) and not sentence.file):
                yield self._found(sentence, match[0], clause, mine or known, denied=denied)
            elif doubt is not None:
                said = f"{doubt.unknown} is not known: {doubt.reason}"
                yield Checked(
                    sentence.line, match[0], Kind.PROPERTY, Answer.UNDECIDED, said, (Spot(doubt.file, doubt.line),)
                )
            elif known:
                said = f"found elsewhere, not there: {known[0].subject}"
                yield _checked(sentence, match[0], Answer.UNDECIDED, said, known)
            else:
                # That an audit found nothing proves nothing: a person may have seen what it does not know.
                said = f"the audit looked for it ({', '.join(concerns)}) and found nothing of the kind"
                answer = Answer.CONFIRMED if denied else Answer.UNDECIDED
                yield Checked(sentence.line, match[0], Kind.PROPERTY, answer, said)

    def _found(self, sentence: Sentence, words: str, clause: str, mine: Sequence[Finding], *, denied: bool) -> Checked:
        """What was found, which confirms a clause that says nothing more than that."""
        more = f" and {len(mine) - 1} more" if len(mine) > 1 else ""
        said = f"found: {mine[0].message.rstrip('.')}{more}"
        if denied:
            return _checked(sentence, words, Answer.WRONG, said, mine)
        told = " ".join(f"{one.message} {one.subject} {one.concern} {one.file}" for one in mine)
        rest = telling(without_files(clause.replace(words, " ")))
        open_ones = rest - shared(rest, parts(told)) - telling(" ".join(_names_of(mine)))
        if len(open_ones) > _SPARE:
            said = f"{said}; whether that is what is meant is for a person to judge"
            return _checked(sentence, words, Answer.UNDECIDED, said, mine)
        return _checked(sentence, words, Answer.CONFIRMED, said, mine)


def _holds(clause: str, words: str) -> bool:
    return words.lower() in re.sub(r"[`*]", "", clause).lower()


def _names_of(found: Sequence[Finding]) -> Iterator[str]:
    return (one.resource.name for one in found if one.resource is not None)


@cache
def _phrases() -> tuple[tuple[re.Pattern[str], frozenset[str]], ...]:
    content = resources.files("shoreup.stages.checking").joinpath("data", "phrases.json").read_bytes()
    return tuple(
        (re.compile(rf"\b(?:{one.words})\b", re.IGNORECASE), frozenset(one.concerns))
        for one in msgspec.json.decode(content, type=list[_Phrase])
    )


def _names(sentence: Sentence) -> set[str]:
    words = {one.strip("`*_.,:;()\"'") for one in re.split(r"[\s,]+", sentence.text)} | set(sentence.codes)
    return {part for one in words for part in (one, one.rpartition("/")[2]) if part}


def _all_names(findings: Sequence[Finding]) -> set[str]:
    return {one.resource.name for one in findings if one.resource is not None}


def _about(one: Finding, names: set[str], sentence: Sentence) -> bool:
    if one.resource is not None and one.resource.name in names:
        return True
    return bool(sentence.file) and one.file.endswith(sentence.file)


def _checked(sentence: Sentence, words: str, answer: Answer, said: str, found: Sequence[Finding]) -> Checked:
    spots = tuple(Spot(one.file, one.line) for one in found[:_SHOWN] if one.file)
    prints = tuple(one.fingerprint for one in found)
    return Checked(sentence.line, words, Kind.PROPERTY, answer, said, spots, prints)
