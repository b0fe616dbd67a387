"""Characters as people count them: Terraform measures strings in grapheme clusters, not in code points.

This follows the main rules of Unicode's text segmentation (UAX 29): marks, joiners, emoji sequences, flags,
Hangul and line ends. ASCII text, nearly all there is, takes a short way.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

_JOINER = "\u200d"


def clusters(text: str) -> list[str]:
    """The grapheme clusters of a text, in order."""
    if text.isascii() and "\r" not in text:
        return list(text)
    return list(_clusters(text))


def length(text: str) -> int:
    """How many grapheme clusters a text has."""
    return len(text) if text.isascii() and "\r" not in text else len(clusters(text))


def _clusters(text: str) -> Iterator[str]:
    start = 0
    for index in range(1, len(text)):
        if _breaks(text, start, index):
            yield text[start:index]
            start = index
    if text:
        yield text[start:]


def _breaks(text: str, start: int, index: int) -> bool:
    before, after = text[index - 1], text[index]
    if before == "\r":
        return after != "\n"
    if before == "\n" or after in "\r\n" or _controls(before) or _controls(after):
        return True
    if _extends(after) or unicodedata.category(after) == "Mc":
        return False
    if before == _JOINER and _pictographic(after):
        return not any(_pictographic(char) for char in text[start : index - 1])
    if _flag(before) and _flag(after):
        return (index - start) % 2 == 0
    return not _one_syllable(before, after)


def _controls(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Zl", "Zp") or (
        unicodedata.category(char) == "Cf" and char not in (_JOINER, "\u200c")
    )


def _extends(char: str) -> bool:
    return (
        unicodedata.category(char) in ("Mn", "Me")
        or char in (_JOINER, "\u200c")
        or "\U0001f3fb" <= char <= "\U0001f3ff"
    )


def _pictographic(char: str) -> bool:
    return char in "\u00a9\u00ae" or "\u2190" <= char <= "\u2bff" or "\U0001f000" <= char <= "\U0001faff"


def _flag(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _one_syllable(before: str, after: str) -> bool:
    """Whether two Hangul letters belong to one syllable block."""
    lead, vowel, tail = "\u1100" <= before <= "\u115f", "\u1160" <= before <= "\u11a7", "\u11a8" <= before <= "\u11ff"
    syllable = "\uac00" <= before <= "\ud7a3"
    open_syllable = syllable and (ord(before) - 0xAC00) % 28 == 0
    next_vowel, next_tail = "\u1160" <= after <= "\u11a7", "\u11a8" <= after <= "\u11ff"
    if lead:
        return next_vowel or "\u1100" <= after <= "\u115f" or "\uac00" <= after <= "\ud7a3"
    if vowel or open_syllable:
        return next_vowel or next_tail
    return (tail or syllable) and next_tail
