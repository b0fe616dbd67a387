"""What a program that prints credentials says once it does not: edits of its text, or none where they are not sure.

The shell's trace goes, a line that prints goes, and what prints into a file on the way (``| tee file``) goes into the
file alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shoreup.facts.programs.located import substitute
from shoreup.facts.secrets.in_logs import Logged, Printed
from shoreup.formats.shell import Command, Program
from shoreup.model.edit import Substitute

_SET = re.compile(r"^-(?=[a-z]*x)[a-z]+$")
_OPENS = re.compile(r"(?:\b(?:then|do|else)|[{(]|\)[ \t]*)[ \t]*$")
_CLOSES = re.compile(r"^[ \t]*(?:fi|done|else|elif|esac|;;|\}|\))")


def quieter(logged: Logged) -> tuple[Substitute, ...] | None:
    """The edits after which a program prints none of its credentials."""
    read = logged.read
    if read is None:
        return None
    cuts: dict[tuple[int, int], str] = {}
    for one in logged.printed:
        found = _untraced(read, one) if one.by == "trace" else _unsaid(read, one)
        if found is None:
            return None
        cuts.update(found)
    edits = [_edit(logged, start, end, text) for (start, end), text in sorted(cuts.items())]
    made = tuple(edit for edit in edits if edit is not None)
    return made if len(made) == len(edits) and made else None


def _edit(logged: Logged, start: int, end: int, text: str) -> Substitute | None:
    if logged.script is not None:
        return substitute(logged.script, start, end, text)
    place = logged.printed[0].place
    return Substitute(place.resource, place.route, start, end, text)


def _untraced(read: Program, one: Printed) -> dict[tuple[int, int], str] | None:
    """Without what switches the trace on."""
    cuts: dict[tuple[int, int], str] = {}
    for command in read.commands:
        if command.name != "set" or command.start > one.start:
            continue
        words = command.arguments
        for number, word in enumerate(words):
            if word.literal and _SET.match(word.literal) and word.end - word.start == len(word.literal):
                if word.literal != "-x":
                    at = word.start + word.literal.index("x")
                    cuts[(at, at + 1)] = ""
                elif len(words) == 1:
                    cut = _line(read, command)
                    if cut is None:
                        return None
                    cuts.update(cut)
                else:
                    cuts[(word.start, words[number + 1].start if number + 1 < len(words) else word.end)] = ""
            elif word.literal == "xtrace" and number and words[number - 1].literal == "-o" and len(words) == 2:
                cut = _line(read, command)
                if cut is None:
                    return None
                cuts.update(cut)
    return cuts or None


def _unsaid(read: Program, one: Printed) -> dict[tuple[int, int], str] | None:
    """Without the line that prints, or into the file alone."""
    command = next((each for each in read.commands if (each.start, each.end) == (one.start, one.end)), None)
    if command is None:
        return None
    following = read.downstream(command)
    if following:
        return _into_file(read, command, following[-1]) if len(following) == 1 else None
    if command.frame("pipeline", "and", "or", "tried", "condition", "not", "background", "nested") is not None:
        return None
    return _line(read, command)


def _into_file(read: Program, command: Command, tee: Command) -> dict[tuple[int, int], str] | None:
    between = read.text[command.end : tee.start]
    if between.strip() != "|" or tee.redirects or tee.assignments or len(tee.words) not in (2, 3):
        return None
    adds = len(tee.words) == 3 and tee.words[1].literal in ("-a", "--append")
    if (len(tee.words) == 3 and not adds) or (tee.words[-1].literal or "").startswith("-"):
        return None
    return {(command.end, tee.words[-1].start): " >> " if adds else " > "}


def _line(read: Program, command: Command) -> dict[tuple[int, int], str] | None:
    """The line of a command that stands on its own; a colon keeps a body from becoming empty."""
    text = read.text
    start = text.rfind("\n", 0, command.start) + 1
    end = text.find("\n", command.end)
    end = len(text) if end < 0 else end
    if text[start : command.start].strip() or text[command.end : end].strip(" \t;\r"):
        return None
    before = next(_lines(text[:start], backwards=True), "")
    after = next(_lines(text[end:], backwards=False), "")
    if before.endswith("\\"):
        return None
    if (_OPENS.search(before) and _CLOSES.match(after)) or not (before or after):
        return {(command.start, command.end): ":"}
    return {(start, end + 1): ""} if end < len(text) else {(max(start - 1, 0), end): ""}


def _lines(text: str, *, backwards: bool) -> Iterator[str]:
    lines = [line for line in text.split("\n") if line.strip() and not line.lstrip().startswith("#")]
    yield from reversed(lines) if backwards else lines
