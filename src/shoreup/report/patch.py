"""Changes of files as a unified diff that ``git apply`` and ``patch`` take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from shoreup.model.amendment import Change

AROUND = 3
"""Lines of context on each side, as diff has it."""
_NO_NEWLINE = b"\\ No newline at end of file\n"


def render(changes: Sequence[Change]) -> bytes:
    """The changes in order. Bytes, for files are bytes: other encodings and line ends stay what they are."""
    return b"".join(line for change in changes for line in lines(change))


def lines(change: Change) -> Iterator[bytes]:
    """One file's diff, line by line, each with its line end."""
    before, after = _by_newline(change.before or b""), _by_newline(change.after)
    path = change.path.encode("utf-8", "surrogateescape")
    yield b"diff --git a/" + path + b" b/" + path + b"\n"
    if change.before is None:
        yield b"new file mode 100644\n--- /dev/null\n"
    else:
        yield b"--- a/" + path + b"\n"
    yield b"+++ b/" + path + b"\n"
    for group in SequenceMatcher(None, before, after, autojunk=False).get_grouped_opcodes(AROUND):
        first, last = group[0], group[-1]
        yield b"@@ -%s +%s @@\n" % (_range(first[1], last[2]), _range(first[3], last[4]))
        for tag, start, end, new_start, new_end in group:
            if tag == "equal":
                yield from _marked(b" ", before[start:end])
                continue
            yield from _marked(b"-", before[start:end])
            yield from _marked(b"+", after[new_start:new_end])


def _by_newline(content: bytes) -> list[bytes]:
    """Lines with their ends; only a line feed ends one, as for diff."""
    found = content.split(b"\n")
    ended = [line + b"\n" for line in found[:-1]]
    return [*ended, found[-1]] if found[-1] else ended


def _range(start: int, end: int) -> bytes:
    length = end - start
    if length == 1:
        return b"%d" % (start + 1)
    return b"%d,%d" % (start + 1 if length else start, length)


def _marked(mark: bytes, some: Sequence[bytes]) -> Iterator[bytes]:
    for line in some:
        if line.endswith(b"\n"):
            yield mark + line
        else:
            yield mark + line + b"\n"
            yield _NO_NEWLINE
