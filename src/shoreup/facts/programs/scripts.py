"""Programs inside the estate: in container arguments, in ConfigMaps, in ConfigMaps that a container mounts and runs.

A program belongs to the job that runs it. A ConfigMap's script that a container starts by its mounted path is
therefore given once for each container that does; one that nothing starts is given alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from msgspec import Struct

from shoreup.facts.backups.commands.images import entrypoint
from shoreup.facts.estate import ConfigEntry, Container, Piece, Script, Workload
from shoreup.facts.fields import items, mapping, text
from shoreup.formats.python_source import PythonProgram, parse_python
from shoreup.formats.shell import Program, parse
from shoreup.model.finding import Place
from shoreup.model.location import Route
from shoreup.model.value import PartialText, Unknown, Value, at

SHELLS = frozenset({"sh", "bash", "ash", "dash", "zsh", "ksh"})
PYTHONS = re.compile(r"^python[0-9.]*$")
FOLLOWED = 3
"""How many scripts that start scripts are followed."""

_REFERENCE = re.compile(r"\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")
_PLAIN = re.compile(r"^[A-Za-z0-9_@%+=:,./-]+$")
_SHEBANG = re.compile(r"^#!\s*\S*/(?:env\s+(?:-S\s+)?)?(\w+)")


class _Text(Struct, frozen=True):
    """A field's string as far as it is known, with the places where something is missing."""

    text: str
    gaps: tuple[int, ...]


def scripts(workloads: Iterable[Workload], config: Sequence[ConfigEntry]) -> tuple[Script, ...]:
    """Every program of the estate that is text in a resource."""
    index = by_map(config)
    found: list[Script] = []
    started: set[int] = set()
    for workload in workloads:
        for container in workload.containers:
            own = list(_of_container(workload, container))
            found.extend(own)
            for script, entry in _mounted(own, workload, container, index):
                found.append(script)
                started.add(id(entry))
    found.extend(script for entry in config if id(entry) not in started for script in _of_entry(entry))
    return tuple(found)


def program(script: Script) -> Program:
    """The script as commands; of Python, the processes that it starts."""
    if script.language == "python":
        return _python(script.text).commands
    return _shell(script.text, script.gaps, script.names, script.flags)


def python_program(script: Script) -> PythonProgram | None:
    """The script as Python, when it is."""
    return _python(script.text) if script.language == "python" else None


@lru_cache(maxsize=2048)
def _shell(written: str, gaps: tuple[int, ...], names: frozenset[str], flags: tuple[str, ...]) -> Program:
    return parse(written, gaps, names, flags)


@lru_cache(maxsize=256)
def _python(written: str) -> PythonProgram:
    return parse_python(written)


def place_in(script: Script, start: int, end: int) -> Place:
    """The place of characters ``start`` to ``end`` (exclusive) of a script's text."""
    if not script.pieces:
        base = script.place.chars[0] if script.place.chars else 0
        return Place(
            script.place.resource,
            script.place.route,
            (base + start, base + end),
            script.place.span,
            script.place.container,
        )
    touched = [piece for piece in script.pieces if piece.start < end and piece.end > start]
    if not touched:
        return script.place
    first = touched[0]
    chars: tuple[int, int] | None = None
    if first.offset >= 0 and all(piece.route == first.route for piece in touched):
        chars = (first.offset + max(start - first.start, 0), first.offset + min(end, first.end) - first.start)
    return Place(script.place.resource, first.route, chars, None, script.place.container)


def environment(script: Script) -> Mapping[str, str]:
    """The literal environment of the container that runs the script."""
    if script.container is None:
        return {}
    return {name: value for name, value in script.container.env.items() if isinstance(value, str)}


# Containers


def _of_container(workload: Workload, container: Container) -> Iterator[Script]:
    has_command = bool(items(container.body.get("command")) or items(container.body.get("entrypoint")))
    yield from _of_items(workload, container, list(_routed(container)), has_command)


def argument_script(workload: Workload, container: Container, field: Route) -> Iterator[Script]:
    """The program in another list of words of a container, such as a probe's command."""
    held = at(dict(container.body), *field)
    words = held if isinstance(held, list) else []
    routed = [((*container.route, *field, index), value) for index, value in enumerate(words)]
    yield from _of_items(workload, container, routed, True)


