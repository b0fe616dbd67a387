"""Numbers as people write them: ``17``, ``seventeen``, ``only 2``, ``about 40``, ``3 of 12``, ``all``, ``none of``."""

from __future__ import annotations

import re

from msgspec import Struct

_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
).split()
_TENS = {word: ten * 10 for ten, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}
NUMBER = rf"\d[\d,]*|(?:{'|'.join([*_TENS, *_WORDS[::-1]])})(?:-(?:{'|'.join(_WORDS[1:10])}))?"
_ABOUT = (
    r"about|around|roughly|approximately|approx\.?|almost|nearly|some|over|more than|at least|under|less than"
    r"|fewer than|at most|up to|~"
)
_NEAR = 0.1
"""How far a number that is called approximate may be off, as a share."""
QUANTITY = re.compile(
    rf"(?:\b(?P<only>only|just|exactly)\s+)?(?:(?<!\w)(?P<about>{_ABOUT})\s*)?"
    rf"(?:\b(?P<number>{NUMBER})\b(?:\s+(?:out\s+)?of\s+(?:the\s+)?(?P<whole>{NUMBER})\b)?"
    r"|\b(?P<all>all(?:\s+of\s+the|\s+the)?|every|each(?:\s+of\s+the)?)\b"
    rf"|\b(?P<none>none\s+of\s+(?:the|our|these|them)(?:\s+(?:\d+|{'|'.join(_WORDS[1:])})\b)?|no|not\s+a\s+single|not\s+one"
    r"|(?:could|can|did)\s*(?:not|n[’']t)\s+(?:find|see)\s+(?:a\s+single|a|an|any|one)"
    r"|there\s+(?:is|are)(?:\s+not|n[’']t)\s+(?:a\s+single|a|an|any|one))\b)",
    re.IGNORECASE,
)


_LIMITED = re.compile(
    r"\s*(?:objects?\s+)?(?:in|for|of|on|under|within|behind|from)\s+"
    r"(?P<rest>(?!(?:the\s+|this\s+)?(?:whole |entire )?"
    r"(?:repo(?:sitory)?|cluster|estate|code|platform|tree|total|all)\b).+)",
    re.IGNORECASE,
)


_NO_COUNT = re.compile(
    r"(?:[\w.:/#=@%$-]|\b(?:(?:all|any\w*|every\w*|no\w*) but|except|between|minus|plus|no|not|another|version"
    r"|lines?|port|step|stage|phase|chapter|number"
    r"|level|priority|uid|gid|user|page|item|section|concern|finding|issue|release|tag|exit code|code|status)\s*"
    r"|\bbetween\s+\S+\s+and\s+)$",
    re.IGNORECASE,
)


def counts(text: str, at: int) -> bool:
    """Whether a number at a place of a text says how many: it is no part of a name, no range and no other number."""
    return _NO_COUNT.search(text[:at]) is None


class Quantity(Struct, frozen=True):
    """How many are claimed. ``number`` is ``None`` for all; ``whole`` is out of how many, where that is said."""

    number: int | None
    about: str = ""
    whole: int | None = None


def quantity(match: re.Match[str]) -> Quantity:
    """What a match of :data:`QUANTITY` means."""
    about = (match["about"] or "").lower()
    if match["all"]:
        return Quantity(None)
    if match["none"]:
        of = re.search(rf"\bof\s+\w+\s+(?P<whole>{NUMBER})$", match["none"], re.IGNORECASE)
        return Quantity(0, "", value(of["whole"]) if of is not None else None)
    whole = match["whole"]
    return Quantity(value(match["number"]), about, value(whole) if whole else None)


def value(written: str) -> int:
    """The number that is written in figures or words."""
    word = written.lower().replace(",", "")
    if word.isdigit():
        return int(word)
    first, _, second = word.partition("-")
    return (_TENS.get(first) or _WORDS.index(first)) + (_WORDS.index(second) if second else 0)


def limited_to(behind: str) -> str:
    """What a count is limited to (``in the namespace web``), by the text behind it; empty where it is of everything."""
    match = _LIMITED.match(behind)
    return match["rest"] if match is not None else ""


def close(said: int, true: int, about: str) -> bool:
    """Whether a number as it is written (``about 40``, ``over 900``) fits the true one."""
    word = about.strip().lower()
    if word in ("over", "more than", "at least", "up from"):
        return said <= true
    if word in ("under", "less than", "at most", "up to", "fewer than"):
        return true <= said
    if word:
        return abs(said - true) <= max(1, said * _NEAR)
    return said == true
