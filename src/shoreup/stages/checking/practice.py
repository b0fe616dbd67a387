"""Claims of what people do and how things behave: no source decides them, and what would is told."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shoreup.model.claim import Answer, Checked, Kind
from shoreup.stages.checking.document import Sentence

_DONE = (
    r"\b(?:never|nobody|no one|not)\b.{0,40}"
    r"\b(?:tested|tried|exercised|rehearsed|practi[cs]ed|restored?|reviewed|checked)\b"
)
_HABIT = (
    r"\b(?:habitually|usually|regularly|on any regular|cadence|every morning|by habit|the (?:team|owner|operator)s?)\b"
)
_RUNNING = (
    r"\b(?:oom(?:s|ed|kill\w*)?|slow(?:ly)?|bottlenecks?|latency|under (?:\w+[- ])?load|crash(?:es|ed)?|fills? up)\b"
)
_OPEN: tuple[tuple[str, str], ...] = (
    (_DONE, "what was done is not in the source; a proof of it would be in the ledger (shoreup drill)"),
    (_HABIT, "what people do is not in the source"),
    (_RUNNING, "how it behaves when it runs is not in the source; measurements would tell"),
)


def answers(sentence: Sentence) -> Iterator[Checked]:
    """That a claim cannot be decided, with what is missing."""
    for words, missing in _OPEN:
        match = re.search(words, sentence.plain, re.IGNORECASE)
        if match is not None:
            yield Checked(
                sentence.line, sentence.plain, Kind.OTHER, Answer.UNDECIDED, missing, (), (), sentence.written
            )
            return
