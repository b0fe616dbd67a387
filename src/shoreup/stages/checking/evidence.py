"""Whether lines of a file say what a sentence says of them.

Three things are looked for: code in backticks, amounts, and the sentence's own words in the names that code uses. What
is not at the lines is looked for in the rest of the file, so that a stale place is told from a wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache, cached_property

from msgspec import Struct

from shoreup.stages.checking.amounts import Amount, in_code, in_prose
from shoreup.stages.checking.words import parts, shared, telling

_COMMON = 0.12
"""Share of a file's lines from which on a word tells nothing."""
_FEW = 4
_ALONE = 0.5
"""How telling a word must be to find a place alone: it stands on two lines at most."""
_ATTRIBUTE = 4
"""Words before an amount that may name what it measures."""
_FREQUENT: tuple[tuple[str, str], ...] = (
    (r"\bhourly\b|\bevery hour\b|\bonce an hour\b", r"(?:\d+|H) \* \* \* \*|@hourly"),
    (
        r"\bdaily\b|\bevery (?:day|night)\b|\bnightly\b|\bonce a day\b",
        r"(?:[\d]+|H) (?:\d+|H) \* \* \*|@daily|@midnight",
    ),
    (r"\bweekly\b|\bevery week\b|\bonce a week\b", r"(?:[\d]+|H) (?:\d+|H) \* \* (?:\d|\w{3})|@weekly"),
    (r"\bmonthly\b|\bonce a month\b", r"(?:[\d]+|H) (?:\d+|H) \d+ \* \*|@monthly"),
)
_ALIGNED = dict.fromkeys(map(ord, " \t\r\n\f\v\xa0\"'"))
_FIELD = re.compile(r"[\"']?(?P<key>[\w.-]+)[\"']?\s*[:=]\s*(?P<value>\S.*)")
CRON = re.compile(r"(?:(?:[\dH*,/-]+) ){4}[\w*,/-]+|@(?:hourly|daily|midnight|weekly|monthly|yearly)")
"""A schedule as code writes it."""


class Wanted(Struct, frozen=True):
    """What a part of a sentence says: ``codes`` it quotes, its ``amounts`` and its ``words``; ``text`` is that part."""

    codes: tuple[str, ...]
    amounts: tuple[Amount, ...]
    words: frozenset[str]
    text: str

    @property
    def empty(self) -> bool:
        """Whether nothing is said that could be looked for."""
        return not self.codes and not self.amounts and not self.words


class Mismatch(Struct, frozen=True):
    """An amount that is another in the source, at ``line``; ``line`` 0 where none was found to compare."""

    amount: Amount
    true: str
    line: int


def wanted(text: str, codes: Sequence[str]) -> Wanted:
    """What a text without places says."""
    prose = re.sub(r"`[^`]*`", lambda one: " " * len(one[0]), text)
    measured = [one for code in codes for one in in_prose(code) if one.written == code]
    quoted = tuple(one for one in codes if not any(one == held.written for held in measured))
    amounts = [*in_prose(prose), *measured]
    if any(map(CRON.search, codes)):
        # "every six hours" beside a schedule is what the schedule says.
        amounts = [one for one in amounts if not prose[: one.start].rstrip().endswith("every")]
    return Wanted(quoted, tuple(amounts), telling(prose), prose)


def frequency(text: str) -> str | None:
    """The schedules that are as often as a text says; ``None`` where it does not say, or says it by number."""
    if re.search(
        r"\b(?:twice|thrice|times|every other|each other|\d+[ -](?:hourly|daily|weekly))\b", text, re.IGNORECASE
    ):
        return None
    told = [code for prose, code in _FREQUENT if re.search(prose, text, re.IGNORECASE)]
    return told[0] if len(told) == 1 else None


def cut(text: str) -> list[str]:
    """The lines of a text as editors number them: other marks than line ends cut nothing."""
    lines = [one.removesuffix("\r") for one in text.split("\n")]
    return lines[:-1] if not lines[-1] else lines


