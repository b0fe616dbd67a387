"""Words of a sentence and words of code, made comparable.

Code writes ``archiveOnDelete`` and ``run_as_user``, people write "archived when deleted" and "runs as uid 0". Both are
cut into their words, and two words are the same where one begins like the other or both mean one thing in this field.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib import resources

import msgspec
from msgspec import Struct

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_ENDINGS = ("ing", "ed", "es", "s")
_SHORTEST = 4
"""Letters that two words have to share at their beginning."""


class _Words(Struct, frozen=True):
    stop: str
    same: tuple[tuple[str, ...], ...]


@cache
def _known() -> tuple[frozenset[str], dict[str, int]]:
    content = resources.files("shoreup.stages.checking").joinpath("data", "words.json").read_bytes()
    held = msgspec.json.decode(content, type=_Words)
    return frozenset(held.stop.split()), {word: at for at, group in enumerate(held.same) for word in group}


@cache
def stem(word: str) -> str:
    """A word without its ending; what means the same in this field becomes the same."""
    known = _known()[1]
    word = word.lower()
    for one in (word, *(word.removesuffix(end) for end in _ENDINGS if word.endswith(end) and len(word) > len(end) + 2)):
        if one in known:
            return f"={known[one]}"
    for end in _ENDINGS:
        if word.endswith(end) and len(word) - len(end) >= _SHORTEST - 1:
            return word.removesuffix(end)
    return word


@cache
def parts(text: str) -> frozenset[str]:
    """The words of a piece of code or text, cut at capitals and marks, without endings."""
    return frozenset(stem(one) for one in _WORD.findall(text) if not one.isdigit())


def telling(text: str) -> frozenset[str]:
    """The words of a sentence that say something of their own."""
    stop = _known()[0]
    return frozenset(
        stem(one) for one in _WORD.findall(text) if not one.isdigit() and one.lower() not in stop and len(one) > 1
    )


def shared(wanted: Iterable[str], there: Iterable[str]) -> frozenset[str]:
    """Those of ``wanted`` that are there too, by their beginnings."""
    held = frozenset(there)
    return frozenset(one for one in wanted if one in held or any(_alike(one, other) for other in held))


def _alike(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return len(short) >= _SHORTEST and not short.startswith("=") and long.startswith(short)
