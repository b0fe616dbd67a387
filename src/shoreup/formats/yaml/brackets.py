"""Collections in brackets, of YAML or JSON, on one line or on many."""

from __future__ import annotations

from shoreup.formats.yaml.changes import Change
from shoreup.formats.yaml.layout import Node, line_end, line_start
from shoreup.formats.yaml.rendering import Manner, Renderer
from shoreup.model.location import Route
from shoreup.model.value import Value


class Brackets:
    """Writes into them."""

    def __init__(self, text: str, manner: Manner, renderer: Renderer) -> None:
        self.text, self.manner, self.renderer = text, manner, renderer

    def add(self, node: Node, written: str, children: list[Node]) -> list[Change]:
        """A new member of a collection in brackets."""
        opening, closing = node.start + 1, node.end - 1
        if not children:
            padded = self.manner.padded and node.kind == "mapping" and not self.manner.json
            inside = f" {written} " if padded else written
            if self.manner.json and self._is_long(written):
                outer = self._indent_of(node.start)
                inside = f"{self.manner.newline}{outer}{self._step_text()}{written}{self.manner.newline}{outer}"
            return [Change(opening, closing, inside)]
        last = children[-1].end
        comma = self.text.find(",", last, closing)
        trailing = comma >= 0 and not self.text[last:comma].strip()
        begins = self._first(node, children[0])
        if "\n" not in self.text[opening:begins]:
            at_ = comma + 1 if trailing else last
            return [Change(at_, at_, f" {written}" if trailing else f", {written}")]
        indent = self._indent_of(self._first(node, children[-1]))
        line = self.manner.newline + indent + written + ("," if trailing else "")
        end = line_end(self.text, last)
        if end > closing:
            end = comma + 1 if trailing else last
        return [*([] if trailing else [Change(last, last, ",")]), Change(end, end, line)]

    def _first(self, node: Node, child: Node) -> int:
        for key, value in node.entries:
            if value is child:
                return key.begin
        return child.begin

    def entry(self, node: Node, key: str, value: Value) -> str:
        """``key: value`` for a mapping in braces."""
        if not self.manner.json:
            return self.renderer.flow_entry(key, value, (key,))
        return f"{self.renderer.key(key)}: {self.value(node, value, (key,))}"

    def value(self, holder: Node, value: Value, route: Route) -> str:
        """A value for a collection in brackets; ``route`` leads to it from what is rendered."""
        if not self.manner.json:
            return (
                self.renderer.flow_item(value, route) if holder.kind == "sequence" else self.renderer.flow(value, route)
            )
        children = [key for key, _ in holder.entries] or holder.items
        compact = bool(children) and "\n" not in self.text[holder.start : children[0].begin]
        if compact:
            return self.renderer.flow(value)
        indent = self._indent_of(children[-1].begin) if children else self._indent_of(holder.start) + self._step_text()
        return self.renderer.json_lines(value, indent, self._step_text())

    def _is_long(self, written: str) -> bool:
        return "\n" in self.text or "\n" in written

    def _indent_of(self, position: int) -> str:
        start = line_start(self.text, position)
        line = self.text[start:position]
        return line[: len(line) - len(line.lstrip(" \t"))]

    def _step_text(self) -> str:
        return "\t" if "\n\t" in self.text else " " * self.manner.step
