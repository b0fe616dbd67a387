"""A checked document held against its key: what was understood, what is right, and above all what is false.

A key lists the claims of a document with the verdict that is right for each, found by hand in the source. A false
verdict (one that decides, and otherwise than the key) is worse than none.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import yaml
from msgspec import Struct

from shoreup.model.claim import Answer, Checked, Kind

_DECIDED = frozenset({Answer.CONFIRMED, Answer.PARTLY, Answer.WRONG, Answer.MOVED})
_NUMBERS = frozenset({"count", "number", "sweeping"})
"""Kinds of claim whose wrong number may also be told as partly right, if the true number is told with it."""
_LONGEST = 12
"""Lines that a sentence may have, so that one that is said twice is not taken for the other."""
_OPEN = frozenset({"undecidable", "not-understood-acceptable", "not-understood"})


class Claim(Struct, frozen=True):
    """One claim of a key. ``verdict`` and ``accept`` are words of the key."""

    id: str
    line: int
    text: str
    kind: str
    verdict: str
    accept: tuple[str, ...]
    truth: str


class Judged(Struct, frozen=True):
    """A claim with what the tool made of it. ``told`` is ``None`` where it said nothing of it."""

    claim: Claim
    told: Answer | None
    said: str

    @property
    def decided(self) -> bool:
        """Whether a verdict was given."""
        return self.told in _DECIDED

    @property
    def right(self) -> bool:
        """Whether the verdict is the key's, or one that the key accepts."""
        wanted = {self.claim.verdict, *self.claim.accept}
        if self.told is Answer.PARTLY and self.claim.verdict == "wrong" and self.claim.kind in _NUMBERS:
            return "partly" in wanted or bool(
                set(re.findall(r"\d+", self.claim.truth)) & set(re.findall(r"\d+", self.said))
            )
        if self.told in (Answer.UNDECIDED, Answer.PLACE):
            return bool(wanted & _OPEN)
        return self.told is not None and self.told.value in wanted

    @property
    def false(self) -> bool:
        """Whether a verdict was given, and another is right."""
        return self.decided and not self.right


class Score(Struct, frozen=True):
    """Every claim of a key, judged."""

    judged: tuple[Judged, ...]

    @property
    def decidable(self) -> Sequence[Judged]:
        """The claims that the source decides."""
        return [one for one in self.judged if one.claim.verdict not in _OPEN]

    @property
    def right(self) -> Sequence[Judged]:
        """The decidable claims that were decided rightly."""
        return [one for one in self.decidable if one.decided and one.right]

    @property
    def false(self) -> Sequence[Judged]:
        """All claims that were decided, and wrongly."""
        return [one for one in self.judged if one.false]


def key(path: Path) -> tuple[Claim, ...]:
    """The claims of a key file."""
    held: Mapping[str, Sequence[Mapping[str, object]]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return tuple(_claim(one) for one in held["claims"])


def score(claims: Collection[Claim], checked: Sequence[Checked]) -> Score:
    """Match answers to claims, by line and words, and judge them."""
    by_line: dict[int, list[Claim]] = defaultdict(list)
    for claim in claims:
        by_line[claim.line].append(claim)
    found: dict[str, list[Checked]] = defaultdict(list)
    for one in checked:
        for claim in _meant(one, claims, by_line.get(one.line, [])):
            found[claim.id].append(one)
    return Score(tuple(_judged(claim, found[claim.id]) for claim in claims))


def _meant(one: Checked, claims: Collection[Claim], on_line: Sequence[Claim]) -> Sequence[Claim]:
    """The claims that an answer answers: those that its part of the sentence touches; all of them without a part."""
    words = _bare(one.sentence or one.text)
    near = [claim for claim in claims if one.line <= claim.line <= one.line + _LONGEST]
    mine = [claim for claim in near if _bare(claim.text) in words]
    if not mine:
        mine = [claim for claim in on_line if words in _bare(claim.text)]
        return (mine or on_line)[:1]
    part = _bare(one.text)
    at = words.find(part)
    spans = {claim.id: words.index(_bare(claim.text)) for claim in mine}
    touched = [
        claim for claim in mine if at < spans[claim.id] + len(_bare(claim.text)) and spans[claim.id] < at + len(part)
    ]
    return mine if at < 0 or not part else touched


def _claim(held: Mapping[str, object]) -> Claim:
    line, accept = held["line"], held.get("accept") or ()
    assert isinstance(line, int)
    assert isinstance(accept, Collection)
    texts = (str(held.get(name) or "") for name in ("id", "text", "kind", "verdict", "truth"))
    named, text, kind, verdict, truth = texts
    return Claim(named, line, text, kind, verdict, tuple(map(str, accept)), truth)


def _judged(claim: Claim, parts: Sequence[Checked]) -> Judged:
    """The parts of a claim as one: wrong in part is partly; what is open in part is not decided as a whole."""
    # A sentence that is prose counts for nothing beside one that claims.
    answered = [one for one in parts if one.kind is not Kind.OTHER] or parts
    told = {one.answer for one in answered}
    said = " / ".join(one.said for one in parts)
    held = told & {Answer.CONFIRMED, Answer.MOVED}
    whole: Answer | None
    if told & {Answer.WRONG, Answer.PARTLY}:
        whole = Answer.WRONG if Answer.WRONG in told and not held | (told & {Answer.PARTLY}) else Answer.PARTLY
    elif Answer.MOVED in told:
        whole = Answer.MOVED
    elif Answer.PLACE in told:
        whole = Answer.PLACE
    elif Answer.UNDECIDED in told:
        whole = Answer.UNDECIDED
    elif Answer.NOT_UNDERSTOOD in told:
        whole = Answer.NOT_UNDERSTOOD
    else:
        whole = Answer.CONFIRMED if told else None
    return Judged(claim, whole, said)


def _bare(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", text.lower())
