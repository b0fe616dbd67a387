"""From the place of a finding in a program back to the command, and from characters of the program to edits.

The text of a program may be one string or the items of a list; only in one string can words be put in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from shoreup.facts.estate import Estate, Script
from shoreup.facts.fields import items, text
from shoreup.facts.programs.scripts import SHELLS, place_in, program
from shoreup.facts.workloads import LONG_RUNNING
from shoreup.formats.shell import Command, Program
from shoreup.model.edit import Substitute
from shoreup.model.finding import Fix, Place, Safety

_SHEBANG = re.compile(r"#![^\n]*?(\w+)(?:[ \t]+-\S+)*[ \t]*\r?\n")
_KNOWS_PIPEFAIL = frozenset({"bash", "ash", "zsh", "ksh"})
_BUSYBOX = re.compile(r"alpine|busybox", re.IGNORECASE)


class Located(Struct, frozen=True, eq=False):
    """A command in its program in its script."""

    script: Script
    program: Program
    command: Command

    def substitute(self, start: int, end: int, written: str) -> Substitute | None:
        """``written`` in place of characters of the program's text; ``None`` where the text is not one string."""
        return substitute(self.script, start, end, written)


def located(estate: Estate, place: Place) -> Located | None:
    """The command that a place is, or is in: the smallest one."""
    return min(_commands(estate, place), key=lambda one: one.command.end - one.command.start, default=None)


def _commands(estate: Estate, place: Place) -> Iterator[Located]:
    for script in estate.scripts:
        if script.language != "shell" or script.place.resource != place.resource:
            continue
        held = program(script)
        for command in held.commands:
            where = place_in(script, command.start, command.end)
            if where.route != place.route:
                continue
            if where == place or (
                where.chars and place.chars and where.chars[0] <= place.chars[0] and place.chars[1] <= where.chars[1]
            ):
                yield Located(script, held, command)


def substitute(script: Script, start: int, end: int, written: str) -> Substitute | None:
    """``written`` in place of characters of a script's text; ``None`` where the text is not one string."""
    if script.pieces and not any(
        piece.start <= start and end <= piece.end and piece.offset >= 0 for piece in script.pieces
    ):
        return None
    around = place_in(script, start, max(end, start + 1))
    if around.resource < 0 or around.chars is None:
        return None
    first = around.chars[0]
    return Substitute(around.resource, around.route, first, first + end - start, written)


def opening(script: Script, said: str) -> Substitute | None:
    """``said`` (such as ``set -e``) as the first line of a program, behind its shebang, or before its first command."""
    shebang = _SHEBANG.match(script.text)
    start = shebang.end() if shebang else 0
    start += len(script.text[start:]) - len(script.text[start:].lstrip("\n\r"))
    lines = "\n" in script.text.strip()
    return substitute(script, start, start, f"{said}\n" if lines else f"{said}; ")


def closing(script: Script, said: str) -> Substitute | None:
    """``said`` as the last line of a program, or as its last command where it is one line."""
    end = len(script.text.rstrip())
    if end == 0 or script.text[:end].endswith("\\"):
        return None
    lines = "\n" in script.text.strip()
    return substitute(script, end, end, f"\n{said}" if lines else f" && {said}")


def knows_pipefail(script: Script) -> bool:
    """Whether the shell that runs the script certainly knows ``pipefail``: bash and BusyBox do, older dash does not."""
    shebang = _SHEBANG.match(script.text)
    names = [shebang.group(1)] if shebang else []
    if script.container is not None:
        words = [text(word).rsplit("/", 1)[-1] for word in items(script.container.body.get("command"))]
        names = [word for word in words if word in SHELLS][:1] or names
    if names and names[0] in _KNOWS_PIPEFAIL:
        return True
    image = script.container.image if script.container is not None else None
    return image is not None and bool(_BUSYBOX.search(image.text))


def with_safety(script: Script, fix: Fix) -> Fix:
    """The fix as it is where a job runs the program; where a server that keeps running holds it, its pods restart."""
    workload = script.workload
    inside = workload is not None and script.place.resource == workload.resource.key
    if fix.safety is Safety.SAFE and inside and workload is not None and workload.kind in LONG_RUNNING:
        return Fix(fix.title, Safety.UNSAFE, "the pod template changes, so the pods restart once")
    return fix
