"""Where the comments of a YAML text stand. A ``#`` inside a scalar, of whatever style, is none."""

from __future__ import annotations

import re
from bisect import bisect_right

from shoreup.formats.yaml.events import ScalarEvent, StreamEndEvent, YAMLError, kind_of, parser_of

_COMMENT = re.compile(r"(?:^|(?<=[ \t]))#[^\r\n]*", re.MULTILINE)


def comments(text: str) -> list[tuple[int, int]]:
    """The characters of every comment, ends exclusive; none where the text is no YAML."""
    starts: list[int] = []
    ends: list[int] = []
    try:
        parser = parser_of(text)
        try:
            while kind_of(event := parser.get_event()) is not StreamEndEvent:
                if kind_of(event) is ScalarEvent and event.end_mark.index > event.start_mark.index:
                    starts.append(event.start_mark.index)
                    ends.append(event.end_mark.index)
        finally:
            parser.dispose()
    except (YAMLError, UnicodeError):
        return []
    found: list[tuple[int, int]] = []
    for match in _COMMENT.finditer(text):
        held = bisect_right(starts, match.start()) - 1
        if held < 0 or ends[held] <= match.start():
            found.append(match.span())
        elif text[starts[held]] in "|>" and "\n" not in text[starts[held] : match.start()]:
            # After the header of a block of text, on its own line.
            found.append(match.span())
    return found
