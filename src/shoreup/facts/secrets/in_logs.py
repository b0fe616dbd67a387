"""Credentials that programs print where logs keep them.

Three ways: a command prints a variable that holds one, the shell's trace (``set -x``) prints every command with its
variables filled in, and ``env`` prints them all. What goes to a file or into another command is not printed.
Programs are those of the estate's containers and the steps of its pipelines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from msgspec import Struct

from shoreup.facts.estate import Estate, Script
from shoreup.facts.fields import items, mapping, text
from shoreup.facts.programs.scripts import place_in, program
from shoreup.facts.secrets.on_command_lines import secrets_called
from shoreup.facts.secrets.recognition import secret_name, words_of
from shoreup.formats.shell import Command, Part, Program, Word, parse
from shoreup.model.finding import Place
from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.model.value import Value

_PRINTING = frozenset({"echo", "printf"})
_DUMPING = frozenset({"env", "printenv"})
_EXPRESSION = re.compile(r"\$\{\{(?P<inside>[^}]*)\}\}")
_SECRET = re.compile(r"\bsecrets\.(?P<name>\w+)")
_FROM_SECRETS = "S_"
"""``${{ secrets.X }}`` is longer than ``${S_X}``, so the name always fits."""
_NO_SECRET_WORDS = frozenset(
    {
        "id",
        "user",
        "username",
        "host",
        "hostname",
        "domain",
        "email",
        "url",
        "path",
        "file",
        "name",
        "region",
        "port",
        "dir",
    }
)
_MASK = "::add-mask::"
_CHANGED = re.compile(r"^(?::\+|\+|#|:\d|%|\^|,|@)")
"""What stands after a name and gives something other than its value, such as whether it is set."""
_SCRIPT_KEYS = frozenset({"run", "script", "before_script", "after_script", "commands", "bash"})
_SHELLS = frozenset({"", "sh", "bash", "sh -e", "bash -e"})
_NAMES_A_SECRET = re.compile(r"(?:pass(?:word|wd)?|token|secret|api[ _-]?key)\W{1,3}$", re.IGNORECASE)


class Printed(Struct, frozen=True):
    """One place that prints a credential: ``by`` is ``trace``, ``print`` or ``dump``; ``name`` is the variable."""

    name: str
    by: str
    place: Place
    start: int = 0
    end: int = 0
    """Its characters in the program."""


class Logged(Struct, frozen=True, eq=False):
    """A program with the places where it prints credentials, in its order.

    ``masked`` says that the runner of the pipeline blots out its own secrets where they appear unchanged.
    ``undecided`` are places that print something unknown under a telling name.
    """

    resource: Resource
    container: str
    printed: tuple[Printed, ...]
    masked: bool
    undecided: tuple[Place, ...] = ()
    read: Program | None = None
    script: Script | None = None
    """The program of a container; ``None`` for a step of a pipeline, whose program is one string."""


def logged_secrets(estate: Estate) -> Iterator[Logged]:
    """Every program of the estate that prints a credential, or may."""
    for script in estate.scripts:
        if script.language != "shell" or not _may(script.text, bool(script.gaps)):
            continue
        resource = script.workload.resource if script.workload else estate.by_key.get(script.place.resource)
        if resource is None:
            continue
        read = program(script)
        printed = tuple(
            Printed(name, by, place_in(script, start, end), start, end)
            for name, by, start, end in _printed(read, _dumped(script))
        )
        unsure = tuple(place_in(script, start, end) for start, end in _unknown(read)) if script.gaps else ()
        if printed or unsure:
            yield Logged(
                resource=resource,
                container=script.container.name if script.container else "",
                printed=printed,
                masked=False,
                undecided=unsure,
                read=read,
                script=script,
            )
    for kind in estate.by_kind:
        for resource in estate.by_kind[kind]:
            if resource.api_version == "ci":
                yield from _of_pipeline(resource)


def _may(written: str, gaps: bool) -> bool:
    """A cheap look before the program is parsed."""
    prints = "echo" in written or "printf" in written or "set -" in written or "env" in written or "-x" in written
    return prints and (gaps or "$" in written or "env" in written)


def _dumped(script: Script) -> str:
    """A credential in the container's environment, that ``env`` would print."""
    if script.container is None:
        return ""
    for item in map(mapping, items(script.container.body.get("env"))):
        name = text(item.get("name"))
        if secret_name(name) and mapping(item.get("valueFrom")).get("secretKeyRef") is not None:
            return name
    return ""


# ------------------------------------------------------------------------------------------------- programs


