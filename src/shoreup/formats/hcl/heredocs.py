"""Heredocs that interpolate nothing: most scripts and configuration files, read as they stand.

What such a heredoc means is worked out from its lines at once. The lines themselves, as parts of a template, are made
only when somebody asks where a character of it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator


def constant_heredoc(text: str, start: int, marker: str, flush: bool) -> tuple[str, int] | None:
    """What the heredoc whose first line begins at ``start`` means, and the offset after its closing ``marker``.

    ``None`` where it holds a template sequence, or is never closed.
    """
    closing = re.compile(rf"^[ \t]*{re.escape(marker)}(?=[ \t\r]*(?:\n|\Z))", re.MULTILINE).search(text, start)
    if closing is None:
        return None
    body = text[start : closing.start()]
    if "${" in body or "%{" in body:
        return None
    return _outdented(body) if flush else body, closing.end()


def lines_of_heredoc(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where its lines stand without the indentation that is taken off.

    ``start`` and ``end`` are the first character of its opening and the one after its closing marker.
    """
    offset, stop = text.index("\n", start) + 1, text.rindex("\n", start, end) + 1
    body = text[offset:stop]
    taken = _indentation(body) if text.startswith("<<-", start) else 0
    for line in body.split("\n")[:-1]:
        yield offset + (taken if line.strip() else 0), offset + len(line) + 1
        offset += len(line) + 1


def _outdented(body: str) -> str:
    taken = _indentation(body)
    return "\n".join([line[taken:] if line.strip() else line for line in body.split("\n")]) if taken else body


def _indentation(body: str) -> int:
    """The least indentation of a line that is not blank."""
    lines = [line for line in body.split("\n") if line.strip()]
    return min([len(line) - len(line.lstrip()) for line in lines], default=0)
