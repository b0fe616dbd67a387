"""Plain values as YAML, in the manner of the text that they come into.

Nobody agrees on how YAML is written: lists indented or not, two blanks or four, quotes or none. Whoever adds to a file
does as the file does.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct

from shoreup.formats.edits import CannotWrite
from shoreup.formats.encodings import double_quoted, plain_text, spelled
from shoreup.formats.yaml.layout import Node
from shoreup.model.location import Route
from shoreup.model.value import Value

WIDEST_FLOW = 100
"""Characters of a list in brackets; a longer one is written line by line."""


class Manner(Struct, frozen=True):
    """How a text writes YAML.

    ``step`` is the indentation of a level, ``dash`` how far a list stands in from its key, ``quote`` the quotes that it
    uses and ``quotes`` whether it puts every text in them, ``brackets`` whether lists of words stand in one line,
    ``quoted_items`` whether the words are then in quotes, ``padded`` whether braces have blanks inside.
    """

    newline: str = "\n"
    step: int = 2
    dash: int = 2
    quote: str = '"'
    quotes: bool = False
    brackets: bool = False
    quoted_items: bool = False
    padded: bool = False
    json: bool = False


def manner_of(text: str, tops: Sequence[Node], *, is_json: bool = False) -> Manner:
    """The manner of a text whose documents have these top nodes."""
    seen = _Habits(text)
    for top in tops:
        for node in top.walk():
            seen.note(node)
    step = _most(seen.steps, 2)
    if is_json:
        found = re.search(r"\n( +|\t+)\S", text)
        step = len(found[1]) if found else 2
    single, double = seen.quotes["'"], seen.quotes['"']
    bare = seen.quotes[""] - seen.keys
    return Manner(
        newline="\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n",
        step=step,
        dash=_most(seen.dashes, step),
        quote="'" if single > double else '"',
        quotes=single + double > 2 * max(bare, 0) + 2,
        brackets=seen.in_brackets[True] > seen.in_brackets[False],
        quoted_items=seen.quoted_items[True] > seen.quoted_items[False],
        padded=seen.padded[True] > seen.padded[False],
        json=is_json,
    )


class _Habits:
    """How often a text does each thing in each way."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.steps: Counter[int] = Counter()
        self.dashes: Counter[int] = Counter()
        self.quotes: Counter[str] = Counter()
        self.in_brackets: Counter[bool] = Counter()
        self.quoted_items: Counter[bool] = Counter()
        self.padded: Counter[bool] = Counter()
        self.keys = 0

    def note(self, node: Node) -> None:
        self.keys += len(node.entries)
        if node.kind == "scalar" and node.is_text:
            self.quotes[node.style] += 1
        elif node.kind == "sequence" and node.items and all(item.kind == "scalar" for item in node.items):
            self.in_brackets[node.flow] += 1
            if node.flow:
                self.quoted_items.update(item.style != "" for item in node.items if item.is_text)
        elif node.kind == "mapping" and node.flow and node.entries:
            self.padded[self._text[node.start + 1 : node.start + 2] == " "] += 1
        elif node.kind == "mapping" and not node.flow:
            self._note_indentation(node)

    def _note_indentation(self, mapping: Node) -> None:
        for _, value in mapping.entries:
            if value.kind == "mapping" and not value.flow and value.entries:
                self.steps[value.column - mapping.column] += 1
            elif value.kind == "sequence" and not value.flow and value.items:
                self.dashes[value.column - mapping.column] += 1


def _most(counted: Counter[int], default: int) -> int:
    likely = [(count, -value) for value, count in counted.items() if 0 <= value <= 8]
    return -max(likely)[1] if likely else default


