"""Amounts in prose and in code: ``15 days`` and ``30d``, ``20Gi``, ``v1.13.0``, ``three replicas``.

An amount has a type (time, size, version, plain number); only amounts of a type are compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from shoreup.stages.checking.numbers import NUMBER, value

_MONTH = r"(?i:\b(?:january|february|march|april|may|june|july|august|september|october|november|december)\s+)$"
_SHORT_TIME = r"(?P<short>\d+)(?P<letter>[smhdwy])"
_SIZE = r"(?P<size>\d+(?:\.\d+)?)\s?(?P<unit>[KMGTP]i?B?)"
_VERSION = r"v?(?P<version>\d+\.\d+(?:\.\d+)*(?:-[\w.]+)?)"
_IN_CODE = re.compile(rf"(?<![\w.])(?:{_SIZE}|{_SHORT_TIME}|{_VERSION}|(?P<plain>\d+))(?![\w])(?!\.\d)")
_IN_PROSE = re.compile(
    rf"(?<![\w.:/#-])(?:{_SIZE}|{_SHORT_TIME}|{_VERSION}"
    rf"|(?P<plain>{NUMBER})(?:[ -](?P<word>(?:second|minute|hour|day|week|month|year)s?))?)"
    r"(?![\w])(?!\.\d|[./:]\w)",
    re.IGNORECASE,
)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_LONG = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800, "month": 2592000, "year": 31536000}


_SINGLE = re.compile(r"\bsingle(?= (?:replica|instance|pod|copy)\b)", re.IGNORECASE)
_THOUSANDTHS = re.compile(r"(?<![\w.])(?P<parts>\d+)m(?!\w)")
"""``500m`` is half a processor."""
_KEPT = re.compile(r"\btail\s+-n\s*\+(?P<after>\d+)")
"""``tail -n +31`` begins at the 31st: 30 are left out of what is removed."""


class Amount(Struct, frozen=True):
    """``type`` is ``time``, ``size``, ``version`` or ``number``; two are equal where type and ``value`` are."""

    type: str
    value: str
    written: str
    start: int
    end: int
    unit: str = ""
    count: str = ""
    """How many of the unit, in figures; for ``number`` its value."""

    def same(self, other: Amount) -> bool:
        """Whether both say the same."""
        return self.type == other.type and self.value == other.value


def in_prose(text: str) -> Iterator[Amount]:
    """The amounts of a sentence."""
    for match in _SINGLE.finditer(text):
        yield Amount("number", "1", match[0], match.start(), match.start() + len("single"))
    for match in _IN_PROSE.finditer(text):
        if re.search(_MONTH, text[: match.start()]) and re.fullmatch(r"\d{1,2}|(?:19|20)\d\d,?", match[0]):
            continue  # a date
        if match[0].lower() in ("one", "zero"):
            continue  # "one of them" counts nothing
        yield _amount(match, (match["word"] or "").lower().removesuffix("s"))


def in_code(text: str) -> Iterator[Amount]:
    """The amounts of a line of code."""
    for match in _KEPT.finditer(text):
        kept = str(int(match["after"]) - 1)
        yield Amount("number", kept, f"{kept} ({match[0]})", match.start(), match.end())
    for match in _THOUSANDTHS.finditer(text):
        yield Amount("number", f"{int(match['parts']) / 1000:g}", match[0], match.start(), match.end())
    spans = [match.span() for match in _KEPT.finditer(text)]
    for match in _IN_CODE.finditer(text):
        if any(start <= match.start() < end for start, end in spans):
            continue
        yield _amount(match, "")


def _amount(match: re.Match[str], word: str) -> Amount:
    if match["size"]:
        kind, held = "size", f"{float(match['size']):g}{match['unit'][:2].rstrip('B')}"
    elif match["short"]:
        kind, held = "time", str(int(match["short"]) * _SECONDS[match["letter"].lower()])
    elif match["version"]:
        kind, held = "version", match["version"]
    elif word:
        kind, held = "time", str(value(match["plain"]) * _LONG[word])
    else:
        kind, held = "number", str(value(match["plain"]))
    count = str(value(match["plain"])) if match["plain"] else match["short"] or ""
    return Amount(kind, held, match[0], match.start(), match.end(), word, count)
