"""On which line of a TOML text each key stands.

The standard library reads TOML and forgets where. This reads the same text again for positions alone: it relies on
the text being valid, and decides nothing about values.
"""

from __future__ import annotations

import re
import tomllib

from shoreup.model.location import Route

_GAP = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_BLANK = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r"""
      \"{3}(?:\\.|[^\\])*?\"{3,5}
    | '{3}.*?'{3,5}
    | "(?:\\.|[^"\\\n])*"
    | '[^'\n]*'
    """,
    re.DOTALL | re.VERBOSE,
)
_SCALAR = re.compile(r"[^,\]}#\n]*")


def key_lines(text: str) -> dict[Route, int]:
    """The line (1-based) of every key, by its route; a table stands where its header stands.

    Raises :class:`tomllib.TOMLDecodeError` for a text that is no TOML.
    """
    tomllib.loads(text)
    reader = _Reader(text)
    reader.document()
    return reader.lines


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Route, int] = {}
        self._counts: dict[Route, int] = {}
        self._line = 1
        self._counted = 0

    def document(self) -> None:
        table: Route = ()
        while True:
            self._skip(_GAP)
            if self.at >= len(self.text):
                return
            if self.text.startswith("[[", self.at):
                self.at += 2
                line, route = self._here(), self._resolved(self._keys())
                self._counts[route] = self._counts.get(route, -1) + 1
                self.lines.setdefault(route, line)
                table = (*route, self._counts[route])
                self.lines[table] = line
                self.at += 2
            elif self.text.startswith("[", self.at):
                self.at += 1
                line, table = self._here(), self._resolved(self._keys())
                for length in range(1, len(table) + 1):
                    self.lines.setdefault(table[:length], line)
                self.at += 1
            else:
                self._pair(table)

    def _pair(self, table: Route) -> None:
        line = self._here()
        route = table
        for key in self._keys():
            route = (*route, key)
            self.lines.setdefault(route, line)
        self.at += 1  # the sign of equality
        self._value(route)

    def _value(self, route: Route) -> None:
        self._skip(_BLANK)
        sign = self.text[self.at : self.at + 1]
        if sign in {'"', "'"}:
            self._skip(_STRING)
        elif sign == "[":
            self.at += 1
            self._items(route)
        elif sign == "{":
            self.at += 1
            self._skip(_GAP)
            while self.at < len(self.text) and self.text[self.at] != "}":
                self._pair(route)
                self._separator()
            self.at += 1
        else:
            self._skip(_SCALAR)

    def _items(self, route: Route) -> None:
        self._skip(_GAP)
        index = 0
        while self.at < len(self.text) and self.text[self.at] != "]":
            self.lines[(*route, index)] = self._here()
            self._value((*route, index))
            self._separator()
            index += 1
        self.at += 1

    def _separator(self) -> None:
        self._skip(_GAP)
        if self.text[self.at : self.at + 1] == ",":
            self.at += 1
            self._skip(_GAP)

    def _keys(self) -> tuple[str, ...]:
        keys: list[str] = []
        while True:
            self._skip(_BLANK)
            start = self.at
            self._skip(_STRING if self.text[self.at : self.at + 1] in {'"', "'"} else _BARE_KEY)
            written = self.text[start : self.at]
            keys.append(next(iter(tomllib.loads(f"{written} = 0"))) if written[:1] in {'"', "'"} else written)
            self._skip(_BLANK)
            if self.text[self.at : self.at + 1] != ".":
                return tuple(keys)
            self.at += 1

    def _resolved(self, keys: tuple[str, ...]) -> Route:
        """A header's route: what lies in an array of tables lies in its last one."""
        route: Route = ()
        for position, key in enumerate(keys):
            route = (*route, key)
            if route in self._counts and position < len(keys) - 1:
                route = (*route, self._counts[route])
        return route

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at + 1

    def _here(self) -> int:
        self._line += self.text.count("\n", self._counted, self.at)
        self._counted = self.at
        return self._line
