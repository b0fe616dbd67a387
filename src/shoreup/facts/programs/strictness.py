"""What else happens when a shell program ends at its first failure: ``set -e`` is not free in every program."""

from __future__ import annotations

import re

from shoreup.formats.shell import Command, Program

_LOOKS_BACK = re.compile(r"\$(?:\?|\{\?\}|\{?PIPESTATUS)")
_SAYS_NO = frozenset(
    {"grep", "egrep", "fgrep", "zgrep", "diff", "cmp", "expr", "let", "test", "[", "[[", "kill", "pkill", "pgrep",
     "killall", "wait", "rmdir", "which", "read"}
)  # fmt: skip
"""Commands whose exit code is an answer as often as a failure (POSIX, EXIT STATUS of each)."""
_FORCED = {"rm": re.compile(r"-[a-zA-Z]*f|--force"), "mkdir": re.compile(r"-[a-zA-Z]*p|--parents")}
_HANDLED = ("condition", "and", "or", "tried", "not", "background", "wrapped", "remote")
_ON_AGAIN = re.compile(
    r"(?:kubectl|oc|docker|podman|systemctl|service|rc-service|supervisorctl|virsh)\s(?:.*\s)?"
    r"(?:scale|uncordon|start|restart|resume|unpause|up|patch|annotate)\b"
    r"|.*maintenance\S*\s(?:.*\s)?(?:--off|off|disable)\b|fsfreeze\s(?:.*\s)?(?:-u|--unfreeze)\b|.*\bUNLOCK TABLES\b",
    re.IGNORECASE,
)


def forbids(program: Program, copy: Command) -> str:
    """Why the program must not end where ``copy`` fails, or empty: something after it has to run in any case."""
    if _LOOKS_BACK.search(program.text):
        return "the program looks at exit codes itself; with set -e it would end before it does"
    for command in program.commands:
        if command.start > copy.end and _ON_AGAIN.match(" ".join(word.text for word in command.words)):
            return (
                f"what stands still for the copy is set going again behind it, by {command.name or 'a command'}; "
                "with set -e a copy that fails would leave it standing"
            )
    return ""


def says_no(program: Program) -> str:
    """A command that may end with a failure in a run that is good, by its name; empty where there is none."""
    for command in program.commands:
        if command.frame(*_HANDLED) is not None or program.downstream(command):
            continue
        forced = _FORCED.get(command.name)
        if forced is not None and not any(forced.match(word.text) for word in command.arguments):
            return command.name
        if command.name in _SAYS_NO:
            return command.name
    return ""
