"""Values and blocks as text of HCL's native syntax.

Text is made with ``\\n`` and a single space before equals signs; whoever puts it into a file gives it that file's
line ends and columns.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias, cast

from msgspec import Struct

from shoreup.formats.edits import CannotWrite
from shoreup.formats.hcl.style import Style
from shoreup.model.value import PartialText, Unknown, Value


class Code(Struct, frozen=True):
    """An expression as it stands in a file, such as ``var.port``; later lines without their common indentation.

    ``value`` is what it comes to, for places where no expression can stand.
    """

    text: str
    value: Value = None


Plain: TypeAlias = "bool | int | float | str | Code | Sequence[Plain] | Mapping[str, Plain] | None"
"""What can be written: plain data, with expressions in it."""


class NewAttribute(Struct, frozen=True):
    """``name = value``, yet to be written."""

    name: str
    value: Plain


class NewBlock(Struct, frozen=True):
    """``kind "label" { items }``, yet to be written. Arguments are written before blocks."""

    kind: str
    items: tuple[NewAttribute | NewBlock, ...] = ()
    labels: tuple[str, ...] = ()
    ordered: bool = False
    """Whether the items stay in this order; else arguments come first."""


NewItem: TypeAlias = NewAttribute | NewBlock

WIDTH = 100
"""Characters of the longest line that a list of words is still written on."""


def plain(value: Value) -> Plain:
    """A value as what can be written. Raises :class:`CannotWrite` for what is not known."""
    if isinstance(value, Unknown | PartialText):
        raise CannotWrite(f"a value that is not known cannot be written: {value.reason}")
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def data_in(value: Plain) -> Value:
    """What can be written as data, with what expressions come to instead of them."""
    if isinstance(value, Code):
        return value.value
    if isinstance(value, Mapping):
        return {key: data_in(item) for key, item in value.items()}
    return [data_in(item) for item in value] if isinstance(value, list | tuple) else cast("Value", value)


def item_text(item: NewItem, indent: str, style: Style) -> str:
    """An argument or block, indented, without a line end."""
    if isinstance(item, NewAttribute):
        return f"{indent}{item.name} = {expression_text(item.value, indent, style, heredoc=True)}"
    header = " ".join((item.kind, *map(quoted, item.labels)))
    if not item.items:
        return f"{indent}{header} {{}}"
    return (
        f"{indent}{header} {{\n{items_text(item.items, indent + style.unit, style, ordered=item.ordered)}\n{indent}}}"
    )


def items_text(items: Sequence[NewItem], indent: str, style: Style, *, ordered: bool = False) -> str:
    """Arguments and blocks with the blank lines that the file has between such."""
    arguments = [item for item in items if isinstance(item, NewAttribute)]
    sorted_items: list[NewItem] = [*arguments, *(item for item in items if isinstance(item, NewBlock))]
    placed = list(items) if ordered else sorted_items
    made = [item_text(item, indent, style) for item in placed[:1]]
    for before, after in pairwise(placed):
        behind_block = isinstance(before, NewBlock) and "block" in style.blank
        if _kind(before, after) in style.blank if isinstance(after, NewBlock) else behind_block:
            made.append("")
        made.append(item_text(after, indent, style))
    return "\n".join(made)


def _kind(before: NewItem, after: NewBlock) -> str:
    if isinstance(before, NewAttribute):
        return "block"
    return "same" if before.kind == after.kind else "other"


def expression_text(value: Plain, indent: str, style: Style, *, heredoc: bool = False) -> str:
    """A value as an expression. ``indent`` is that of the line it begins on.

    ``heredoc`` says that nothing follows it on its line, so that a text of several lines may be one.
    """
    if isinstance(value, Code):
        return value.text.replace("\n", f"\n{indent}")
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return (heredoc and _heredoc(value, indent, style)) or quoted(value)
    if isinstance(value, Mapping):
        if not value:
            return "{}"
        inner = indent + style.unit
        entries = (f"{inner}{entry_text(key, item, inner, style)}\n" for key, item in value.items())
        return f"{{\n{''.join(entries)}{indent}}}"
    return _list(value, indent, style)


def inline_text(value: Plain, style: Style) -> str:
    """A map of one or two words on one line; empty for anything else."""
    if not isinstance(value, Mapping) or not 0 < len(value) < 3:
        return ""
    entries = [f"{key_text(key)} = {expression_text(item, '', style)}" for key, item in value.items()]
    line = f"{{ {', '.join(entries)} }}"
    return line if "\n" not in line and len(line) <= WIDTH // 2 else ""


def entry_text(key: str, value: Plain, indent: str, style: Style) -> str:
    """An entry of an object that has a line of its own."""
    return f"{key_text(key)} = {expression_text(value, indent, style, heredoc=True)}"


def key_text(key: str) -> str:
    """A key of an object: a bare word where it is one."""
    return key if _WORD.fullmatch(key) and key not in _RESERVED else quoted(key)


_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_RESERVED = frozenset({"for", "null", "true", "false"})


def _list(items: Sequence[Plain], indent: str, style: Style) -> str:
    inline = [expression_text(item, indent, style) for item in items]
    line = f"[{', '.join(inline)}]"
    if "\n" not in line and len(indent) + len(line) <= WIDTH:
        return line
    inner = indent + style.unit
    lines = [f"{inner}{expression_text(item, inner, style)}" for item in items]
    return "[\n" + ",\n".join(lines) + f"{',' if style.last_comma else ''}\n{indent}]"


def quoted(text: str) -> str:
    """A string with every escape that it needs."""
    return f'"{_SPECIAL.sub(_escaped, text)}"'


_SPECIAL = re.compile(r'["\\\n\r\t]|[$%]\{|[\x00-\x1f\x7f\ufeff\ud800-\udfff]')
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "${": "$${", "%{": "%%{"}


def _escaped(match: re.Match[str]) -> str:
    found = match.group()
    if "\ud800" <= found <= "\udfff":
        raise CannotWrite("the text holds half of a character, which no file of Terraform can")
    return _ESCAPES.get(found) or f"\\u{ord(found):04x}"


def template_text(text: str) -> str:
    """Literal text for a heredoc or a template file, where there are no backslashes."""
    return text.replace("${", "$${").replace("%{", "%%{")


def _heredoc(text: str, indent: str, style: Style) -> str:
    """A text of several lines, as one that the file's author would write; empty where it cannot be one."""
    if not text.endswith("\n") or text.count("\n") < 2 or _UNFIT.search(text) or style.newline != "\n":
        return ""
    marker = style.heredoc.lstrip("<-")
    lines = text[:-1].split("\n")
    if any(line.strip() == marker for line in lines):
        return ""
    flush = style.heredoc.startswith("<<-")
    if not flush:
        return f"{style.heredoc}\n{template_text(text)}{marker}"
    # what all lines have in common is taken off when it is read, and a line of white space does not count
    inner = indent + style.unit
    full = [line for line in lines if line.strip()]
    if not full or all(line[0] in " \t" for line in full) or any(line and not line.strip() for line in lines):
        return ""
    body = "".join(f"{inner}{template_text(line)}\n" if line else "\n" for line in lines)
    return f"{style.heredoc}\n{body}{indent}{marker}"


_UNFIT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufeff\ud800-\udfff]|\r")
