"""Text of YAML to plain values, fast, keeping what is whole.

The parser (libyaml, through PyYAML) gives events; they are put together here, because only so can every
mishap of a real tree be met: a broken document among whole ones, a template that only looks like YAML, an
alias that unfolds to gigabytes, a key given twice. Nothing is remembered of positions but where a document starts
and ends; they are read again for the few places that are reported (:mod:`shoreup.formats.yaml.positions`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from shoreup.formats.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    MarkedYAMLError,
    ReaderError,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    YAMLError,
    kind_of,
    parser_of,
)
from shoreup.formats.yaml.positions import Positions, Trace
from shoreup.formats.yaml.resolve import NUMBER_STARTS, key_text, resolve, resolve_tagged
from shoreup.model.location import Route
from shoreup.model.value import PartialText, Unknown, Value

MAX_DEPTH = 150
"""Deeper nesting is an attack or an accident; Kubernetes' own largest schemas stay under 60."""

MAX_UNFOLDED = 200_000
"""How many nodes aliases may add to a document when written out."""

TEMPLATE = "template"
ENCRYPTED = "encrypted"

_DOCUMENT = re.compile(r"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)
_DIRECTIVE_LINE = re.compile(r"^[ \t]*(?:- )?(?:\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\})[ \t]*$", re.MULTILINE | re.DOTALL)
_DIRECTIVE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_TERRAFORM = re.compile(r"^[ \t]*%\{~?[ ]*(?:if|for|else|endif|endfor)\b", re.MULTILINE)
_CONTROL = re.compile(
    r"^(?:\{\{-?|\{%-?)[ \t]*(?:if|range|with|define|include|end|for|block|set|macro)\b", re.MULTILINE
)


class Problem(Struct, frozen=True):
    """Something wrong in the text. ``line`` is 1-based; ``skipped`` says what was left out."""

    line: int
    cause: str
    skipped: str


class Document(Struct, frozen=True, eq=False):
    """One document. ``start`` and ``end`` are its characters in the text, ``line`` is where it starts, 1-based.

    Values that came through aliases are shared objects: never change a value in place. ``encrypted`` says
    that sops encrypted it; its values are then unknown, and the ``sops`` key is gone.
    """

    value: Value
    start: int
    end: int
    line: int
    encrypted: bool = False
    _again: Callable[[], str] = str
    _words: bool = True
    _positions: list[Positions] = field(default_factory=list)

    @property
    def words(self) -> bool:
        """Whether yes, no, on and off are booleans, as in :func:`load`."""
        return self._words

    def trace(self, route: Route) -> Trace | None:
        """Where the value at ``route`` is written; ``None`` where the route leads nowhere.

        The first call reads the document again, for its positions.
        """
        if not self._positions:
            text = self._again()[self.start : self.end]
            self._positions.append(Positions(text, self.start, words=self._words))
        return self._positions[0].trace(route)


class Stream(Struct, frozen=True, eq=False):
    """Every whole document of a text.

    ``skipped`` is :data:`TEMPLATE` or :data:`ENCRYPTED` where the text is no YAML at all.
    """

    documents: tuple[Document, ...]
    problems: tuple[Problem, ...] = ()
    skipped: str = ""


class _Refused(Exception):
    """The document breaks a bound of ours."""

    def __init__(self, line: int, cause: str) -> None:
        super().__init__(cause)
        self.line = line
        self.cause = cause


def load(text: str, *, words: bool = True, again: Callable[[], str] | None = None) -> Stream:
    """Read every document of ``text`` (without a byte order mark). Never raises.

    ``words`` says whether yes, no, on and off are booleans, as in a manifest; Kustomize and
    workflow files read them as text. ``again`` gives the same text once more, for positions; without it the
    documents keep the text.
    """
    source = again or (lambda: text)
    if text.startswith("$ANSIBLE_VAULT;"):
        return Stream((), skipped=ENCRYPTED)
    documents: list[Document] = []
    problems: list[Problem] = []
    braces: list[int] = []
    try:
        documents.extend(_documents(text, source, 0, 0, words, problems, braces))
        broken = False
    except (YAMLError, _Refused, UnicodeError):
        broken = True
    if (broken or braces) and _is_template(text, words):
        return Stream((), skipped=TEMPLATE)
    if broken:
        documents.clear()
        problems.clear()
        for start, end in _chunks(text):
            lines = text.count("\n", 0, start)
            try:
                for document in _documents(text[start:end], source, start, lines, words, problems, braces):
                    documents.append(document)
            except (YAMLError, _Refused, UnicodeError) as problem:
                line, cause = _explain(problem, text[start:end])
                problems.append(Problem(lines + line, cause, "the document"))
    return Stream(tuple(documents), tuple(problems))


def load_json(text: str, *, again: Callable[[], str] | None = None) -> Stream:
    """Read a JSON text as one document. Never raises. ``again`` is as in :func:`load`."""
    try:
        value: Value = json.loads(text, parse_constant=_no_constant)
        _bound(value)
    except json.JSONDecodeError as problem:
        return Stream((), (Problem(problem.lineno, f"no valid JSON: {problem.msg}", "the file"),))
    except (RecursionError, ValueError) as problem:
        return Stream((), (Problem(1, str(problem) or "nested too deeply", "the file"),))
    return Stream((_document(value, 0, len(text), 1, again or (lambda: text), True),))


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _bound(value: Value) -> None:
    layer: list[Value] = [value]
    for _ in range(MAX_DEPTH):
        below: list[Value] = []
        for item in layer:
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        if not below:
            return
        layer = below
    raise ValueError(f"nested deeper than {MAX_DEPTH} levels")


def _chunks(text: str) -> Iterator[tuple[int, int]]:
    starts = [0, *(found.start() for found in _DOCUMENT.finditer(text) if found.start())]
    for number, start in enumerate(starts):
        yield start, starts[number + 1] if number + 1 < len(starts) else len(text)


def _is_template(text: str, words: bool) -> bool:
    """Whether the text becomes YAML, or shows control lines, once template directives are taken out."""
    if "%{" in text and _TERRAFORM.search(text):
        return True
    if "{{" not in text and "{%" not in text:
        return False
    if _CONTROL.search(text):
        return True
    rest = _DIRECTIVE.sub("x", _DIRECTIVE_LINE.sub(lambda found: "#" + "\n#" * found[0].count("\n"), text))
    braces: list[int] = []
    try:
        for _ in _documents(rest, str, 0, 0, words, [], braces):
            pass
    except (YAMLError, _Refused, UnicodeError):
        return False
    return not braces


def _explain(problem: Exception, text: str) -> tuple[int, str]:
    if isinstance(problem, _Refused):
        return problem.line, problem.cause
    if isinstance(problem, ReaderError):
        position = problem.position if isinstance(problem.position, int) else 0
        line = text.encode("utf-8", "surrogatepass").count(b"\n", 0, position) + 1
        code = problem.character if isinstance(problem.character, int) else 0
        return line, f"a character that YAML does not allow (U+{code:04X})"
    if isinstance(problem, MarkedYAMLError):
        mark = problem.problem_mark or problem.context_mark
        cause = ", ".join(part for part in (problem.context, problem.problem) if part)
        return (mark.line + 1 if mark is not None else 1), f"no valid YAML: {cause}"
    return 1, "no valid YAML: " + (str(problem).splitlines() or ["unreadable"])[0]


def _document(value: Value, start: int, end: int, line: int, again: Callable[[], str], words: bool) -> Document:
    encrypted = False
    if isinstance(value, dict):
        sops = value.get("sops")
        if isinstance(sops, dict) and ("mac" in sops or "lastmodified" in sops):
            encrypted = True
            value = {key: _sealed(item) for key, item in value.items() if key != "sops"}
    return Document(value, start, end, line, encrypted, again, words)


_SEALED = Unknown("encrypted with sops")


def _sealed(value: Value) -> Value:
    if isinstance(value, str):
        return _SEALED if value.startswith("ENC[") else value
    if isinstance(value, dict):
        return {key: _sealed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_sealed(item) for item in value]
    return value


def _documents(
    text: str,
    again: Callable[[], str],
    offset: int,
    lines: int,
    words: bool,
    problems: list[Problem],
    braces: list[int],
) -> Iterator[Document]:
    """Each document of ``text``, which stands at character ``offset``, after ``lines`` lines, of what ``again`` gives.

    ``braces`` collects the lines of keys that are mappings or lists: unquoted ``{{ }}`` most often.
    """
    parser = parser_of(text)
    try:
        get = parser.get_event
        get()
        event = get()
        while kind_of(event) is DocumentStartEvent:
            mark = event.start_mark
            notes: list[Problem] = []
            value, end = _compose(get, words, notes, braces)
            problems.extend(replace(note, line=note.line + lines) for note in notes)
            yield _document(value, offset + mark.index, offset + end, lines + mark.line + 1, again, words)
            event = get()
    finally:
        parser.dispose()


_NO_KEY = object()
_MERGE = object()
_DROPPED = object()
_MAY_RESOLVE = NUMBER_STARTS | frozenset("yYnNtTfFoO~") | {""}


def _compose(get: Callable[[], Event], words: bool, notes: list[Problem], braces: list[int]) -> tuple[Value, int]:
    """The value of one document whose start was read, and the character where the document ends.

    One loop over local names, for every scalar of an estate passes here; what is rare has functions of its own. Raises
    :class:`_Refused` for what nobody writes by hand. ``notes`` and ``braces`` are added to.
    """
    root: Value = None
    mapping: dict[str, Value] | None = None
    sequence: list[Value] | None = None
    key: object = _NO_KEY
    merges: list[Value] = []
    anchor: str | None = None
    began = nodes = unfolded = deepest = 0
    anchors: dict[str, _Anchored] = {}
    stack: list[_Frame] = []
    value: Value
    while True:
        event = get()
        kind = kind_of(event)
        if kind is ScalarEvent:
            nodes += 1
            text: str = event.value
            if event.tag is not None:
                value = resolve_tagged(text, event.tag)
            elif event.style or text[:1] not in _MAY_RESOLVE:
                value = text
            else:
                value = resolve(text, words=words)
            if event.anchor is not None:
                anchors[event.anchor] = (value, 1, 0)
            if mapping is not None and key is _NO_KEY:
                if text == "<<" and not event.style and event.tag is None:
                    key = _MERGE
                else:
                    key = value if type(value) is str else key_text(value)
                    if key in mapping:
                        notes.append(_given_twice(event, key))
                continue
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            stack.append((mapping, sequence, key, merges, anchor, began, deepest))
            if len(stack) > MAX_DEPTH:
                raise _Refused(event.start_mark.line + 1, f"nested deeper than {MAX_DEPTH} levels")
            anchor, key, deepest = event.anchor, _NO_KEY, len(stack)
            if anchor is not None:
                anchors.pop(anchor, None)
            began = nodes + unfolded
            nodes += 1
            if kind is MappingStartEvent:
                mapping, sequence, merges = {}, None, []
            else:
                mapping, sequence = None, []
            continue
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            if mapping is not None and merges:
                _merge(mapping, merges)
            value = mapping if mapping is not None else sequence
            if anchor is not None:
                anchors[anchor] = (value, nodes + unfolded - began, deepest - len(stack) + 1)
            below = deepest
            mapping, sequence, key, merges, anchor, began, deepest = stack.pop()
            if below > deepest:
                deepest = below
            if mapping is not None and key is _NO_KEY:
                braces.append(event.start_mark.line + 1)
                notes.append(_no_text(event))
                key = _DROPPED
                continue
        elif kind is AliasEvent:
            value, size, height = _anchored(event, anchors)
            unfolded += size
            deepest = max(deepest, len(stack) + height)
            if unfolded > MAX_UNFOLDED:
                raise _Refused(event.start_mark.line + 1, f"aliases unfold to more than {MAX_UNFOLDED} values")
            if deepest > MAX_DEPTH:
                raise _Refused(event.start_mark.line + 1, f"nested deeper than {MAX_DEPTH} levels")
            if mapping is not None and key is _NO_KEY:
                if isinstance(value, (dict, list)):
                    notes.append(_no_text(event))
                key = _DROPPED if isinstance(value, (dict, list, Unknown, PartialText)) else key_text(value)
                continue
        else:
            assert kind is DocumentEndEvent
            return root, event.end_mark.index
        if sequence is not None:
            sequence.append(value)
        elif mapping is None:
            root = value
        elif key is _MERGE:
            merges.extend(value if isinstance(value, list) else (value,))
            if any(not isinstance(item, dict) for item in merges):
                line = event.start_mark.line + 1
                notes.append(Problem(line, "<< takes a mapping or a list of mappings", "the merge"))
            key = _NO_KEY
        else:
            if key is not _DROPPED:
                mapping[key] = value  # type: ignore[index] # a key is text unless it is one of the marks above
            key = _NO_KEY


_Anchored: TypeAlias = tuple[Value, int, int]
"""What an anchor names: its value, how many nodes that has, and how many levels."""


def _anchored(event: Event, anchors: Mapping[str, _Anchored]) -> _Anchored:
    if event.anchor is None or event.anchor not in anchors:
        cause = f"the alias *{(event.anchor or '')[:60]} refers to nothing before it"
        raise _Refused(event.start_mark.line + 1, cause)
    return anchors[event.anchor]


def _merge(mapping: dict[str, Value], merges: Iterable[Value]) -> None:
    """What ``<<`` brings, where the mapping does not say it itself; of several the first one counts."""
    for merged in merges:
        for name, item in merged.items() if isinstance(merged, dict) else ():
            mapping.setdefault(name, item)


def _given_twice(event: Event, key: object) -> Problem:
    return Problem(event.start_mark.line + 1, f'the key "{str(key)[:60]}" is given twice', "the first value")


def _no_text(event: Event) -> Problem:
    return Problem(event.start_mark.line + 1, "a key that is a mapping or a list", "the key")


_Frame: TypeAlias = tuple[dict[str, Value] | None, list[Value] | None, object, list[Value], str | None, int, int]
