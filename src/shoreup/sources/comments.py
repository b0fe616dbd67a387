"""Comments in YAML that may say that something does not work, or what a watcher of versions shall do, found without
mistaking text for a comment.

A ``#`` inside a block of text or a quoted string is no comment, so the file's tokens decide. That costs as much as
reading the file again; only files in which a comment could hold such words are looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from shoreup.formats.files import FileTree
from shoreup.formats.yaml import Document, load
from shoreup.formats.yaml.comments import comments
from shoreup.model.location import Span
from shoreup.model.value import at

WORTH_READING = re.compile(
    rb"#[^\n]*(?:\b(?:TODO|FIXME|HACK|XXX)\b|n(?:'|o)t\s+(?:\w+\s+)?work|broken|unfinished|work in progress|renovate:)",
    re.IGNORECASE,
)


class YamlComment(Struct, frozen=True):
    """One comment, markers taken off. Lines of comments that follow one another are one, each in ``lines``.

    ``alone`` says that nothing else stands on its line. ``kind``, ``name`` and ``namespace`` are those of the object
    in whose document it stands, empty where there is none.
    """

    span: Span
    lines: tuple[str, ...]
    alone: bool
    kind: str
    name: str
    namespace: str


def read_comments(tree: FileTree) -> Iterator[YamlComment]:
    """The comments of the YAML files in which one may be of that kind."""
    for path in tree.files:
        if path.endswith((".yaml", ".yml")):
            content = tree.read(path)
            text = tree.text(path) if content is not None and WORTH_READING.search(content) else None
            if content is not None and text is not None:
                yield from _of_file(path, text, 3 if content.startswith(b"\xef\xbb\xbf") else 0)


def _of_file(path: str, text: str, offset: int) -> Iterator[YamlComment]:
    documents = load(text).documents
    for start, end, lines, alone in _joined(text):
        about = next((one for one in documents if one.start <= start < one.end), None)
        first = offset + len(text[:start].encode())
        span = Span(path, first, first + len(text[start:end].encode()))
        yield YamlComment(span, lines, alone, *_identity(about))


def _identity(document: Document | None) -> tuple[str, str, str]:
    value = None if document is None else document.value
    held = (at(value, "kind"), at(value, "metadata", "name"), at(value, "metadata", "namespace"))
    return tuple(item if isinstance(item, str) else "" for item in held)  # type: ignore[return-value] # three, as held


def _joined(text: str) -> Iterator[tuple[int, int, tuple[str, ...], bool]]:
    """Comments, those on lines of their own joined with the ones right below them."""
    current: tuple[int, int, tuple[str, ...], bool] | None = None
    for start, end in comments(text):
        alone = not text[text.rfind("\n", 0, start) + 1 : start].strip()
        words = text[start:end].lstrip("#").rstrip()
        gap = text[current[1] : start] if current else ""
        if current and current[3] and alone and gap.count("\n") == 1 and not gap.strip():
            current = (current[0], end, (*current[2], words), True)
            continue
        if current:
            yield current
        current = (start, end, (words,), alone)
    if current:
        yield current
