"""What a section says, held against the places that it lists: "Files: `a.tf:12-30`, `b.tf:7`" below its sentences.

Such a list does not say which sentence each place is for. So a clause is confirmed only where all that it shows, code
and amounts, stands in the listed lines, and close together; it is wrong where one line there sets the same to another
value. Whatever else is left open.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from shoreup.model.claim import Answer, Checked, Kind, Spot
from shoreup.stages.auditing.masking import masked
from shoreup.stages.checking.amounts import Amount, in_code
from shoreup.stages.checking.clauses import advises, clauses
from shoreup.stages.checking.corpus import Corpus
from shoreup.stages.checking.document import FILE, Sentence
from shoreup.stages.checking.evidence import CRON, Lines, attribute, frequency, holds, squeezed, wanted
from shoreup.stages.checking.places import meant
from shoreup.stages.checking.polarity import exclusive, negative, sweeping
from shoreup.stages.checking.words import parts, shared

_VALUE = re.compile(r"[\w./-]+\s*[:=]\s*\S+|[\w.-]+:[\w.-]+|\d+\.\d|[\w-]+ [\w-]+")
_PAIR = re.compile(r"[\"']?(?P<key>[\w./-]*[A-Za-z][\w./-]*)[\"']?\s*(?:[:=]\s*|\s)(?P<value>[^\s{(\[|>]+)")
_SET = re.compile(
    r"`(?P<key>[A-Za-z][\w.-]+)`\s+(?:is|has|=)\s+(?:set\s+to\s+)?(?:the\s+)?(?:literal\s+)?(?:value\s+)?`(?P<value>[^`]+)`"
)
_COMMENTED = re.compile(r"\b(?:entirely |all |completely |fully )?commented[ -]out\b", re.IGNORECASE)
_COMMENT = re.compile(r"\s*(?:#|//|/?\*|<!--|;)|\s*$")
_NEAR = 3
"""Lines that one statement's pieces may be apart."""
_WIDE = 60
"""Lines of a place in which an amount is found by its name; more have too many."""
_ABOVE = 3
"""Lines above an amount that may name what it is of."""


