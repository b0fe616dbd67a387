"""Times in RFC 3339: reformatting, adding durations, comparing. The present moment is known only at apply."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction

from msgspec import Struct

from shoreup.model.value import Unknown, Value
from shoreup.terraform.functions.conversion import as_text
from shoreup.terraform.functions.kinds import Refused
from shoreup.terraform.functions.signature import Function, Parameter

MAX_SECONDS = 2**63 / 10**9

_TIMESTAMP = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))", re.ASCII)
_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)", re.ASCII)
_SECONDS = {
    "ns": Fraction(1, 10**9),
    "us": Fraction(1, 10**6),
    "\u00b5s": Fraction(1, 10**6),
    "\u03bcs": Fraction(1, 10**6),
    "ms": Fraction(1, 1000),
    "s": Fraction(1),
    "m": Fraction(60),
    "h": Fraction(3600),
}
_TOKEN = re.compile(r"''|'(?:[^']|'')*'?|(?P<verb>([a-zA-Z])\2*)|[^'a-zA-Z]+")
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


class Moment(Struct, frozen=True):
    """A time to the second with its fraction (below one second) and its offset from UTC."""

    time: datetime
    fraction: Fraction


def parse(text: str, position: int | None = None) -> Moment:
    """Read a timestamp. Raises ``Refused``, blaming the argument at ``position``."""
    found = _TIMESTAMP.fullmatch(text)
    if found is None:
        raise Refused("not a valid RFC3339 timestamp", position)
    offset = timedelta(hours=int(found[9] or 0), minutes=int(found[10] or 0))
    try:
        zone = timezone(-offset if found[8] == "-" else offset)
        time = datetime(*(int(found[group]) for group in range(1, 7)), tzinfo=zone)  # type: ignore[arg-type,misc]  # six ints
    except ValueError as problem:
        raise Refused(f"not a valid RFC3339 timestamp: {problem}", position) from None
    return Moment(time, Fraction(int(found[7] or 0), 10 ** len(found[7] or "")))


def duration(text: str) -> Fraction:
    """Read a duration such as ``1h30m`` as seconds."""
    body = text[1:] if text[:1] in ("+", "-") else text
    if body == "0":
        return Fraction(0)
    position, seconds = 0, Fraction(0)
    while position < len(body) and (found := _DURATION.match(body, position)):
        seconds += Fraction(found[1]) * _SECONDS[found[2]] if found[1] != "." else 0
        position = found.end()
    if position < len(body) or not body:
        raise Refused(f"time: invalid duration {text!r}")
    if seconds > MAX_SECONDS:
        raise Refused("time: the duration is too long")
    return -seconds if text.startswith("-") else seconds


def written(time: datetime) -> str:
    """A time as RFC 3339, without its fraction."""
    return f"{time.year:04d}-{time:%m-%dT%H:%M:%S}{_zone(time, 1)}"


def _zone(time: datetime, length: int) -> str:
    minutes = round((time.utcoffset() or timedelta()).total_seconds() / 60)
    sign, minutes = "-" if minutes < 0 else "+", abs(minutes)
    if length == 1 and not minutes:
        return "Z"
    if length == 3 and not minutes:
        return "UTC"
    return f"{sign}{minutes // 60:02d}{':' if length in (1, 5) else ''}{minutes % 60:02d}"


def timeadd(timestamp: str, added: str) -> Value:
    moment = parse(timestamp)
    whole = (moment.fraction + duration(added)).__floor__()
    try:
        return written(moment.time + timedelta(seconds=whole))
    except OverflowError:
        return Unknown("the resulting time is out of range")


def timecmp(one: str, other: str) -> Value:
    first, second = parse(one, 0), parse(other, 1)
    left = (first.time.astimezone(UTC), first.fraction)
    right = (second.time.astimezone(UTC), second.fraction)
    return (left > right) - (left < right)


def formatdate(pattern: str, timestamp: str) -> Value:
    time = parse(timestamp, 1).time
    pieces: list[str] = []
    for token in _TOKEN.finditer(pattern):
        text = token[0]
        if token["verb"]:
            pieces.append(_field(text, time))
        elif text == "''":
            pieces.append("'")
        elif text.startswith("'"):
            if len(text) == 1 or not _closed(text):
                raise Refused("unterminated literal '", 0)
            pieces.append(text[1:-1].replace("''", "'"))
        else:
            pieces.append(text)
    return "".join(pieces)


def _closed(literal: str) -> bool:
    quotes = len(literal) - len(literal.rstrip("'"))
    return quotes % 2 == 1 or len(literal) == quotes


def _field(verb: str, time: datetime) -> str:
    letter, length = verb[0], len(verb)
    numbers = {
        "M": time.month,
        "D": time.day,
        "h": time.hour,
        "H": time.hour % 12 or 12,
        "m": time.minute,
        "s": time.second,
    }
    if letter in numbers and length <= 2:
        return f"{numbers[letter]:0{length}d}"
    names = {"M": _MONTHS[time.month - 1], "E": _DAYS[time.weekday()]}
    if letter in names and length in (3, 4):
        return names[letter][: 3 if length == 3 else None]
    if letter == "Y" and length in (2, 4):
        return f"{time.year % 100:02d}" if length == 2 else f"{time.year:04d}"
    if letter in "Aa" and length == 2:
        half = "AM" if time.hour < 12 else "PM"
        return half if letter == "A" else half.lower()
    if letter == "Z" and length in (1, 3, 4, 5):
        return _zone(time, length)
    raise Refused(f'invalid date format verb "{verb}"', 0)


FUNCTIONS: Mapping[str, Function] = {
    "formatdate": Function(formatdate, (Parameter("format", as_text), Parameter("time", as_text))),
    "timeadd": Function(timeadd, (Parameter("timestamp", as_text), Parameter("duration", as_text))),
    "timecmp": Function(timecmp, (Parameter("timestamp_a", as_text), Parameter("timestamp_b", as_text))),
}