class Renderer:
    """Writes values. ``spoken`` are texts to write instead of the values at these routes (an alias)."""

    def __init__(self, manner: Manner, spoken: Mapping[Route, str] | None = None) -> None:
        self.manner = manner
        self.spoken = spoken or {}

    # Blocks

    def entry(self, key: str, value: Value, column: int, route: Route = ()) -> str:
        """``key: value`` with its indentation; ``route`` leads to the value."""
        return " " * column + self.key(key) + ":" + self.after(value, column, route)

    def after(self, value: Value, column: int, route: Route = ()) -> str:
        """What stands behind the colon of a key in ``column``."""
        if isinstance(value, dict) and value and route not in self.spoken:
            entries = (self.entry(key, item, column + self.manner.step, (*route, key)) for key, item in value.items())
            return "".join(self.manner.newline + entry for entry in entries)
        if isinstance(value, list) and value and route not in self.spoken and not self._in_brackets(value):
            items = (self.item(item, column + self.manner.dash, (*route, index)) for index, item in enumerate(value))
            return "".join(self.manner.newline + item for item in items)
        return " " + self.inline(value, column + self.manner.step, route)

    def item(self, value: Value, column: int, route: Route = ()) -> str:
        """``- value`` with its indentation."""
        dash = " " * column + "- "
        inner = column + 2
        if route not in self.spoken:
            if isinstance(value, dict) and value:
                entries = [self.entry(key, item, inner, (*route, key)) for key, item in value.items()]
                return dash + self.manner.newline.join(entries)[inner:]
            if isinstance(value, list) and value and not self._in_brackets(value):
                items = [self.item(item, inner, (*route, index)) for index, item in enumerate(value)]
                return dash + self.manner.newline.join(items)[inner:]
        return dash + self.inline(value, inner, route)

    def inline(self, value: Value, indent: int, route: Route = (), *, style: str = "") -> str:
        """A scalar or a collection in brackets; lines of a text are indented by ``indent``."""
        if route in self.spoken:
            return self.spoken[route]
        if isinstance(value, str):
            block = self.block_text(value, indent) if style not in ('"', "'") else None
            return block or self.text(value, style=style)
        return self.flow(value, route)

    def block_text(self, value: str, indent: int) -> str | None:
        """A text of several lines as a block; ``None`` where it has one line or cannot be a block."""
        body = value.rstrip("\n")
        if "\n" not in body or spelled(value, ("yaml-literal",)) is None or "\r" in value or "\t" in value[:1]:
            return None
        if body.startswith((" ", "\n")) or any(line and not line.strip() for line in body.split("\n")):
            return None
        ends = len(value) - len(body)
        sign = "|" + ("-" if ends == 0 else "" if ends == 1 else "+")
        lines = [" " * indent + line if line else "" for line in body.split("\n")]
        return self.manner.newline.join([sign, *lines, *[""] * (ends - 1)])

    # Lines

    def text(self, value: str, *, flow: bool = False, style: str = "") -> str:
        """A text in one line; ``style`` is a quote to keep where it can be kept."""
        if self.manner.json:
            return json.dumps(value, ensure_ascii=False)
        if not style and not self.manner.quotes and plain_text(value, flow=flow):
            return value
        quote = style or self.manner.quote
        single = spelled(value, ("yaml-single",))
        inside = double_quoted(value)
        if single is not None and (quote == "'" or ("\\" in inside and "'" not in value and style != '"')):
            return f"'{single}'"
        return f'"{inside}"'

    def key(self, name: str) -> str:
        """A key."""
        if self.manner.json:
            return json.dumps(name, ensure_ascii=False)
        return name if plain_text(name) else self.text(name, style=self.manner.quote)

    def flow(self, value: Value, route: Route = ()) -> str:
        """A value in one line."""
        if route in self.spoken:
            return self.spoken[route]
        if isinstance(value, dict):
            inner = ", ".join(f"{self._flow_key(key)}: {self.flow(item, (*route, key))}" for key, item in value.items())
            return f"{{ {inner} }}" if self.manner.padded and inner else f"{{{inner}}}"
        if isinstance(value, list):
            return "[" + ", ".join(self.flow_item(item, (*route, index)) for index, item in enumerate(value)) + "]"
        if isinstance(value, str):
            return self.text(value, flow=True)
        if value is None or isinstance(value, (bool, int, float)):
            return json.dumps(value)
        raise CannotWrite("a value that is not known cannot be written")

    def flow_item(self, value: Value, route: Route = ()) -> str:
        """An item of a list in brackets."""
        if isinstance(value, str) and self.manner.quoted_items and route not in self.spoken:
            return self.text(value, flow=True, style=self.manner.quote)
        return self.flow(value, route)

    def flow_entry(self, key: str, value: Value, route: Route = ()) -> str:
        """``key: value`` for a mapping in braces."""
        return f"{self._flow_key(key)}: {self.flow(value, route)}"

    def json_lines(self, value: Value, indent: str, step: str) -> str:
        """A value as JSON over several lines, of which all but the first begin with ``indent``."""
        lines = json.dumps(value, ensure_ascii=False, indent=step).split("\n")
        return (self.manner.newline + indent).join(lines)

    def _flow_key(self, name: str) -> str:
        if self.manner.json:
            return json.dumps(name, ensure_ascii=False)
        return name if plain_text(name, flow=True) else self.text(name, flow=True, style=self.manner.quote)

    def _in_brackets(self, value: list[Value]) -> bool:
        if not self.manner.brackets or any(isinstance(item, (dict, list)) for item in value):
            return False
        if any(isinstance(item, str) and "\n" in item for item in value):
            return False
        return len(self.flow(value)) <= WIDEST_FLOW
