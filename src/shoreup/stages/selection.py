"""Concern ids as people write them, on the command line and in the settings: by pattern, sometimes misspelt."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from shoreup.model.errors import UserError


def expanded(
    words: Iterable[str], known: Sequence[str], error: Callable[[str], UserError] = UserError
) -> tuple[str, ...]:
    """Ids from words: commas separate, ``*`` stands for anything. ``error`` makes the error for a word that fits none.

    Raises what ``error`` makes, with the nearest id in it.
    """
    chosen: dict[str, None] = {}
    for word in (word.strip() for part in words for word in part.split(",") if word.strip()):
        matches = [one for one in known if fnmatchcase(one, word)]
        if not matches:
            raise error(unknown(word, known))
        chosen.update(dict.fromkeys(matches))
    return tuple(chosen)


def unknown(word: str, known: Iterable[str]) -> str:
    """What to say of an id that does not exist."""
    near = get_close_matches(word.lower().replace("_", "-"), list(known), n=1, cutoff=0.5)
    hint = f"The nearest is {near[0]}." if near else "'shoreup concerns' lists them."
    return f"There is no concern {word!r}. {hint}"