class Lines:
    """The lines of a file, 1-based, with the words of each."""

    def __init__(self, text: str, path: str) -> None:
        self.text = cut(text)
        self._path = parts(path)

    @cached_property
    def words(self) -> Sequence[frozenset[str]]:
        """The words of every line."""
        return [parts(line) for line in self.text]

    @cached_property
    def _spread(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for words in self.words:
            for one in words:
                found[one] = found.get(one, 0) + 1
        return found

    def telling(self, wished: frozenset[str]) -> frozenset[str]:
        """The words that say something in this file: neither everywhere nor in its path."""
        most = max(_FEW, len(self.text) * _COMMON)
        return frozenset(one for one in wished if self._spread.get(one, 0) <= most and not shared((one,), self._path))

    def standing(self, codes: Sequence[str], first: int, last: int) -> int:
        """The line of a range that holds one of the codes; 0 where none does."""
        part = self.text[max(0, first - 1) : last]
        for code in codes:
            for number, line in enumerate(part, start=first):
                if holds(line, code):
                    return number
            if len(part) > 1 and holds("\n".join(part), code):
                return first
        return 0

    def measured(self, wish: Wanted, numbers: Sequence[int]) -> bool:
        """Whether one of the lines has an amount that is said."""
        there = [one for number in numbers for one in in_code(self.text[number - 1])]
        return any(one.same(held) for one in wish.amounts for held in there)

    def having(self, words: frozenset[str], first: int, last: int) -> Sequence[int]:
        """The lines of a range that have any of the words."""
        numbers = range(max(1, first), min(last, len(self.text)) + 1)
        return [number for number in numbers if shared(words, self.words[number - 1])]

    def block(self, first: int, last: int) -> tuple[int, int]:
        """A range, and for a single line what belongs to it by its indentation."""
        if last > first or not 0 < first <= len(self.text):
            return first, last
        depth = _indent(self.text[first - 1])
        while last < len(self.text) and (not self.text[last].strip() or _indent(self.text[last]) > depth):
            last += 1
        return first, last

    def contrary(self, code: str) -> int:
        """The one line that sets the field of ``field: value`` to something else; 0 where none or several do."""
        pair = _FIELD.fullmatch(code.strip())
        if pair is None:
            return 0
        key = re.compile(rf"[\s\"'-]*{re.escape(pair['key'])}[\"']?\s*[:=]\s*(?P<value>[^\s$\[{{(|>][^${{(]*)$")
        found = [(number, match) for number, line in enumerate(self.text, 1) if (match := key.match(line)) is not None]
        other = [number for number, match in found if squeezed(match["value"]) != squeezed(pair["value"])]
        return other[0] if len(found) == 1 and other else 0

    def nearest(self, codes: Sequence[str], near: int) -> int:
        """The line nearest to ``near`` that holds the first code that is anywhere; 0 where none is."""
        for code in codes:
            found = [number for number, line in enumerate(self.text, start=1) if holds(line, code)]
            if found:
                return min(found, key=lambda number: abs(number - near))
        return 0

    def said(self, wish: Wanted, first: int, last: int) -> frozenset[str]:
        """The telling words (and amounts) of a wish that the range holds."""
        part = self.text[max(0, first - 1) : last]
        there = frozenset().union(*self.words[max(0, first - 1) : last]) if part else frozenset[str]()
        found = shared(self.telling(wish.words), there)
        amounts = [one for line in part for one in in_code(line)]
        measured = (
            one.written
            for one in wish.amounts
            if any(one.same(held) for held in amounts) and (_tells(one) or shared(attribute(wish.text, one), there))
        )
        return found | frozenset(measured) | frozenset(_often(wish.text, part))

    def best(self, wish: Wanted) -> int:
        """The line that says most of a wish, if it clearly does; 0 where none does."""
        words = self.telling(wish.words)
        told: list[tuple[float, int]] = []
        for number, there in enumerate(self.words, start=1):
            found = shared(words, there | self.words[min(number, len(self.words) - 1)])
            if not shared(found, there):
                continue
            amounts = [one for one in wish.amounts if any(one.same(held) for held in in_code(self.text[number - 1]))]
            weight = sum(1 / max(1, self._spread.get(one, 1)) for one in found) + len(amounts)
            key = re.match(r"[\s\"'-]*([\w.-]+)[\"']?\s*[:=]", self.text[number - 1])
            named = key is not None and shared(found, parts(key[1]))
            own = key is not None and shared(parts(key[1]), words) == parts(key[1])
            if len(found) + len(amounts) > 1 or (named and own and weight >= _ALONE and len(words) <= _FEW - 1):
                told.append((-weight, number))
        return min(told)[1] if told else 0

    def mismatches(self, wish: Wanted, first: int, last: int) -> Iterator[Mismatch]:
        """The amounts of a wish that are others at the lines; not told are those that are right."""
        for amount in wish.amounts:
            about = attribute(wish.text, amount)
            if self._measured(amount, about, first, last, near=True):
                continue
            other = self._other(amount, about, first, last)
            if other is None and self._measured(amount, about, 1, len(self.text), near=False):
                continue
            if other is None and amount.type == "number" and amount.value in map(str, self._items(first, last)):
                continue
            yield other or self._other(amount, about, 1, len(self.text)) or Mismatch(amount, "", 0)
        part = self.text[max(0, first - 1) : last]
        for prose, code in _FREQUENT:
            told = re.search(rf"(?<!\d ){prose}", wish.text, re.IGNORECASE)
            if told is None or any(map(CRON.search, wish.codes)):
                continue
            there = frozenset().union(*self.words[max(0, first - 1) : last]) if part else frozenset[str]()
            if not any(map(CRON.search, part)) and not shared(parts(told[0]), there):
                yield Mismatch(Amount("time", "", told[0], 0, 0), "", 0)
            for number, line in enumerate(part, start=first):
                cron = CRON.search(line)
                if cron is not None and not re.search(code, line):
                    yield Mismatch(Amount("time", "", told[0], 0, 0), cron[0], number)

    def _items(self, first: int, last: int) -> Iterator[int]:
        """How many items, fields of a map or blocks a range has, one below the other."""
        part = [one for one in self.text[max(0, first - 1) : last] if one.strip() and not one.lstrip().startswith("#")]
        for depth in sorted({_indent(one) for one in part}):
            there = [one for one in part if _indent(one) == depth]
            yield sum(one.lstrip().startswith("- ") for one in there)
            yield sum(bool(re.match(r"\s*[\w\"'./-]+\s*(?::\s*$|=?\s*\{\s*$|\s.*\{\s*$)", one)) for one in there)

    def _measured(self, amount: Amount, about: frozenset[str], first: int, last: int, *, near: bool) -> bool:
        fields = [
            (shared(about, self.words[number - 1]), [one for one in in_code(line) if one.type == amount.type])
            for number, line in enumerate(self.text[max(0, first - 1) : last], start=max(1, first))
        ]
        named = [held for words, held in fields if words and held]
        if near and amount.type == "number" and len(named) == 1 and not any(one.same(amount) for one in named[0]):
            return False  # the one field that is called so has another number
        for number in range(max(1, first), min(last, len(self.text)) + 1):
            line = self.text[number - 1]
            if not any(amount.same(one) or _unit_key(amount, one, line) for one in in_code(line)):
                continue
            if near or amount.type in ("size", "version", "time") or shared(about, self.words[number - 1]):
                return True
        return False

    def _other(self, amount: Amount, about: frozenset[str], first: int, last: int) -> Mismatch | None:
        """The one amount of the same type that stands with the same name."""
        found: dict[str, Mismatch] = {}
        for number in range(max(1, first), min(last, len(self.text)) + 1):
            line = self.text[number - 1]
            for name in about:
                if not shared((name,), self.words[number - 1]):
                    continue
                held = [one for one in in_code(line) if _comparable(amount, one, line)]
                behind = [one for one in held if one.start > _at(line, name)]
                if behind or len(held) == 1:
                    one = (behind or held)[0]
                    found[one.value] = Mismatch(amount, one.written, number)
        if not found and last - first < _FEW and amount.type != "number":
            for number in range(max(1, first), min(last, len(self.text)) + 1):
                for one in in_code(self.text[number - 1]):
                    if one.type == amount.type:
                        found[one.value] = Mismatch(amount, one.written, number)
        return next(iter(found.values())) if len(found) == 1 else None


def attribute(text: str, amount: Amount) -> frozenset[str]:
    """The words that stand next to an amount and may name what is measured."""
    at = text.find(amount.written) if text[amount.start : amount.end] != amount.written else amount.start
    before = re.findall(r"[\w.-]+", text[: max(0, at)])[-_ATTRIBUTE:]
    behind = re.findall(r"[\w.-]+", re.split(r"[,;|(]", text[at + len(amount.written) :])[0])[:2]
    unit = (amount.unit,) if amount.unit else ()
    return telling(" ".join((*_clause(before, text, at), *behind))) | frozenset(parts(" ".join(unit)))


def _clause(words: Sequence[str], text: str, at: int) -> Sequence[str]:
    """Those of the words before a place that stand in the same enumeration's item."""
    piece = re.findall(r"[\w.-]+", re.split(r"[,;|(]| and ", text[:at])[-1])
    return words[-len(piece) :] if piece else ()


def holds(line: str, code: str) -> bool:
    """Whether a line holds a piece of code as a whole, however it is spaced and quoted."""
    return _as_written(code).search(line) is not None


@cache
def _as_written(code: str) -> re.Pattern[str]:
    if re.fullmatch(r"[\w-]+", code):
        return re.compile(rf"(?<![\w-]){re.escape(code)}(?![\w-])", re.IGNORECASE if code.islower() else 0)
    tokens = re.findall(r"\w+|[^\w\s\"']", code)
    first, last = (r"(?<!\w)" if code[:1].isalnum() else ""), (r"(?!\w|\.\d)" if code[-1:].isalnum() else "")
    return re.compile(first + r"[\s\"']*".join(map(re.escape, tokens)) + last)


def abridged(lines: Sequence[str], code: str) -> int:
    """The line where code stands that a person shortened: its words in order, within a few lines; 0 where none do."""
    words = re.findall(r"[\w.$/-]*\w[\w.$/-]*", code)
    if not words:
        return 0
    for number, line in enumerate(lines):
        if words[0] in line and _in_order("\n".join(lines[number : number + _FEW]), words):
            return number + 1
    return 0


def _in_order(text: str, words: Sequence[str]) -> bool:
    at = 0
    for one in words:
        found = re.compile(rf"(?<![\w-]){re.escape(one)}").search(text, at)
        if found is None:
            return False
        at = found.end()
    return True


def squeezed(text: str) -> str:
    """Code without what two people write differently: white space, quotes, alignment."""
    return text.translate(_ALIGNED)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _often(text: str, part: Sequence[str]) -> Iterator[str]:
    for prose, code in _FREQUENT:
        if re.search(prose, text, re.IGNORECASE) and any(re.search(code, line) for line in part):
            yield prose


def _tells(amount: Amount) -> bool:
    return amount.type != "number" or len(amount.value) > 1


def _unit_key(amount: Amount, held: Amount, line: str) -> bool:
    """``days = 1`` measures in days."""
    return _comparable(amount, held, line) and amount.count == held.value


def _comparable(amount: Amount, held: Amount, line: str) -> bool:
    if amount.type == held.type:
        return True
    return bool(amount.unit) and held.type == "number" and bool(re.search(rf"{amount.unit}s?\b", line, re.IGNORECASE))


def _at(line: str, name: str) -> int:
    """Where a word begins in a line; 0 where only what means the same does."""
    return max(0, line.lower().find(name.strip("=")))