def _of_items(
    workload: Workload, container: Container, routed: Sequence[tuple[Route, Value]], has_command: bool
) -> Iterator[Script]:
    if not routed:
        return
    names = _names(container)
    key = workload.resource.key
    words = [_known(value) for _, value in routed]
    if not has_command:
        tool = entrypoint(container.image)
        if tool:
            yield _argv(workload, container, names, routed, words, tool)
            return
    head = words[0].text.rsplit("/", 1)[-1]
    shell = head in SHELLS or (not has_command and words[0].text.startswith("-") and "c" in words[0].text)
    if shell or PYTHONS.match(head):
        position = _program_position(words, 1 if head in SHELLS or PYTHONS.match(head) else 0)
        if position is not None:
            route, _ = routed[position]
            held = words[position]
            language = "shell" if shell else "python"
            flags = tuple(
                word.text
                for word in words[:position]
                if word.text.startswith(("-", "+")) or word.text in ("pipefail", "errexit")
            )
            yield Script(
                place=Place(key, route, None, None, container.name),
                language=language,
                text=held.text,
                complete=not held.gaps,
                workload=workload,
                container=container,
                gaps=held.gaps,
                flags=flags,
                names=names if language == "shell" else frozenset(),
            )
            return
    yield _argv(workload, container, names, routed, words, "")


def _routed(container: Container) -> Iterator[tuple[Route, Value]]:
    """The items of command and arguments with their routes, in the order in which they run."""
    for field in ("command", "args"):
        held = container.body.get(field)
        if isinstance(held, list):
            for index, value in enumerate(held):
                yield (*container.route, field, index), value
        elif isinstance(held, (str, PartialText, Unknown)):
            yield (*container.route, field), held


def _names(container: Container) -> frozenset[str]:
    """The variables that Kubernetes may put in as ``$(NAME)``."""
    declared = {text(mapping(item).get("name")) for item in items(container.body.get("env"))}
    if items(container.body.get("envFrom")) or container.open:
        for _, value in _routed(container):
            declared.update(name for name in _REFERENCE.findall(text(value)) if name.isupper())
    return frozenset(declared | set(container.env)) - {""}


def _known(value: Value) -> _Text:
    if isinstance(value, PartialText):
        made = ""
        gaps: list[int] = []
        for part in value.parts:
            if isinstance(part, str):
                made += part
            else:
                gaps.append(len(made))
        return _Text(made, tuple(gaps))
    if isinstance(value, Unknown):
        return _Text("", (0,))
    return _Text(text(value), ())


def _program_position(words: Sequence[_Text], first: int) -> int | None:
    """The item after ``-c``."""
    index = first
    while index < len(words):
        word = words[index].text
        if not word.startswith(("-", "+")) or word.startswith("--"):
            return None
        index += 2 if "o" in word[1:] and word[1:].isalpha() and not word.startswith("--") else 1
        if "c" in word[1:]:
            return index if index < len(words) else None
    return None


def _argv(
    workload: Workload,
    container: Container,
    names: frozenset[str],
    routed: Sequence[tuple[Route, Value]],
    words: Sequence[_Text],
    tool: str,
) -> Script:
    """A command without a shell as shell text, with a way back to each item."""
    made = tool
    gaps: list[int] = []
    pieces: list[Piece] = []
    for (route, _), word in zip(routed, words, strict=True):
        made += " " if made else ""
        made = _quoted(made, gaps, pieces, route, word, names)
    field = routed[0][0]
    route = field[:-1] if isinstance(field[-1], int) else field
    return Script(
        place=Place(workload.resource.key, route, None, None, container.name),
        language="shell",
        text=made,
        complete=not gaps,
        workload=workload,
        container=container,
        gaps=tuple(gaps),
        flags=(),
        names=frozenset(),
        pieces=tuple(pieces),
    )


def _quoted(made: str, gaps: list[int], pieces: list[Piece], route: Route, word: _Text, names: frozenset[str]) -> str:
    cuts: list[tuple[int, int, str]] = [(gap, gap, "") for gap in word.gaps]
    for match in _REFERENCE.finditer(word.text):
        doubled = match.start() > 0 and word.text[match.start() - 1] == "$"
        if match.group(1) in names and not doubled:
            cuts.append((match.start(), match.end(), match.group(1)))
    position = 0
    for start, end, name in [*sorted(cuts), (len(word.text), len(word.text), "\0")]:
        literal = word.text[position:start]
        if _PLAIN.match(literal):
            pieces.append(Piece(len(made), len(made) + len(literal), route, position))
            made += literal
        elif literal or (name == "\0" and not word.text and not word.gaps):
            # Inside single quotes all is literal; a quote in the text would end them, so it is written as ``'\''``.
            written = "'" + literal.replace("'", "'\\''") + "'"
            offset = position if "'" not in literal else -1
            if offset >= 0:
                pieces.append(Piece(len(made) + 1, len(made) + 1 + len(literal), route, offset))
            else:
                pieces.append(Piece(len(made), len(made) + len(written), route))
            made += written
        if name == "\0":
            break
        if name:
            written = f'"${{{name}}}"'
            pieces.append(Piece(len(made), len(made) + len(written), route))
            made += written
        else:
            gaps.append(len(made))
            pieces.append(Piece(len(made), len(made) + 1, route))
        position = end
    return made


