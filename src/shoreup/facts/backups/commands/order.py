"""Which end of a list of copies a removal takes: the oldest, as meant, or the newest.

`ls -t` lists the newest first and `tail -n +8` leaves out the seven before; without the `t` the same line lists by
name, and names that begin with a date sort the oldest first, so that the newest goes. That much can be read. It is
only read where every step is known: the listing and its options, what sorts, what cuts, and for names the date that
the same program puts into them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from shoreup.facts.backups.commands.copies import Copy
from shoreup.formats.shell import Command, Part, Program, Word

_KEEPING_ORDER = frozenset({"cut", "grep", "egrep", "fgrep", "sed", "awk", "gawk", "tr", "xargs", "uniq", "basename"})
_LS_SORTS = frozenset("SUXcufv")
_DATE_PARTS = {"Y": 0, "G": 0, "F": 0, "s": 0, "m": 1, "V": 1, "U": 1, "W": 1, "j": 1, "d": 2, "H": 3, "T": 3, "R": 3,
               "M": 4, "S": 5, "N": 6}  # fmt: skip
_WHOLE_DATES = frozenset({"F"})


def takes_newest(program: Program, feeding: Sequence[Command], copied: tuple[Copy, ...]) -> bool | None:
    """Whether the commands that feed a removal name the newest copies; ``None`` where that is not decided.

    ``feeding`` are the commands of one pipeline, in order, the one that removes left out.
    """
    newest_first: bool | None = None
    taken: str = ""
    listed = False
    for command in feeding:
        words = [program.expand(word).text for word in command.arguments]
        if command.name in ("ls", "dir") and not listed:
            listed = True
            newest_first = _listed(program, command, words, copied)
        elif command.name == "find" and not listed:
            listed = True
            newest_first = None
            if any("%T@" in word for word in words):
                continue  # a number before each name, in no order until something sorts it
            return None
        elif command.name == "sort" and listed:
            newest_first = _sorted(words, by_time=feeding[0].name == "find", names=_dated(program, feeding[0], copied))
        elif command.name == "tac" and listed:
            newest_first = None if newest_first is None else not newest_first
        elif command.name in ("head", "tail") and listed and not taken:
            taken = _cut(command.name, words)
            if not taken:
                return None
        elif command.name not in _KEEPING_ORDER or (command.name in ("sed", "awk", "gawk") and _cuts(words)):
            return None
    if newest_first is None or not taken:
        return None
    return newest_first == (taken == "first")


def _cuts(words: Sequence[str]) -> bool:
    """Whether an editor of lines leaves some out by their number."""
    return any(re.search(r"\bNR\b|^\d+(,[\d$]+)?[dpq]", word) for word in words)


def _cut(name: str, words: Sequence[str]) -> str:
    """Which lines are let through: ``first`` or ``last`` ones; empty where it is not decided."""
    match = re.fullmatch(r"(?:-n ?|--lines[= ])?([-+]?)(\d+)|-(\d+)", " ".join(words))
    if match is None:
        return ""
    sign = match.group(1) or ""
    if name == "head":
        return "first"
    return "last" if sign in ("+", "", "-") else ""


def _listed(program: Program, command: Command, words: Sequence[str], copied: tuple[Copy, ...]) -> bool | None:
    """Whether ``ls`` gives the newest first."""
    letters = "".join(word[1:] for word in words if re.fullmatch(r"-[A-Za-z0-9]+", word))
    long = [word for word in words if word.startswith("--")]
    if _LS_SORTS & set(letters) or "l" in letters or any(word not in ("--sort=time", "--reverse") for word in long):
        return None
    back = "r" in letters or "--reverse" in long
    if "t" in letters or "--sort=time" in long:
        return not back
    return back if _dated(program, command, copied) else None


def _sorted(words: Sequence[str], by_time: bool, names: bool) -> bool | None:
    letters = "".join(word[1:] for word in words if re.fullmatch(r"-[A-Za-z]+", word))
    if any(not re.fullmatch(r"-[A-Za-z]+", word) for word in words) or set(letters) - set("nrgV"):
        return None
    if not by_time and not names:
        return None
    return "r" in letters


def _dated(program: Program, listing: Command, copied: tuple[Copy, ...]) -> bool:
    """Whether the names that are listed sort by the date that the same program writes into them."""
    paths = [copy.path for copy in copied if copy.path is not None]
    words = [program.expand(word) for word in listing.arguments if not word.prefix.startswith("-")]
    if not paths or len(words) > 1:
        return False
    pattern = _name(words[0]) if words else ""
    fitting = [path for path in paths if _begins(path).startswith(pattern.partition("*")[0])]
    return len(fitting) == len(paths) and len({_begins(path) for path in paths}) == 1 and _sortable(program, paths[0])


def _name(word: Word) -> str:
    return word.text.rpartition("/")[2]


def _begins(path: Word) -> str:
    """The literal beginning of a file's name, before its date."""
    known = path.prefix
    return known.rpartition("/")[2]


def _sortable(program: Program, path: Word) -> bool:
    """Whether the first thing in the name that changes is a date whose largest unit stands first."""
    for part in program.expand(path).parts:
        if part.kind == "literal":
            continue
        if part.kind != "substitution":
            return False
        return _sortable_date(program, part)
    return False


def _sortable_date(program: Program, part: Part) -> bool:
    commands = [program.commands[index] for index in part.commands if index < len(program.commands)]
    if len(commands) != 1 or commands[0].name != "date":
        return False
    formats = [word.text for word in commands[0].arguments if word.text.startswith("+")]
    if len(formats) != 1:
        return False
    letters = re.findall(r"%[-_0^#E]*([A-Za-z])", formats[0])
    known = [_DATE_PARTS.get(letter) for letter in letters]
    if not letters or None in known or letters[0] not in "YGFs":
        return False
    order = [number for number in known if number is not None]
    return all(one < other for one, other in pairwise(order)) and (len(order) > 1 or letters[0] in ("F", "s"))
