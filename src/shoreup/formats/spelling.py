"""Other characters in place of those of a string, written the way the string is written there.

The same word is ``say \\"hi\\"`` in quotes of HCL, ``say "hi"`` in a heredoc and ``'say "hi"'`` in YAML; a line break
is an escape in one and a new line with the block's indentation in the next; and a string of YAML may lie in a heredoc.
The segments of an origin tell how text stands where it stands; here new text is said the same way, or it is told why
that cannot be.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence

from msgspec import Struct

from shoreup.formats.edits import CannotWrite, Replacement
from shoreup.formats.encodings import FLOW, NAME, WORD, plain_text, quoted_text, spelled
from shoreup.formats.files import Reader
from shoreup.formats.yaml.resolve import resolve
from shoreup.model.origin import Origin, Segment
from shoreup.model.value import Value

BLOCKS = frozenset({"yaml-literal", "yaml-folded", "hcl-heredoc", "hcl-template", "raw"})
"""Encodings in which a line break is a line break."""

_QUOTES = {"yaml-plain": b"", "yaml-single": b"'", "yaml-double": b'"'}


def substituted(origin: Origin, start: int, end: int, text: str, read: Reader) -> tuple[Replacement, ...]:
    """Write ``text`` instead of the characters ``start`` to ``end`` (exclusive) of the string that has this origin.

    With ``start == end`` the text is put in. What stays the same is not written again, so that a change behind a
    reference needs no change before it. Lines get the indentation of the block that they come into. Raises
    :class:`CannotWrite` where the characters are made by a function, are not known, or come from several places.
    """
    value = origin.text
    if not 0 <= start <= end <= len(value):
        raise CannotWrite("the characters to change lie outside of the text")
    if "\r\n" in value and "\n" in text:
        text = re.sub(r"(?<!\r)\n", "\r\n", text)
    if value[start:end] == text:
        return ()
    if not value and not origin.segments:
        return _into_nothing(origin, text, read)
    if end > start:
        start, end, text = _changed_part(value, start, end, text)
    return _Edit(origin, start, end, text, read).made()


def rewritten(origin: Origin, old: Value, new: Value, read: Reader) -> tuple[Replacement, ...]:
    """Write one scalar over another that is written as itself: text over text, a number or a boolean over one.

    Raises :class:`CannotWrite` for everything else, and where the value is made and not written.
    """
    if isinstance(new, str) and isinstance(old, str):
        return substituted(origin, 0, len(origin.text), new, read)
    if type(old) not in (bool, int, float) or type(new) not in (bool, int, float):
        raise CannotWrite("a value of another kind is not written over this one")
    if type(old) is type(new) and old == new:
        return ()
    word = json.dumps(new)
    if origin.segments:
        return substituted(origin, 0, len(origin.text), word, read)
    content = _content(read, origin.span.file)
    written = content[origin.span.start : origin.span.end].decode("utf-8", "replace")
    value = resolve(written) if written else None
    if value != old or type(value) is not type(old):
        raise CannotWrite("the value is made of what is written, it is not written itself")
    return (Replacement(origin.span.file, origin.span.start, origin.span.end, word.encode()),)


def _changed_part(value: str, start: int, end: int, text: str) -> tuple[int, int, str]:
    """The same change without what is equal at its start and at its end."""
    old = value[start:end]
    most = min(len(old), len(text))
    same = next((index for index in range(most) if old[index] != text[index]), most)
    start, old, text = start + same, old[same:], text[same:]
    most = min(len(old), len(text))
    same = next((index for index in range(most) if old[-1 - index] != text[-1 - index]), most)
    return start, end - same, text[: len(text) - same]


def _into_nothing(origin: Origin, text: str, read: Reader) -> tuple[Replacement, ...]:
    """Into an empty string, of which no segment tells how it is written: quotes with nothing between them."""
    content = _content(read, origin.span.file)
    written = content[origin.span.start : origin.span.end]
    if written not in (b'""', b"''") or not re.fullmatch(r"[^\"'\\$%{}\x00-\x1f\x7f-\x9f]*", text):
        raise CannotWrite("the text is empty, and how it is written there does not tell how other text would be")
    return (Replacement(origin.span.file, origin.span.start + 1, origin.span.start + 1, text.encode()),)


class _Placed(Struct, frozen=True):
    """A segment with the characters of the value that it gives."""

    segment: Segment
    start: int
    end: int


class _Edit:
    """One change of one string."""

    def __init__(self, origin: Origin, start: int, end: int, text: str, read: Reader) -> None:
        self.origin, self.start, self.end, self.text, self.read = origin, start, end, text, read
        self.value = origin.text
        self.placed: list[_Placed] = []
        position = 0
        for segment in origin.segments:
            self.placed.append(_Placed(segment, position, position + len(segment.text)))
            position += len(segment.text)

    def made(self) -> tuple[Replacement, ...]:
        home = self._home()
        file = home.span.file if home.span is not None else ""
        if home.encodings[-1] == "hcl-literal":
            return self._word(home)
        self._widen(home)
        content = _content(self.read, file)
        style = home.encodings[-1]
        here = [one for one in self.placed if self._is_here(one.segment, home)]
        if style in _QUOTES and (not self._fits(style) or self._beside_a_fold(here, content)):
            return self._requoted(here, home, content)
        if style in BLOCKS:
            first, last, written = self._lines(here, home, content)
        else:
            first, last = self._bytes(here)
            written = self._inside(self.text, home.encodings)
        self._check_neighbours(content, first, last, written, home.encodings)
        return (Replacement(file, first, last, written),)

    def _word(self, home: Segment) -> tuple[Replacement, ...]:
        """A number or a bare key of HCL, or what stands instead of it in quotes."""
        one = next(one for one in self.placed if one.segment is home)
        self._take(min(one.start, self.start), max(one.end, self.end))
        if (self.start, self.end) != (one.start, one.end) or home.span is None:
            raise CannotWrite("the text is put together from several places")
        same = WORD if WORD.fullmatch(home.text) else NAME
        written: str | None = self.text
        if not same.fullmatch(self.text):
            if len(self.placed) > 1:
                raise CannotWrite("a number that becomes a part of a text can only be changed into a number")
            written = f'"{spelled(self.text, ("hcl-quoted",))}"'
        written = None if written is None else spelled(written, home.encodings[:-1])
        if written is None:
            raise CannotWrite(f"the new text cannot be written as the old one is ({_shown(home.encodings)})")
        return (Replacement(home.span.file, home.span.start, home.span.end, written.encode()),)

    # Where

    def _home(self) -> Segment:
        """The segment that says how text is written at the place. Refuses a place that is none."""
        covered = [one for one in self.placed if one.start < self.end and one.end > self.start]
        between = [one for one in self.placed if one.start == one.end and self.start < one.start < self.end]
        for one in (*covered, *between):
            self._check(one.segment)
        if covered:
            home = covered[0].segment
            for one in covered:
                if not self._is_here(one.segment, home):
                    raise CannotWrite(f"the text is put together from several places: {self._named(home, one.segment)}")
            return home
        beside = [one for one in self.placed if self.start in (one.start, one.end) and one.segment.span is not None]
        free = [one for one in beside if not one.segment.derived and not one.segment.unknown]
        if not free:
            for one in beside or self.placed:
                self._check(one.segment)
            raise CannotWrite("the text stands in no file")
        # The text around a reference is nearer than what the reference brings.
        return min(free, key=lambda one: len(one.segment.via)).segment

    def _named(self, *segments: Segment) -> str:
        names = [segment.via[-1].name if segment.via else "text beside it" for segment in segments]
        return " and ".join(dict.fromkeys(name or "an expression" for name in names))

    def _check(self, segment: Segment) -> None:
        if segment.unknown:
            raise CannotWrite(f"the text is not known: {segment.unknown}")
        if segment.derived:
            where = ""
            if segment.span is not None:
                line = (self.read(segment.span.file) or b"").count(b"\n", 0, segment.span.start) + 1
                where = f" in {segment.span.file}, line {line}"
            raise CannotWrite(f"the text is made by {segment.derived}{where}")
        if segment.span is None:
            raise CannotWrite("the text stands in no file")

    @staticmethod
    def _is_here(segment: Segment, home: Segment) -> bool:
        return (
            segment.span is not None
            and home.span is not None
            and segment.span.file == home.span.file
            and segment.encodings == home.encodings
            and segment.via == home.via
            and not segment.derived
            and not segment.unknown
        )

    def _widen(self, home: Segment) -> None:
        """Take in the whole of an escape or fold of which a part is meant, and a sign that would join with the text."""
        for one in self.placed:
            if one.segment.verbatim or one.end - one.start < 2 or not self._is_here(one.segment, home):
                continue
            if one.start < self.start < one.end or one.start < self.end < one.end:
                first, last = min(self.start, one.start), max(self.end, one.end)
                self._take(first, last)
        if any(name.startswith("hcl") for name in home.encodings):
            before, after = self.value[: self.start][-1:], self.value[self.end :][:1]
            if before in ("$", "%") and self.text.startswith("{") and self._at(self.start - 1, home):
                self._take(self.start - 1, self.end)
            if self.text[-1:] in ("$", "%") and after == "{" and self._at(self.end, home):
                self._take(self.start, self.end + 1)

    def _take(self, first: int, last: int) -> None:
        self.text = self.value[first : self.start] + self.text + self.value[self.end : last]
        self.start, self.end = first, last

    def _at(self, position: int, home: Segment) -> bool:
        return any(one.start <= position < one.end and self._is_here(one.segment, home) for one in self.placed)

    def _bytes(self, here: Sequence[_Placed]) -> tuple[int, int]:
        """The bytes from the first character of the range to the first behind it."""
        first = _before(here, self.start)
        if first is None:
            first = _behind(here, self.start)
        last = _behind(here, self.end) if self.end > self.start else first
        if first is None or last is None or last < first:
            raise CannotWrite("the text does not stand in one piece")
        return first, last

    # How

    def _inside(self, text: str, encodings: Sequence[str]) -> bytes:
        """Text in the middle of a string; what the whole string must look like was looked at before."""
        inner = [name for name in encodings if name != "yaml-plain"]
        written = spelled(text, inner)
        if written is None:
            raise CannotWrite(f"the new text cannot be written as the old one is ({_shown(encodings)})")
        return written.encode()

    def _fits(self, style: str) -> bool:
        if style != "yaml-plain":
            return spelled(self.text, (style,)) is not None
        new = self.value[: self.start] + self.text + self.value[self.end :]
        old_flow, new_flow = set(FLOW.findall(self.value)), set(FLOW.findall(new))
        return plain_text(new) and new_flow <= old_flow

    def _beside_a_fold(self, here: Sequence[_Placed], content: bytes) -> bool:
        """Whether a line of the scalar ends or begins at the range: blanks there would be no part of the text."""
        spans = [one.segment.span for one in here if one.segment.span is not None]
        if not spans or b"\n" not in content[min(span.start for span in spans) : max(span.end for span in spans)]:
            return False
        near = [one.segment for one in here if one.start <= self.end and one.end >= self.start]
        folds = [segment.span for segment in near if segment.span is not None and not segment.verbatim]
        if any(b"\n" in content[span.start : span.end] for span in folds):
            return True
        # A line that goes on behind a backslash leaves no character, only a gap.
        first, last = self._bytes(here)
        before = content[min(span.start for span in spans) : first].rstrip(b" \t")
        behind = content[last : max(span.end for span in spans)]
        return before.endswith(b"\n") or re.match(rb"[ \t]*\\?\r?\n", behind) is not None

    def _requoted(self, here: Sequence[_Placed], home: Segment, content: bytes) -> tuple[Replacement, ...]:
        """The whole scalar in quotes, where the new text does not bear the old style."""
        if len(here) != len([one for one in self.placed if one.segment.text or one.segment.unknown]):
            raise CannotWrite(f"the new text cannot be written as the old one is ({_shown(home.encodings)})")
        spans = [one.segment.span for one in here if one.segment.span is not None]
        first, last = min(span.start for span in spans), max(span.end for span in spans)
        quote = _QUOTES[home.encodings[-1]]
        if quote:
            if content[first - 1 : first] != quote or content[last : last + 1] != quote:
                raise CannotWrite("the quotes of the text are written in a way that is not read here")
            first, last = first - 1, last + 1
        new = self.value[: self.start] + self.text + self.value[self.end :]
        quoted = spelled(quoted_text(new), home.encodings[:-1])
        if quoted is None:
            raise CannotWrite(f"the new text cannot be written as the old one is ({_shown(home.encodings)})")
        return (Replacement(home.span.file if home.span else "", first, last, quoted.encode()),)

    def _lines(self, here: Sequence[_Placed], home: Segment, content: bytes) -> tuple[int, int, bytes]:
        """The bytes of the range and the new lines, in styles where lines are lines."""
        style = home.encodings[-1]
        self._check_block(style)
        rest = self.value[self.end :]
        lines = self.text.split("\n")
        broken, indent = self._line_break(here, home, content)
        first = self._edge(here, self.start, indent, content)
        last = self._edge(here, self.end, indent, content)
        if last < first:
            raise CannotWrite("the text does not stand in one piece")
        at_line_start = self.start == 0 or self.value[self.start - 1] == "\n"
        pieces: list[bytes] = []
        if at_line_start:
            line_start = first
            while line_start and content[line_start - 1 : line_start] in (b" ", b"\t"):
                line_start -= 1
            if content[line_start - 1 : line_start] in (b"\n", b"\r", b"") and style != "raw":
                prefix = content[line_start:first]
                if indent.startswith(prefix):
                    stays = lines[0] or (len(lines) == 1 and rest[:1] not in ("", "\n", "\r"))
                    first = line_start
                    pieces.append(indent if stays else b"")
        for number, line in enumerate(lines):
            if number:
                ends = number == len(lines) - 1
                filled = line.strip("\r") or (ends and rest[:1] not in ("", "\n", "\r"))
                pieces += (broken, indent if filled else b"")
                if style == "yaml-folded":
                    pieces[-2:-1] = (broken, broken)
            pieces.append(self._inside(line, home.encodings))
        return first, last, b"".join(pieces)

    def _edge(self, here: Sequence[_Placed], position: int, indent: bytes, content: bytes) -> int:
        """The byte before the character at ``position``, behind the indentation of its line."""
        found = _before(here, position)
        if found is not None:
            return found
        found = _behind(here, position)
        if found is None:
            raise CannotWrite("the text does not stand in one piece")
        # What follows is another's: a template's sequence, indented like every line.
        if self.value[:position].endswith("\n") and self.value[position:] and content.startswith(indent, found):
            found += len(indent)
        return found

    def _check_block(self, style: str) -> None:
        if style not in ("yaml-literal", "yaml-folded"):
            return
        new = self.value[: self.start] + self.text + self.value[self.end :]
        if _tail(new) != _tail(self.value):
            raise CannotWrite("the block of text would end otherwise than its header says")
        begin = new.lstrip("\n")[:1]
        if not begin or (begin in " \t" and begin != self.value.lstrip("\n")[:1]):
            raise CannotWrite("the block of text would be empty or begin with a blank")
        if style == "yaml-folded":
            lines = self.text.split("\n")
            rest = self.value[self.end :].split("\n")[0]
            met = [lines[0] or self.value[: self.start].rpartition("\n")[2], *lines[1:-1], lines[-1] + rest]
            if len(lines) > 1 and any(not line or line[0] in " \t" or line[-1] == " " for line in met):
                raise CannotWrite("lines cannot be put into a folded block of text")

    def _line_break(self, here: Sequence[_Placed], home: Segment, content: bytes) -> tuple[bytes, bytes]:
        """How a line break of the string is written, and the indentation of a line behind it."""
        for one, following in itertools.pairwise(here):
            left, right = one.segment, following.segment
            assert left.span is not None and right.span is not None
            if one.end == following.start and left.text.endswith("\n") and right.text.strip():
                indent = content[left.span.end : right.span.start]
                if not indent.strip(b" \t"):
                    return (b"\n" if left.verbatim else content[left.span.start : left.span.end]), indent
        for one in here:
            if one.segment.verbatim and "\n" in one.segment.text[:-1] and _newline_inside(one.segment.text):
                return b"\n", b""
        if not set(home.encodings) <= BLOCKS:
            if "\n" in self.text:
                raise CannotWrite(f"a line break cannot be written there ({_shown(home.encodings)})")
            return b"\n", b""
        opening = next((one for one in here if one.start == 0 or self.value[one.start - 1] == "\n"), None)
        if opening is None or opening.segment.span is None:
            return b"\n", b""
        if opening.segment.text[0] in "\r\n" and home.encodings[-1] in ("yaml-literal", "yaml-folded"):
            raise CannotWrite("the block of text holds empty lines alone, which tell no indentation")
        begin = opening.segment.span.start
        line_start = content.rfind(b"\n", 0, begin) + 1
        indent = content[line_start:begin]
        yaml = home.encodings[-1].startswith("yaml")
        broken = b"\r\n" if yaml and content[:line_start].endswith(b"\r\n") else b"\n"
        return broken, b"" if indent.strip(b" \t") else indent

    def _check_neighbours(
        self, content: bytes, first: int, last: int, written: bytes, encodings: Sequence[str]
    ) -> None:
        """Whether the text would join with a ``${`` beside it into another meaning."""
        if not any(name.startswith("hcl") for name in encodings):
            return
        if written[-1:] in (b"$", b"%") and content[last : last + 1] in (b"$", b"%", b"{"):
            raise CannotWrite("the new text would join with the template behind it")
        if written[:1] == b"{" and content[first - 1 : first] in (b"$", b"%"):
            raise CannotWrite("the new text would join with the sign before it")


def _newline_inside(text: str) -> bool:
    return re.search(r"\n[^\n\r]", text) is not None


def _tail(text: str) -> int:
    return len(text) - len(text.rstrip("\n"))


def _before(here: Sequence[_Placed], position: int) -> int | None:
    """The byte at which the character at ``position`` starts; ``None`` where none of these stands there."""
    for one in here:
        span = one.segment.span
        if one.start <= position < one.end and span is not None:
            if position == one.start or not one.segment.verbatim:
                return span.start
            return span.start + len(one.segment.text[: position - one.start].encode())
    return None


def _behind(here: Sequence[_Placed], position: int) -> int | None:
    """The byte behind the character before ``position``."""
    for one in here:
        span = one.segment.span
        if one.start < position <= one.end and span is not None:
            if position == one.end or not one.segment.verbatim:
                return span.end
            return span.start + len(one.segment.text[: position - one.start].encode())
    return None


def _content(read: Reader, file: str) -> bytes:
    content = read(file)
    if content is None:
        raise CannotWrite(f"{file} cannot be read")
    return content


def _shown(encodings: Sequence[str]) -> str:
    return " in ".join(reversed(encodings))