def _printed(read: Program, dumped: str) -> Iterator[tuple[str, str, int, int]]:
    called = secrets_called(read)
    for command in read.commands:
        if not read.runs(command) or command.frame("remote") is not None:
            continue
        held = _held(command, called)
        if command.name in _PRINTING and held and _to_log(read, command):
            if not any(_MASK in word.text for word in command.words):
                yield held, "print", command.start, command.end
        elif command.name in _DUMPING and len(command.words) == 1 and dumped and _to_log(read, command):
            yield dumped, "dump", command.start, command.end
        elif command.options.xtrace and held:
            yield held, "trace", command.start, command.end


def _held(command: Command, called: frozenset[str]) -> str:
    """The first variable among a command's words and assignments that holds a credential, and not a Secret's name."""
    words = [*command.words, *(one.value for one in command.assignments if one.value is not None)]
    return next((part.text for word in words for part in word.parts if part.text not in called and _secret(part)), "")


def _secret(part: Part) -> bool:
    if part.kind != "variable" or (part.operator and _CHANGED.match(part.operator)):
        return False
    if part.text.startswith(_FROM_SECRETS):
        words = words_of(part.text.removeprefix(_FROM_SECRETS))
        return bool(words) and words[-1] not in _NO_SECRET_WORDS
    return secret_name(part.text)


def _to_log(read: Program, command: Command) -> bool:
    """Whether what the command prints ends in the log and not in a file, a variable or another command."""
    if any(redirect.writes for redirect in command.redirects) or command.frame("substitution", "process") is not None:
        return False
    for frame in command.context:
        if frame.kind in {"group", "subshell", "function"}:
            return False
    following = read.downstream(command)
    return not following or (following[-1].name == "tee" and not any(one.writes for one in following[-1].redirects))


def _unknown(read: Program) -> Iterator[tuple[int, int]]:
    for command in read.commands:
        telling = any(_after_telling_name(word) for word in command.words)
        if telling and (command.name in _PRINTING or command.options.xtrace) and _to_log(read, command):
            yield command.start, command.end


def _after_telling_name(word: Word) -> bool:
    before = ""
    for part in word.parts:
        if part.kind == "unknown" and _NAMES_A_SECRET.search(before):
            return True
        before += part.text if part.kind == "literal" else ""
    return False


# ------------------------------------------------------------------------------------------------ pipelines


def _of_pipeline(resource: Resource) -> Iterator[Logged]:
    masked = resource.kind.startswith(("github", "gitea", "forgejo", "woodpecker", "azure"))
    for route, written, environment in _steps(dict(resource.body), (), {}):
        prepared = _prepared(written)
        if not _may(prepared, False):
            continue
        dumped = next((name for name, value in environment.items() if _SECRET.search(value)), "")
        found = tuple(
            Printed(
                name.removeprefix(_FROM_SECRETS).rstrip("_"), by, Place(resource.key, route, (start, end)), start, end
            )
            for name, by, start, end in _printed(_parsed(prepared), dumped)
        )
        if found:
            yield Logged(resource, "", found, masked, read=_parsed(prepared))


def _told(name: str) -> str:
    return name.removeprefix(_FROM_SECRETS).rstrip("_")


@lru_cache(maxsize=512)
def _parsed(written: str) -> Program:
    return parse(written)


def _steps(
    value: Value, route: Route, environment: Mapping[str, str]
) -> Iterator[tuple[Route, str, Mapping[str, str]]]:
    """The programs of a pipeline with the environment of their step, job and file."""
    if isinstance(value, dict):
        own = {**environment, **{name: text(one) for name, one in mapping(value.get("env")).items()}}
        for key, item in value.items():
            if key in _SCRIPT_KEYS and isinstance(item, str) and text(value.get("shell")) in _SHELLS:
                yield (*route, key), item, own
            elif key in _SCRIPT_KEYS and isinstance(item, list):
                for index, line in enumerate(item):
                    if isinstance(line, str):
                        yield (*route, key, index), line, own
            else:
                yield from _steps(item, (*route, key), own)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _steps(item, (*route, index), environment)


def _prepared(written: str) -> str:
    """The program with each ``${{ ... }}`` as a variable of the same length, so that characters keep their places."""

    def variable(found: re.Match[str]) -> str:
        room = len(found[0]) - 3
        secret = _SECRET.search(found["inside"])
        name = f"{_FROM_SECRETS}{secret['name']}" if secret else "E"
        return "${" + name[:room].ljust(room, "_") + "}"

    return _EXPRESSION.sub(variable, written)
