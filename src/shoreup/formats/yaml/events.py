"""The parser underneath, with the types that its own stubs lack.

libyaml through PyYAML where it was built with it; else PyYAML's own parser, which gives the same events, slower.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, cast

from yaml.error import MarkedYAMLError, YAMLError
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from yaml.reader import ReaderError

__all__ = [
    "AliasEvent",
    "DocumentEndEvent",
    "DocumentStartEvent",
    "Event",
    "MappingEndEvent",
    "MappingStartEvent",
    "Mark",
    "MarkedYAMLError",
    "Parser",
    "ReaderError",
    "ScalarEvent",
    "SequenceEndEvent",
    "SequenceStartEvent",
    "StreamEndEvent",
    "YAMLError",
    "kind_of",
    "parser_of",
]


class Mark(Protocol):
    """A place in the text: ``index`` in characters, ``line`` and ``column`` 0-based."""

    index: int
    line: int
    column: int


class Event(Protocol):
    """What the parser saw. Each kind of event has those of these that make sense for it; all have the marks."""

    start_mark: Mark
    end_mark: Mark
    anchor: str | None
    tag: str | None
    value: str
    style: str | None
    flow_style: bool | None


class Parser(Protocol):
    """A parser at work. ``get_event`` raises :class:`YAMLError`; ``dispose`` frees it."""

    def get_event(self) -> Event: ...

    def dispose(self) -> None: ...


kind_of: Callable[[object], object] = type
"""The class of an event, to compare with the classes above; many times faster than ``isinstance``."""


def parser_of(text: str) -> Parser:
    """A parser at the start of ``text``.

    Raises :class:`YAMLError` or UnicodeError already for characters that YAML forbids.
    """
    try:
        from yaml import cyaml
    except ImportError:
        from yaml import SafeLoader

        return cast(Parser, SafeLoader(text))
    return cast(Parser, cyaml.CParser(text))  # type: ignore[attr-defined] # the stubs hide what cyaml imports
