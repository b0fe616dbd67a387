"""Edits of files as bytes: what is replaced by what, and whether several of them get along.

Everything outside the replaced bytes stays as it is, to the byte. That is what a person sees in the diff, and what
is checked before anything is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct


class CannotWrite(Exception):
    """A change that the file cannot be given. The text is the reason, as one sentence for the owner."""


class Replacement(Struct, frozen=True, order=True):
    """``text`` (UTF-8) instead of the bytes ``start`` to ``end`` (exclusive) of ``file``.

    With ``start == end`` it is put in there. A file that is not there yet is made of what is put in at 0.
    """

    file: str
    start: int
    end: int
    text: bytes

    def collides(self, other: Replacement) -> bool:
        """Whether the two cannot both be made. Equal ones can, and so can two that put something in at one place."""
        if self.file != other.file or self == other:
            return False
        return self.start < other.end and other.start < self.end


def reconciled(replacements: Iterable[Replacement], read: Callable[[str], bytes | None]) -> tuple[Replacement, ...]:
    """Replacements of one change, where some stand inside of what another takes away.

    What is put in there stays, in the place of what goes; what would only have been changed goes too.
    """
    left = list(dict.fromkeys(replacements))
    for gone in [one for one in left if not one.text and one.end > one.start]:
        inside = [one for one in left if one is not gone and one.collides(gone)]
        if not inside or not all(gone.start <= one.start and one.end <= gone.end for one in inside):
            continue
        content = read(gone.file) or b""
        put_in = [one for one in inside if one.start == one.end]
        text = b"".join(one.text for one in put_in)
        if put_in:
            line_starts = gone.start == 0 or content[gone.start - 1 : gone.start] == b"\n"
            text = text.lstrip(b"\r\n") if line_starts else text
            if content[gone.end - 1 : gone.end] == b"\n" and not text.endswith(b"\n"):
                text += b"\r\n" if content[gone.end - 2 : gone.end] == b"\r\n" else b"\n"
        left = [one for one in left if one is not gone and one not in inside]
        left.append(Replacement(gone.file, gone.start, gone.end, text))
    return tuple(left)


def collide(ones: Iterable[Replacement], others: Sequence[Replacement]) -> bool:
    """Whether any of the ones cannot be made together with the others."""
    return any(one.collides(other) for one in ones for other in others)


_NEW_LINE = re.compile(rb"(?:\r?\n|\\n)( *)(- )?[^ ]")


def turn(text: bytes) -> int:
    """What comes first of texts that are put in at one place; the lowest does.

    An item of YAML may stand as deep as the key that its list belongs to.
    """
    found = _NEW_LINE.match(text)
    return -(1 << 20) if found is None else -2 * len(found[1]) - (found[2] is not None)


def replaced(content: bytes, replacements: Iterable[Replacement]) -> bytes:
    """The content with every replacement made.

    Of those that put something in at the same place, what goes on with the line comes first, then new lines, those
    that stand deeper before others: they belong to what ends there first. Else they keep their order. Equal
    replacements count once. Raises :class:`ValueError` where two collide.
    """
    unique = list(dict.fromkeys(replacements))
    pieces: list[bytes] = []
    position = 0
    for one in sorted(unique, key=lambda one: (one.start, one.end, turn(one.text))):
        if one.start < position:
            raise ValueError(f"two edits of {one.file} collide at byte {one.start}")
        pieces += (content[position : one.start], one.text)
        position = one.end
    return b"".join((*pieces, content[position:]))
