"""Edits of a file of HCL: each is a few changed bytes, in the manner of the file.

A :class:`Writer` holds one file as it was read. Its methods say where something new stands and what goes with
something that is taken away, and give changes; several may be collected before :meth:`Writer.replacements` keeps
columns in line and turns characters into bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from shoreup.formats.edits import CannotWrite, Replacement
from shoreup.formats.hcl.alignment import Change, aligned, together
from shoreup.formats.hcl.lines import lines_of
from shoreup.formats.hcl.rendering import (
    NewAttribute,
    NewBlock,
    NewItem,
    Plain,
    entry_text,
    expression_text,
    item_text,
    items_text,
    key_text,
    quoted,
    template_text,
)
from shoreup.formats.hcl.style import has_empty_line, indentation, neighbours, own_items, style_of
from shoreup.formats.hcl.syntax import Attribute, Block, Body, Expression, File, ListOf, ObjectOf, Template, Text

Changes = tuple[Change, ...]


class Writer:
    """Writes into one file. Raises :class:`CannotWrite` for a file that cannot be read whole."""

    def __init__(self, file: File) -> None:
        source = file.source
        if source.path.endswith(".json"):
            raise CannotWrite(f"{source.path} is written in JSON, which is not edited yet")
        if file.problems or source.undecodable:
            line = file.problems[0].line if file.problems else source.line(source.undecodable[0])
            raise CannotWrite(f"{source.path} cannot be read from line {line} on")
        self.source = source
        self.text = source.text
        self.lines = lines_of(source.text)
        self.style = style_of(source, file.body, self.lines)
        self.body = file.body

    def replacements(self, changes: Iterable[Change]) -> tuple[Replacement, ...]:
        """The changes as bytes of the file, with whatever has to move to stay in line."""
        made = aligned(self.text, self.lines, together(changes), columns=self.style.columns)
        return tuple(
            self._replacement(change) for change in made if change.text != self.text[change.start : change.end]
        )

    def _replacement(self, change: Change) -> Replacement:
        span = self.source.span(change.start, change.end)
        text = change.text.replace("\r\n", "\n").replace("\n", self.style.newline)
        return Replacement(span.file, span.start, span.end, text.encode())

    # Arguments and blocks

    def insert_attribute(self, body: Body, name: str, value: Plain, *, last: Sequence[str] = ()) -> Changes:
        """A new argument: behind the arguments that stand before the first block, but before those named ``last``."""
        item = NewAttribute(name, value)
        items = own_items(body, self.source)
        blocks = [index for index, each in enumerate(items) if isinstance(each, Block)]
        early = items[: blocks[0]] if blocks else items
        group = [each for each in early if isinstance(each, Attribute) and each.name not in last]
        late = [each for each in items if isinstance(each, Attribute) and each.name not in last]
        if group or late:
            return self._behind(self._neighbour(group or late, item), item, body)
        return self._first(item, body, items)

    def _neighbour(self, group: Sequence[Attribute], item: NewAttribute) -> Attribute:
        """The last argument; for one of one line, the last such, for they stand together."""
        if "\n" in item_text(item, "", self.style):
            return group[-1]
        short = [each for each in group if "\n" not in self.text[each.start : each.end]]
        return short[-1] if short else group[-1]

    def insert_block(self, body: Body, block: NewBlock, *, behind: Sequence[Sequence[str]] = ()) -> Changes:
        """A new block: behind the last one of its kind, else behind the last one of the first group of kinds in
        ``behind`` that is there; an empty group stands for the arguments. Without any, it is the body's last."""
        items = own_items(body, self.source)
        for kinds in ((block.kind,), *behind):
            for item in reversed(items):
                if _written_kind(item) in kinds:
                    return self._behind(item, block, body)
            if not kinds:
                return self._behind_arguments(block, body, items)
        return self._behind(items[-1], block, body) if items else self._first(block, body, items)

    def _behind_arguments(self, block: NewBlock, body: Body, items: list[Attribute | Block]) -> Changes:
        early: Attribute | None = None
        for item in items:
            if isinstance(item, Block):
                break
            early = item
        return self._behind(early, block, body) if early else self._first(block, body, items)

    def add_block(self, behind: Block, block: NewBlock) -> Changes:
        """A new block of the file behind another one."""
        text = item_text(block, "", self.style)
        return (Change(*self._line_end(behind.end), f"\n\n{text}"),)

    def _behind(self, anchor: Attribute | Block, item: NewItem, body: Body) -> Changes:
        if self.on_one_line(body):
            return self.opened(body, (item,))
        indent = indentation(self.text, anchor.start)
        blank = self._is_apart(anchor, item, body)
        return (Change(*self._line_end(anchor.end), ("\n\n" if blank else "\n") + item_text(item, indent, self.style)),)

    def _first(self, item: NewItem, body: Body, items: list[Attribute | Block]) -> Changes:
        if not items and self._is_file(body):
            return (Change(0, 0, item_text(item, "", self.style) + "\n"),)
        if self.on_one_line(body):
            return self.opened(body, (item,))
        if self._is_file(body):
            apart = "\n\n" if "top" in self.style.blank else "\n"
            return (Change(items[0].start, items[0].start, item_text(item, "", self.style) + apart),)
        inner = indentation(self.text, items[0].start) if items else indentation(self.text, body.end) + self.style.unit
        text = "\n" + item_text(item, inner, self.style)
        if items:
            text += "\n" if self._blank_before(items[0], item) else ""
        return (Change(*self._line_end(body.start), text),)

    def opened(self, body: Body, new: Sequence[NewItem]) -> Changes:
        """A block on one line gets a line for each thing that is in it, and the new ones."""
        outer = indentation(self.text, body.start)
        inner = outer + self.style.unit
        lines = items_text(new, inner, self.style)
        items = own_items(body, self.source)
        if not items:
            return (Change(body.start, body.end, f"\n{lines}\n{outer}"),)
        only_blocks = all(isinstance(item, NewBlock) for item in new)
        apart = "\n\n" if only_blocks and "block" in self.style.blank else "\n"
        return (
            Change(body.start, items[0].start, f"\n{inner}"),
            Change(items[-1].end, body.end, f"{apart}{lines}\n{outer}"),
        )

    def _blank_before(self, after: Attribute | Block, new: NewItem) -> bool:
        if isinstance(after, Attribute):
            return isinstance(new, NewBlock)
        kind = "block" if isinstance(new, NewAttribute) else "same" if new.kind == after.kind else "other"
        return kind in self.style.blank

    def _is_apart(self, anchor: Attribute | Block, item: NewItem, body: Body) -> bool:
        """Whether an empty line stands between two items like these: here, or else in the file."""
        if isinstance(item, NewAttribute):
            return isinstance(anchor, Block)
        if self._is_file(body):
            return "top" in self.style.blank
        kind = "block" if isinstance(anchor, Attribute) else "same" if item.kind == anchor.kind else "other"
        items = own_items(body, self.source)
        here = [
            has_empty_line(self.text, before.end, after.start)
            for before, after in pairwise(items)
            if neighbours(before, after) == kind
        ]
        return here.count(True) >= here.count(False) if here else kind in self.style.blank

    def _is_file(self, body: Body) -> bool:
        return body.end >= len(self.text) or self.text[body.end] != "}"

    def on_one_line(self, body: Body) -> bool:
        """Whether something in a block stands on the line of one of its braces."""
        if self._is_file(body):
            return False
        items = own_items(body, self.source)
        if not items:
            return "\n" not in self.text[body.start : body.end]
        return "\n" not in self.text[body.start : items[0].start] or "\n" not in self.text[items[-1].end : body.end]

    def _line_end(self, offset: int) -> tuple[int, int]:
        """The end of a line as a place to put something in; white space at the end of it stays."""
        end = self.text.find("\n", offset)
        end = len(self.text) if end < 0 else end
        end -= self.text[end - 1 : end] == "\r"
        return end, end

    def remove(self, item: Attribute | Block, body: Body) -> Changes:
        """Take away an argument or a block, with the comments that belong to it alone."""
        if item.source.path != body.source.path:
            raise CannotWrite(f"it is said in {item.source.path}, which overrides {body.source.path}")
        items = own_items(body, self.source)
        if self.on_one_line(body):
            if len(items) == 1 and not self._has_comment(body.start, body.end):
                return (Change(body.start, body.end, ""),)
            raise CannotWrite(f"line {self.source.line(item.start)} of {self.source.path} holds more than this")
        return self._without_lines(item.start, item.end, body.start, body.end, isinstance(item, Block))

    def _has_comment(self, start: int, end: int) -> bool:
        return any(start <= line.start < end and (line.alone or line.comment >= 0) for line in self.lines)

    def _without_lines(self, start: int, end: int, floor: int, ceiling: int, whole: bool) -> Changes:
        """Whole lines go, the comment right above them too where nothing else follows that it may speak of."""
        first = next(index for index in reversed(range(len(self.lines))) if self.lines[index].start <= start)
        last = next(index for index in range(first, len(self.lines)) if self.lines[index].end >= end)
        above = first
        while above > 0 and self.lines[above - 1].alone and self.lines[above - 1].start >= floor:
            above -= 1
        following = self.lines[last + 1] if last + 1 < len(self.lines) else None
        alone = whole or following is None or following.blank or following.alone or following.end > ceiling
        if alone or above == 0:
            first = above if alone else first
        begin = self.lines[first].start
        stop = self.lines[last + 1].start if last + 1 < len(self.lines) else len(self.text)
        before = self.lines[first - 1] if first else None
        after = self.lines[last + 1] if last + 1 < len(self.lines) else None
        # one of two empty lines goes too, and an empty line that would be the first or the last of its block
        opens = before is None or before.end <= self._line_end(floor)[0]
        closes = after is None or after.end > ceiling or after.start >= ceiling
        if after is not None and after.blank and last + 2 < len(self.lines) and (opens or (before and before.blank)):
            stop = self.lines[last + 2].start
        elif before is not None and before.blank and closes and first:
            begin = before.start
        if last + 1 >= len(self.lines) and begin > 0 and not self.text.endswith("\n") and not self._ends_heredoc(begin):
            begin -= 2 if self.text[begin - 2 : begin] == "\r\n" else 1
        return (Change(begin, stop, ""),)

    def _ends_heredoc(self, start: int) -> bool:
        """Whether the line before is a word alone, the end of a heredoc: that needs its line break."""
        line = self.text[:start].rstrip("\r\n").rpartition("\n")[2].strip()
        return line.replace("-", "_").isidentifier()

    # Expressions

    def replace(self, node: Expression, value: Plain) -> Changes:
        """Another value in place of an expression."""
        indent = indentation(self.text, node.start)
        follows = self.text[node.end : self._line_end(node.end)[0]].strip()
        heredoc = not follows or self._is_heredoc(node)
        text = expression_text(value, indent, self.style, heredoc=heredoc)
        return (Change(node.start, node.end, text),)

    def _is_heredoc(self, node: Expression) -> bool:
        return isinstance(node, Template) and node.encoding == "hcl-heredoc"

    def put_run(self, node: Template, parts: Sequence[Text], value: str) -> Changes:
        """Another literal text for neighbouring parts of a template. Lines that stay the same keep their bytes."""
        first, last = 0, len(parts)
        while first < last and value.startswith(parts[first].value) and (parts[first].value.endswith("\n")):
            value = value[len(parts[first].value) :]
            first += 1
        while last > first and value.endswith(parts[last - 1].value) and _ends_line(parts, last - 1):
            value = value[: len(value) - len(parts[last - 1].value)]
            last -= 1
        start = parts[first].start if first < len(parts) else parts[-1].end
        end = parts[last - 1].end if last > first else start
        return (Change(start, end, self._literal(node, value, start, end)),)

    def _literal(self, node: Template, value: str, start: int, end: int) -> str:
        if node.encoding == "hcl-quoted":
            return quoted(value)[1:-1]
        line_start = self.text.rfind("\n", 0, start) + 1
        margin = self.text[line_start:start]
        if margin.strip(" \t"):
            margin = ""
        text = template_text(value)
        if not margin or "\n" not in text:
            return text
        lines = text.split("\n")
        return "\n".join([lines[0], *(margin + line if line else line for line in lines[1:])])

    def append_items(self, node: ListOf, values: Sequence[Plain]) -> Changes:
        """Items at the end of a list."""
        if not node.items:
            return self._into_empty(node, list(values))
        last = node.items[-1]
        indent = indentation(self.text, last.start)
        texts = [expression_text(value, indent, self.style) for value in values]
        comma = self._comma(last.end, node.end)
        if comma < 0 and self._is_heredoc(last):
            # nothing may follow the mark that ends a heredoc
            inner = indentation(self.text, node.start) + self.style.unit
            lines = (f"\n{inner},\n{inner}{expression_text(value, inner, self.style)}" for value in values)
            return (Change(*self._line_end(last.end), "".join(lines)),)
        if not self._begins_line(last.start):
            made = Change(last.end, last.end, "".join(f", {text}" for text in texts))
            return (*self._shifted_brace(last, texts[0]), made)
        if comma >= 0:
            return (Change(*self._line_end(comma), "".join(f"\n{indent}{text}," for text in texts)),)
        more = f"\n{indent}" + f",\n{indent}".join(texts)
        if self.text[last.end : self._line_end(last.end)[0]].lstrip().startswith(("#", "//", "/*")):
            return (Change(last.end, last.end, ","), Change(*self._line_end(last.end), more))
        return (Change(last.end, last.end, f",{more}"),)

    def _shifted_brace(self, last: Expression, text: str) -> Changes:
        """A line that closes one bracket and opens another is one step further in, as the formatter has it."""
        brace = last.end - 1
        if "\n" not in text or not self.style.columns or not self._begins_line(brace):
            return ()
        return (Change(brace, brace, self.style.unit),)

    def _into_empty(self, node: ListOf | ObjectOf, value: list[Plain] | dict[str, Plain]) -> Changes:
        """Into brackets with nothing in them but perhaps comments, which stay before what is new."""
        if not self._has_comment(node.start, node.end):
            text = expression_text(value, indentation(self.text, node.start), self.style)
            return (Change(node.start, node.end, text),)
        inner = indentation(self.text, node.end - 1) + self.style.unit
        if isinstance(value, dict):
            lines = [entry_text(key, item, inner, self.style) for key, item in value.items()]
        else:
            texts = [expression_text(item, inner, self.style) for item in value]
            lines = [f"{text}{',' if self.style.last_comma or text is not texts[-1] else ''}" for text in texts]
        end = self.text.rfind("\n", 0, node.end)
        end -= self.text[end - 1 : end] == "\r"
        return (Change(end, end, "".join(f"\n{inner}{line}" for line in lines)),)

    def remove_item(self, node: ListOf, index: int) -> Changes:
        """Take an item out of a list, with its comma."""
        item = node.items[index]
        return self._without_item(item.start, item.end, [(each.start, each.end) for each in node.items], index, node)

    def put_entries(self, node: ObjectOf, entries: Mapping[str, Plain]) -> Changes:
        """New entries at the end of an object."""
        if not node.items:
            return self._into_empty(node, dict(entries))
        last_key, last = node.items[-1]
        sign = self._sign(last_key.end, last.start)
        indent = indentation(self.text, last_key.start)
        commas = self._has_commas(node)
        texts = [
            f"{self._key(node, key)}{sign}{expression_text(value, indent, self.style, heredoc=not commas)}"
            for key, value in entries.items()
        ]
        if not self._begins_line(last_key.start):
            return (Change(last.end, last.end, "".join(f", {text}" for text in texts)),)
        comma = self._comma(last.end, node.end)
        if comma >= 0:
            return (Change(*self._line_end(comma), "".join(f"\n{indent}{text}," for text in texts)),)
        between = "," if commas else ""
        more = f"\n{indent}" + f"{between}\n{indent}".join(texts)
        if "\n" not in self.text[last.end : node.end]:
            # the brace closes on the last entry's line
            return (Change(last.end, last.end, between + more),)
        made: Changes = (Change(*self._line_end(last.end), more),)
        return (Change(last.end, last.end, ","), *made) if commas else made

    def _has_commas(self, node: ObjectOf) -> bool:
        """Whether commas stand between the entries of an object, or behind the last one."""
        for (_, value), (key, _) in pairwise(node.items):
            if self._comma(value.end, key.start) >= 0:
                return True
        return self._comma(node.items[-1][1].end, node.end) >= 0

    def remove_entry(self, node: ObjectOf, index: int) -> Changes:
        """Take an entry out of an object."""
        places = [(key.start, value.end) for key, value in node.items]
        return self._without_item(*places[index], places, index, node)

    def _without_item(
        self, start: int, end: int, places: Sequence[tuple[int, int]], index: int, node: ListOf | ObjectOf
    ) -> Changes:
        if len(places) == 1 and not self._has_comment(node.start, node.end):
            return (Change(node.start + 1, node.end - 1, ""),)
        comma = self._comma(end, node.end)
        stop = comma + 1 if comma >= 0 else end
        rest = self.text[stop : self._line_end(stop)[0]].strip()
        if self._begins_line(start) and (not rest or rest.startswith(("#", "//"))):
            made = self._without_lines(start, stop, node.start, node.end - 1, isinstance(node, ListOf))
            previous = places[index - 1][1] if index else -1
            if comma < 0 and index == len(places) - 1 and previous >= 0 and isinstance(node, ListOf):
                extra = self._comma(previous, start)
                return (Change(extra, extra + 1, ""), *made) if extra >= 0 else made
            return made
        if index + 1 < len(places):
            return (Change(start, places[index + 1][0], ""),)
        if index:
            return (Change(places[index - 1][1], end, ""),)
        return (Change(node.start + 1, node.end - 1, ""),)

    def _key(self, node: ObjectOf, key: str) -> str:
        keys = [self.text[each.start : each.end] for each, _ in node.items]
        bare = key_text(key)
        return f'"{bare}"' if all(each.startswith('"') for each in keys) and not bare.startswith('"') else bare

    def _sign(self, start: int, end: int) -> str:
        return ": " if ":" in self.text[start:end] else " = "

    def _comma(self, start: int, end: int) -> int:
        """Where the comma stands between two items; -1 where there is none."""
        offset = start
        while offset < end:
            if self.text[offset] == ",":
                return offset
            if self.text.startswith(("#", "//"), offset):
                offset = self._line_end(offset)[0]
            elif self.text.startswith("/*", offset):
                offset = self.text.find("*/", offset) + 2
            elif self.text[offset] in " \t\r\n":
                offset += 1
            else:
                break
        return -1

    def _begins_line(self, offset: int) -> bool:
        return not self.text[self.text.rfind("\n", 0, offset) + 1 : offset].strip(" \t\ufeff")


def _ends_line(parts: Sequence[Text], index: int) -> bool:
    """Whether a part begins a line, so that what is before it ends one."""
    return index > 0 and parts[index - 1].value.endswith("\n")


def _written_kind(item: Attribute | Block) -> str:
    if isinstance(item, Attribute):
        return ""
    return item.labels[0] if item.kind == "dynamic" and item.labels else item.kind