class Listed(Struct, frozen=True):
    """Answers the clauses of sentences that name no place themselves."""

    tree: Corpus

    def answers(self, sentence: Sentence) -> Iterator[Checked]:
        """What the listed lines say to a sentence."""
        places = [*self._places(sentence)]
        if not places or re.search(rf"(?:{FILE}):\d", sentence.text):
            return
        held = clauses(sentence.text)
        # What a sentence denies beside it no listed line shows, so that the whole is not confirmed by a half.
        denies = any(negative(re.sub(r"`[^`]*`", " ", sentence.text[start:end])) for start, end in held)
        for start, end in held:
            clause = sentence.text[start:end]
            prose = re.sub(r"`[^`]*`", " ", clause)
            if advises(clause) or sweeping(prose.replace("entirely", "")) or exclusive(prose):
                continue
            if _COMMENTED.search(clause):
                yield from self._commented(sentence, sentence.part(start, end), places)
            elif not negative(prose):
                told = self._stated(sentence, clause, sentence.part(start, end), places)
                yield from (one for one in told if not denies or one.answer is not Answer.CONFIRMED)

    def _places(self, sentence: Sentence) -> Iterator[tuple[str, Lines, int, int]]:
        for file, first, last in sentence.listed:
            paths = meant(self.tree, file, sentence.written).paths
            lines = self.tree.lines(paths[0]) if len(paths) == 1 else None
            if lines is not None and first <= len(lines.text):
                yield paths[0], lines, first, min(last, len(lines.text))

    def _commented(
        self, sentence: Sentence, text: str, places: Sequence[tuple[str, Lines, int, int]]
    ) -> Iterator[Checked]:
        if len(places) == 1:
            path, lines, first, last = places[0]
            if all(map(_COMMENT.match, lines.text[first - 1 : last])):
                said = f"every line of {path}:{first}-{last} is a comment"
                yield _checked(sentence, text, Answer.CONFIRMED, said, Spot(path, first))

    def _stated(
        self, sentence: Sentence, clause: str, text: str, places: Sequence[tuple[str, Lines, int, int]]
    ) -> Iterator[Checked]:
        wish = wanted(clause, [one for one in sentence.codes if f"`{one}`" in clause])
        told: list[tuple[bool, str, Spot]] = []
        pair = _SET.search(clause)
        if pair is not None:
            found = self._pair(pair["key"], pair["value"], places)
            if found is None:
                return
            told.append(found)
        for code in wish.codes:
            if pair is not None and code in (pair["key"], pair["value"]):
                continue
            one = self._code(code, places)
            if one is not None:
                told.append(one)
            elif _VALUE.search(code) or not any(self.tree.has(path, code) for path, *_ in places):
                return  # what is shown stands in none of the lines
        for amount in wish.amounts:
            measured = self._amount(clause, amount, places)
            if measured is None:
                return
            told.append(measured)
        rhythm = self._rhythm(clause, places)
        told += [rhythm] if rhythm is not None else []
        right = [one for one in told if one[0]]
        wrong = [one for one in told if not one[0]]
        if wrong:
            answer = Answer.PARTLY if right else Answer.WRONG
            yield _checked(sentence, text, answer, wrong[0][1], wrong[0][2])
        elif right:
            shown = [one for one in right if one[1].startswith("it stands")]
            lines = [one[2].line for one in shown if one[2].file == shown[0][2].file]
            if shown and (len(lines) < len(shown) or max(lines) - min(lines) > _NEAR):
                return  # each of them stands there, but not together
            if shown and any(not self._beside(code, shown[0][2]) for code in wish.codes if not _VALUE.search(code)):
                return
            yield _checked(sentence, text, Answer.CONFIRMED, right[0][1], right[0][2])

    def _code(self, code: str, places: Sequence[tuple[str, Lines, int, int]]) -> tuple[bool, str, Spot] | None:
        """Whether a value stands in the lines; ``None`` for a mere name, and where nothing there is the same field."""
        if not _VALUE.search(code):
            return None
        for path, lines, first, last in places:
            for number in range(first, last + 1):
                line = lines.text[number - 1]
                if holds(line, code) and not _COMMENT.match(line):
                    return True, f"it stands there: {self._shown(path, number)}", Spot(path, number)
        pair = _PAIR.fullmatch(code)
        found = self._pair(pair["key"], pair["value"], places) if pair is not None else None
        return found if found is not None and not found[0] else None

    def _beside(self, code: str, spot: Spot) -> bool:
        """Whether a name stands near a line, or is declared by what the line belongs to."""
        lines = self.tree.cut(spot.file)
        near = lines[max(0, spot.line - 1 - _NEAR) : spot.line + _NEAR]
        return any(holds(line, code) for line in near) or not self.tree.has(spot.file, code)

    def _pair(
        self, key: str, value: str, places: Sequence[tuple[str, Lines, int, int]]
    ) -> tuple[bool, str, Spot] | None:
        """Whether a field has a value: the one field of the name in the lines, or a name with its value below it."""
        found: list[tuple[bool, str, Spot]] = []
        for path, lines, first, last in places:
            for number in range(first, last + 1):
                line = lines.text[number - 1].strip().lstrip("- ")
                held = _PAIR.match(line)
                if _COMMENT.match(line) or held is None:
                    continue
                named = re.fullmatch(rf"[\"']?name[\"']?\s*[:=]\s*[\"']?{re.escape(key)}[\"']?,?", line)
                below = _PAIR.match(lines.text[number].strip()) if named and number < last else None
                if named and below is not None and below["key"] == "value":
                    held, number = below, number + 1
                elif held["key"] != key:
                    continue
                same = squeezed(held["value"].rstrip(",;")) == squeezed(value)
                if not same and re.search(r"[${(]|\bvar\.|\blocal\.", held["value"]):
                    return None
                if not same and squeezed(held["value"]).startswith(squeezed(value)):
                    return None
                shown = self._shown(path, number)
                found.append((same, f"it {'stands there' if same else 'is'}: {shown}", Spot(path, number)))
        return found[0] if len(found) == 1 else None

    def _amount(
        self, clause: str, amount: Amount, places: Sequence[tuple[str, Lines, int, int]]
    ) -> tuple[bool, str, Spot] | None:
        """Whether an amount is that of the field that is called so; ``None`` where no single field is."""
        about = attribute(clause, amount) - frozenset(parts(amount.unit))
        found: dict[str, tuple[bool, str, Spot]] = {}
        for path, lines, first, last in places:
            if last - first > _WIDE:
                return None
            for number in range(first, last + 1):
                line = lines.text[number - 1]
                words = frozenset().union(*lines.words[max(0, number - 1 - _ABOVE) : number])
                for one in in_code(line):
                    same = one.same(amount) or _in_days(amount, one, line)
                    comparable = one.type == amount.type or _days(amount, line)
                    if _COMMENT.match(line) or not comparable or not shared(about, words):
                        continue
                    shown = f"it {'stands there' if same else 'is'}: {self._shown(path, number)}"
                    found.setdefault(one.value if not same else amount.value, (same, shown, Spot(path, number)))
        right = found.get(amount.value)
        if right is not None:
            return (True, right[1].replace("it stands there", "it has it there"), right[2])
        return next(iter(found.values())) if len(found) == 1 and amount.type != "number" else None

    def _rhythm(self, clause: str, places: Sequence[tuple[str, Lines, int, int]]) -> tuple[bool, str, Spot] | None:
        """Whether the one schedule in the lines is as often as it is said."""
        told = frequency(clause)
        there = [
            (path, number, match[0])
            for path, lines, first, last in places
            for number in range(first, last + 1)
            if not _COMMENT.match(lines.text[number - 1]) and (match := CRON.search(lines.text[number - 1])) is not None
        ]
        if told is None or len(there) != 1:
            return None
        path, number, cron = there[0]
        same = re.fullmatch(told, cron) is not None
        return same, f"the schedule is `{cron}`", Spot(path, number)

    def _shown(self, path: str, number: int) -> str:
        text = self.tree.text(path) or ""
        shown = masked(text, [range(number, number + 1)], secret=False).get(number, "").strip()
        return f"`{shown[:90]}`"


def _days(amount: Amount, line: str) -> bool:
    """Whether a bare number of a line measures what the amount does: ``-mtime +14`` is in days."""
    return amount.unit == "day" and re.search(r"-mtime\s+\+\d|\bdays?\b", line, re.IGNORECASE) is not None


def _in_days(amount: Amount, held: Amount, line: str) -> bool:
    return _days(amount, line) and amount.count == held.value


def _checked(sentence: Sentence, text: str, answer: Answer, said: str, spot: Spot) -> Checked:
    return Checked(sentence.line, text, Kind.PROPERTY, answer, said, (spot,), (), sentence.written)
