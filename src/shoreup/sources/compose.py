"""Compose files: the services of a host that runs containers without Kubernetes.

A service keeps Compose's own shape. What is done to it is what Compose does before anything else: an override
file is laid over its base, ``extends`` is followed, and variables are filled in from the ``.env`` file beside
it. A variable that nobody in the repository sets is an unknown part of the string, for the shell may set it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from shoreup.formats.edits import CannotWrite, Replacement
from shoreup.formats.files import FileTree, Reader
from shoreup.formats.sourcemap import cut, join, whole
from shoreup.formats.spelling import rewritten
from shoreup.formats.yaml import Document, load, origin_of
from shoreup.formats.yaml.writing import Page
from shoreup.model.location import Route, Span
from shoreup.model.origin import Origin, Reference, Segment
from shoreup.model.resource import Resource
from shoreup.model.value import Unknown, Value, at, join_text
from shoreup.sources.aside import out_of_service
from shoreup.sources.editing import Like
from shoreup.sources.pages import PageEditor
from shoreup.sources.reading import Found
from shoreup.sources.releases.layers import Layer, Stack, stack
from shoreup.sources.releases.values import StackValues

_NAME = re.compile(r"(?:^|/)(?:docker-)?compose(?:[.-](?P<variant>[\w.-]+?))?\.ya?ml$")
_VARIABLE = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<bare>[A-Za-z_]\w*)|\{(?P<name>[A-Za-z_]\w*)(?:(?P<how>:?[-?+])(?P<other>[^{}]*))?\})"
)
_SETTING = re.compile(r"^[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.]*)[ \t]*=[ \t]*(.*)$", re.MULTILINE)
MAX_EXTENDS = 20


def read_compose(tree: FileTree) -> Iterator[Found]:
    """Every service of every compose file, with ``api_version`` ``compose`` and kind ``service``; named volumes as
    ``volume``.

    ``compose.override.yaml`` is laid over its base. Other variants (``compose.prod.yaml``) are meant to be laid over
    something on the command line; of them the services are given that name an image or a build.
    """
    files = _Files(tree)
    aside = out_of_service(tree)
    for path in tree.files:
        match = _NAME.search(path)
        if match is not None and path in aside:
            tree.not_applied(path)
            continue
        if match is None or (match["variant"] == "override" and _base(tree, path) is not None):
            continue
        yield from _project(files, path, partial=bool(match["variant"]))


def read_compose_aside(tree: FileTree) -> Iterator[Found]:
    """The services of the compose files that are set aside."""
    files = _Files(tree)
    for path in sorted(out_of_service(tree)):
        if _NAME.search(path):
            yield from _project(files, path, partial=False)


def _base(tree: FileTree, path: str) -> str | None:
    folder = posixpath.dirname(path)
    names = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
    return next((full for name in names if (full := posixpath.join(folder, name)) in tree), None)


def _override(tree: FileTree, path: str) -> str | None:
    stem, _, ending = path.rpartition(".")
    others = {"yaml": "yml", "yml": "yaml"}
    candidates = (f"{stem}.override.{end}" for end in (ending, others.get(ending, ending)))
    return next((full for full in candidates if full in tree), None)


def _project(files: _Files, path: str, *, partial: bool) -> Iterator[Found]:
    sheets = [sheet for sheet in (files.sheet(path),) if sheet is not None]
    override = None if partial else _override(files.tree, path)
    if override is not None:
        sheets.extend(sheet for sheet in (files.sheet(override),) if sheet is not None)
    settings = files.settings(posixpath.dirname(path))
    for key, kind in (("services", "service"), ("volumes", "volume")):
        names = {name: None for sheet in sheets for name in _keys(at(sheet.document.value, key))}
        for name in names:
            layers = [list(_layers(files, sheet, key, name, 0)) for sheet in sheets]
            values = stack([layer for one in layers for layer in one])
            body, written = _filled(values.values, settings), values.values
            if partial and kind == "service" and not {"image", "build"} & body.keys():
                continue
            resource = Resource(
                api_version="compose",
                kind=kind,
                namespace=None,
                name=name,
                body=body,
                address=f"compose/{kind}/{name}",
                root=posixpath.dirname(path) or ".",
                source="compose",
            )
            editor = StackValues(values, layers[0][-1] if layers[0] else None)
            yield Found(resource, _Tracer(values, written, settings, body, editor))


def _keys(value: Value) -> list[str]:
    return list(value) if isinstance(value, dict) else []


def _layers(files: _Files, sheet: _Sheet, key: str, name: str, depth: int) -> Iterator[Layer]:
    """What a service extends, then the service itself."""
    value = at(sheet.document.value, key, name)
    if not isinstance(value, dict):
        if value is None and name in _keys(at(sheet.document.value, key)):
            yield Layer({}, lambda route: sheet.trace((key, name, *route)), sheet.editor((key, name)))
        return
    extends = value.get("extends")
    if extends is not None and depth < MAX_EXTENDS:
        other = extends if isinstance(extends, str) else at(extends, "service")
        named = at(extends, "file") if isinstance(extends, dict) else None
        base = sheet
        if isinstance(named, str):
            found = files.sheet(posixpath.normpath(posixpath.join(posixpath.dirname(sheet.path), named)))
            if found is None:
                yield Layer(Unknown(f"extends {named}, which is not in the estate"), lambda _: None)
            base = found or sheet
        if isinstance(other, str) and (base is not sheet or other != name):
            yield from _layers(files, base, key, other, depth + 1)
    yield Layer(
        {item: part for item, part in value.items() if item != "extends"},
        lambda r: sheet.trace((key, name, *r)),
        sheet.editor((key, name)),
    )


class _Sheet(Struct, frozen=True, eq=False):
    """One file."""

    path: str
    text: str
    offset: int
    document: Document

    def trace(self, route: Route) -> Origin | None:
        trace = self.document.trace(route)
        return None if trace is None else origin_of(trace, whole(self.path, self.text, self.offset))

    def editor(self, prefix: Route) -> PageEditor:
        """Writes into the value at ``prefix``."""
        span = Span(self.path, self.offset, self.offset + len(self.text.encode()))
        origin = Origin(span, span, (), whole(self.path, self.text, self.offset))
        return PageEditor(lambda: Page(self.text), lambda: origin, prefix)


class _Setting(Struct, frozen=True):
    """A variable of an ``.env`` file: its value and the bytes that it stands in."""

    value: str
    span: Span


class _Files:
    """Compose and ``.env`` files, each read once."""

    def __init__(self, tree: FileTree) -> None:
        self.tree = tree
        self._sheets: dict[str, _Sheet | None] = {}
        self._settings: dict[str, Mapping[str, _Setting]] = {}

    def sheet(self, path: str) -> _Sheet | None:
        """A compose file; ``None`` when it is none or cannot be read."""
        if path not in self._sheets:
            self._sheets[path] = self._read(path)
        return self._sheets[path]

    def _read(self, path: str) -> _Sheet | None:
        content = self.tree.read(path)
        if content is None:
            return None
        offset = 3 if content.startswith(b"\xef\xbb\xbf") else 0
        try:
            text = content[offset:].decode()
        except UnicodeDecodeError:
            self.tree.error(path, 0, "not UTF-8", "the compose file")
            return None
        stream = load(text)
        for problem in stream.problems:
            self.tree.error(path, problem.line, problem.cause, problem.skipped)
        document = next(iter(stream.documents), None)
        if document is None or not isinstance(at(document.value, "services"), dict):
            return None
        return _Sheet(path, text, offset, document)

    def settings(self, folder: str) -> Mapping[str, _Setting]:
        """The variables of the ``.env`` file in a folder."""
        if folder not in self._settings:
            self._settings[folder] = self._read_settings(posixpath.join(folder, ".env"))
        return self._settings[folder]

    def _read_settings(self, path: str) -> Mapping[str, _Setting]:
        content = self.tree.read(path)
        if content is None:
            return {}
        text = content.decode("utf-8", errors="replace")
        if "\ufffd" in text:
            return {}
        found: dict[str, _Setting] = {}
        for match in _SETTING.finditer(text):
            value = match[2].rstrip(" \t\r")
            start = match.start(2)
            end = start + len(value)
            if value[:1] in "\"'" and len(value) > 1 and value[-1] == value[0]:
                start, end, value = start + 1, end - 1, value[1:-1]
            elif " #" in value:
                value = value.partition(" #")[0].rstrip()
                end = start + len(value)
            first = len(text[:start].encode())
            found[match[1]] = _Setting(value, Span(path, first, first + len(text[start:end].encode())))
        return found


class _Part(Struct, frozen=True):
    """A part of a string: characters ``start`` to ``end`` of what is written, or a variable that stands there."""

    start: int
    end: int
    text: str | Unknown
    verbatim: bool = True
    setting: _Setting | None = None
    name: str = ""


def _parts(text: str, settings: Mapping[str, _Setting]) -> list[_Part]:
    found: list[_Part] = []
    position = 0
    for match in _VARIABLE.finditer(text):
        if match.start() > position:
            found.append(_Part(position, match.start(), text[position : match.start()]))
        position = match.end()
        found.extend(_variable(match, settings))
    if position < len(text):
        found.append(_Part(position, len(text), text[position:]))
    return found


def _variable(match: re.Match[str], settings: Mapping[str, _Setting]) -> Iterator[_Part]:
    start, end = match.span()
    if match["escaped"]:
        yield _Part(start, end, "$", verbatim=False)
        return
    name, how = match["bare"] or match["name"], match["how"] or ""
    setting = settings.get(name)
    present = setting is not None and (bool(setting.value) or not how.startswith(":"))
    if how.endswith("+"):
        if present:
            yield _Part(*match.span("other"), match["other"])
    elif present and setting is not None:
        yield _Part(start, end, setting.value, setting=setting, name=name)
    elif how.endswith("-"):
        yield _Part(*match.span("other"), match["other"])
    else:
        yield _Part(start, end, Unknown(f"the variable {name} is set outside the repository"), name=name)


def _filled(value: Mapping[str, Value], settings: Mapping[str, _Setting]) -> dict[str, Value]:
    filled = _fill(dict(value), settings)
    assert isinstance(filled, dict)
    return filled


def _fill(value: Value, settings: Mapping[str, _Setting]) -> Value:
    if isinstance(value, str) and "$" in value:
        texts = [part.text for part in _parts(value, settings)]
        return texts[0] if len(texts) == 1 else join_text(texts)
    if isinstance(value, dict):
        return {key: _fill(item, settings) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, settings) for item in value]
    return value


class _Tracer:
    """Traces a service's fields, and within a string each variable to what sets it."""

    def __init__(
        self,
        values: Stack,
        written: Mapping[str, Value],
        settings: Mapping[str, _Setting],
        body: Mapping[str, Value],
        editor: StackValues,
    ) -> None:
        self._values = values
        self._written = written
        self._settings = settings
        self._body = body
        self._editor = editor

    def trace(self, route: Route) -> Origin | None:
        """The origin of a field."""
        origin = self._values.trace(route)
        value = at(dict(self._written), *route)
        if origin is None or not isinstance(value, str) or "$" not in value:
            return origin
        segments: list[Segment] = []
        for part in _parts(value, self._settings):
            segments.extend(_segments(part, cut(origin.segments, part.start, part.end)))
        return replace(origin, segments=join(segments))

    def put(
        self, route: Route, value: Value, read: Reader, *, like: Like = (), alone: bool = False
    ) -> tuple[Replacement, ...]:
        """As :meth:`shoreup.sources.editing.Editor.put`; a variable's value is changed where it is set."""
        old = at(dict(self._body), *route)
        if isinstance(old, str) and isinstance(value, str) and "$" not in value:
            origin = self.trace(route)
            if origin is not None and origin.segments:
                return rewritten(origin, old, value, read)
        return self._editor.put(route, _escaped(value), read, alone=alone)

    def append(
        self, route: Route, value: Value, read: Reader, *, like: Like = (), alone: bool = False
    ) -> tuple[Replacement, ...]:
        """As :meth:`shoreup.sources.editing.Editor.append`."""
        return self._editor.append(route, _escaped(value), read, alone=alone)

    def remove(self, route: Route, read: Reader, *, alone: bool = False) -> tuple[Replacement, ...]:
        """As :meth:`shoreup.sources.editing.Editor.remove`."""
        return self._editor.remove(route, read, alone=alone)

    def add(self, body: Mapping[str, Value], read: Reader, *, like: Like = ()) -> tuple[Replacement, ...]:
        """Nothing of a cluster can stand beside a service."""
        raise CannotWrite("a compose file holds services, no objects of a cluster")


def _escaped(value: Value) -> Value:
    """A value as Compose reads it back: a dollar sign is written twice."""
    if isinstance(value, dict):
        return {key: _escaped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    return value.replace("$", "$$") if isinstance(value, str) else value


def _segments(part: _Part, under: tuple[Segment, ...]) -> Iterator[Segment]:
    first = under[0] if under else Segment("", None)
    if part.setting is not None:
        via = () if first.span is None else (Reference(part.name, first.span),)
        yield Segment(part.setting.value, part.setting.span, via=via)
    elif isinstance(part.text, Unknown):
        yield replace(first, text="", verbatim=False, unknown=part.text.reason)
    elif part.verbatim:
        yield from under
    else:
        yield replace(first, text=part.text, verbatim=False, derived="compose")
