"""How much a program's comments say that it keeps: "keep 14 daily dumps", "30 day retention", "the last 28 stay".

Only a comment that speaks of keeping and holds one such number is taken at its word.
"""

from __future__ import annotations

import re

from msgspec import Struct

from shoreup.formats.shell import Program

_SPEAKS = re.compile(
    r"\bkeep|\bkept|\bretain|\bretention|\brotat|\bstays?\b|\bolder than|\bnewest\b|\blast\b", re.IGNORECASE
)
_NOT_NOW = re.compile(
    r"\btodo\b|\bfixme\b|\bused to\b|\bpreviously\b|\bold\s+`|\bshould\b|\bmissing\b|\bno longer\b|\bwould\b",
    re.IGNORECASE,
)
_TIME = re.compile(r"(?<![\d.])(?P<number>\d{1,3})[\s-]*(?:x\s*)?(?P<unit>day|week|month)s?\b", re.IGNORECASE)
_COUNT = re.compile(
    r"(?:\blast|\bnewest|\bfirst|\bkeep(?:s|ing)?|\bretain)\s+(?:the\s+)?(?:last\s+|newest\s+|latest\s+)?(?P<number>\d{1,3})"
    r"\b(?!\s*[-.:/%]?\d)(?!\s*(?:day|week|month|hour|minute|year|gb|mb|g\b|m\b|%))",
    re.IGNORECASE,
)
_DAYS = {"day": 1, "week": 7, "month": 30}


class KeptClaim(Struct, frozen=True):
    """What a comment says is kept: a time in ``days``, or a number of ``copies``. ``text`` is the comment."""

    text: str
    days: int = 0
    copies: int = 0


def kept_claims(program: Program) -> tuple[KeptClaim, ...]:
    """What the comments of a program say."""
    found: list[KeptClaim] = []
    for start, end in program.comments:
        text = " ".join(program.text[start:end].lstrip("# ").split())
        if not _SPEAKS.search(text) or _NOT_NOW.search(text):
            continue
        times, counts = list(_TIME.finditer(text)), list(_COUNT.finditer(text))
        if re.search(r"\b(?:weekly|monthly|yearly|hourly)\b", text, re.IGNORECASE):
            continue  # copies of another rhythm than the job's own
        if len(times) == 1 and not counts:
            found.append(KeptClaim(text, days=int(times[0]["number"]) * _DAYS[times[0]["unit"].lower()]))
        elif len(counts) == 1 and not times:
            found.append(KeptClaim(text, copies=int(counts[0]["number"])))
    return tuple(found)