# ConfigMaps


def by_map(config: Iterable[ConfigEntry]) -> Mapping[tuple[str, str, str], Sequence[ConfigEntry]]:
    """Entries by kind, namespace and name of their map."""
    found: dict[tuple[str, str, str], list[ConfigEntry]] = {}
    for entry in config:
        found.setdefault((entry.kind, entry.namespace, entry.name), []).append(entry)
    return found


def _language(entry: ConfigEntry, written: str) -> str:
    shebang = _SHEBANG.match(written)
    if shebang:
        return "shell" if shebang.group(1) in SHELLS else "python" if PYTHONS.match(shebang.group(1)) else ""
    name = entry.key.rsplit("/", 1)[-1]
    if name.endswith((".sh", ".bash")):
        return "shell"
    return "python" if name.endswith(".py") else ""


def _of_entry(
    entry: ConfigEntry, workload: Workload | None = None, container: Container | None = None, started: str = ""
) -> Iterator[Script]:
    if entry.kind != "ConfigMap" or entry.binary:
        return
    held = _known(entry.value)
    language = _language(entry, held.text) or started
    if language and held.text:
        place = Place(entry.resource.key, entry.route)
        yield Script(
            place=place,
            language=language,
            text=held.text,
            complete=not held.gaps,
            workload=workload,
            container=container,
            gaps=held.gaps,
        )


def _mounted(
    own: Sequence[Script],
    workload: Workload,
    container: Container,
    index: Mapping[tuple[str, str, str], Sequence[ConfigEntry]],
) -> Iterator[tuple[Script, ConfigEntry]]:
    """The ConfigMap scripts that the container's own programs name by their path."""
    files = dict(mounted_files(workload, container, index))
    waiting = list(own)
    seen: set[int] = set()
    for _ in range(FOLLOWED):
        following: list[Script] = []
        for path, entry in files.items():
            if id(entry) in seen or not any(path in script.text for script in waiting):
                continue
            seen.add(id(entry))
            for script in _of_entry(entry, workload, container, _started_as(path, waiting)):
                following.append(script)
                yield script, entry
        waiting = following


def _started_as(path: str, starting: Iterable[Script]) -> str:
    """The language that a file without a telling name is run as."""
    for script in starting:
        for command in program(script).commands:
            for position, word in enumerate(command.words):
                if word.text == path:
                    head = command.name
                    if position == 0 or head in SHELLS or head in (".", "source"):
                        return "shell"
                    if PYTHONS.match(head):
                        return "python"
    return ""


def mounted_files(
    workload: Workload, container: Container, index: Mapping[tuple[str, str, str], Sequence[ConfigEntry]]
) -> Iterator[tuple[str, ConfigEntry]]:
    """The paths at which the container sees entries of ConfigMaps."""
    volumes = {volume.name: volume for volume in workload.volumes if volume.kind == "config-map"}
    for mount in container.mounts:
        volume = volumes.get(mount.volume)
        if volume is None:
            continue
        body = _volume_body(workload, volume.name)
        renamed = {
            text(mapping(item).get("key")): text(mapping(item).get("path"))
            for item in items(mapping(body.get("configMap")).get("items"))
        }
        for entry in index.get(("ConfigMap", workload.namespace, volume.source), ()):
            file = renamed.get(entry.key, "" if renamed else entry.key)
            if not file:
                continue
            if mount.sub_path:
                if mount.sub_path.strip("/") == file:
                    yield mount.path, entry
            else:
                yield f"{mount.path.rstrip('/')}/{file}", entry


def _volume_body(workload: Workload, name: str) -> Mapping[str, Value]:
    for body in items(workload.pod.get("volumes")):
        if text(mapping(body).get("name")) == name:
            return mapping(body)
    return {}


def mounted_in(workload: Workload, name: str) -> tuple[str, ...]:
    """The paths at which a workload's containers mount a ConfigMap."""
    volumes = {volume.name for volume in workload.volumes if volume.kind == "config-map" and volume.source == name}
    return tuple(
        mount.path for container in workload.containers for mount in container.mounts if mount.volume in volumes
    )
