"""Second tries in shell: by curl's own option, and for what has none by a small function in the script's own manner."""

from __future__ import annotations

import re
from collections.abc import Sequence

from shoreup.facts.estate import Script
from shoreup.facts.programs.located import substitute
from shoreup.formats.python_repeating import TRIES
from shoreup.formats.shell import Command
from shoreup.model.edit import Append, Edit

_HEAD = re.compile(r"(?:#[^\n]*|[ \t]*|set[ \t][^\n;&|]*|set)\r?\n")
"""Lines at the top that a function stands behind: what runs the script, remarks, and how strict it is."""
_INDENTED = re.compile(r"^(\t| {2,8})(?=[^\s#])", re.MULTILINE)
_TO_A_FILE = re.compile(r"^-[A-Za-z]*O(?P<file>.*)$|^--output-document(?:=(?P<long>.*))?$")


def retried_in_shell(script: Script, commands: Sequence[Command]) -> list[Edit | None]:
    """The edits that give each of the commands more tries; ``None`` stands for one that cannot be made."""
    edits: list[Edit | None] = []
    for command in commands:
        edits += _with_option(script, command) if command.name == "curl" else [_by_function(script, command)]
    if any(command.name != "curl" for command in commands) and None not in edits:
        edits.insert(0, _function(script))
    return edits


def _with_option(script: Script, command: Command) -> Sequence[Edit | None]:
    more = ("--retry", str(TRIES), "--retry-connrefused")
    if script.pieces:
        route = script.pieces[-1].route
        items = isinstance(route[-1], int)
        return [Append(script.place.resource, route[:-1], word) if items else None for word in more]
    word = command.words[0]
    if not script.text[word.start : word.end].endswith("curl"):
        return [None]
    return [substitute(script, word.end, word.end, f" {' '.join(more)}")]


def _by_function(script: Script, command: Command) -> Edit | None:
    """A function may take the place of a plain command, not of one that another program starts."""
    if script.pieces or command.assignments or command.frame("wrapped") or not _keeps_nothing_half(command):
        return None
    start = command.words[0].start
    return substitute(script, start, start, "retry ")


def _keeps_nothing_half(command: Command) -> bool:
    """Whether a try that broke off leaves nothing in front of what the next one gives: it goes to a file of its own."""
    words = [word.text for word in command.arguments]
    if "--spider" in words:
        return True
    for index, word in enumerate(words):
        found = _TO_A_FILE.match(word)
        if found:
            file = found["file"] or found["long"] or (words[index + 1] if index + 1 < len(words) else "-")
            return file.lstrip("=") not in ("-", "/dev/stdout", "/dev/stderr")
    return False


def _function(script: Script) -> Edit | None:
    """The function, behind the head of a script of several lines that has none of that name."""
    text = script.text
    if re.search(r"\bretry\b", text) or "\n" not in text.strip("\n"):
        return None
    start = 0
    while (line := _HEAD.match(text, start)) is not None:
        start = line.end()
    found = _INDENTED.search(text)
    return substitute(script, start, start, retrying(found[1] if found else "  ") + "\n")


def retrying(step: str = "  ") -> str:
    """The function, with this for a step of indentation."""
    lines = (
        "retry() {",
        "-tried=1",
        '-until "$@"; do',
        f'--if [ "$tried" -ge {TRIES} ]; then',
        "---return 1",
        "--fi",
        f'--echo "try $tried of {TRIES} failed: $1" >&2',
        "--sleep $((1 << (tried - 1)))",
        "--tried=$((tried + 1))",
        "-done",
        "}",
    )
    depth = [len(line) - len(line.lstrip("-")) for line in lines]
    return "".join(f"{step * count}{line[count:]}\n" for line, count in zip(lines, depth, strict=True))
