"""Words of the shell: quotes and escapes removed, what the run decides kept apart, every character in its place."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from sys import intern

import tree_sitter
from msgspec.structs import replace

from shoreup.formats.offsets import offsets
from shoreup.formats.shell.program import Assignment, Part, Word
from shoreup.formats.shell.source import HOLE, Source, positions_of

_ANSI = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"', "e": "\x1b", "a": "\a", "b": "\b", "0": "\0"}
_GLOB = re.compile(r"[*?\[]")
_SPECIAL = re.compile(rf"[*?\[\\{HOLE}]")

_PLAIN = frozenset({"word", "number", "variable_name", "regex", "extglob_pattern", "special_variable_name"})
_NAMES = frozenset({"variable_name", "special_variable_name", "subscript"})
_EXPANSIONS = frozenset({"simple_expansion", "expansion", "command_substitution", "arithmetic_expansion"})


class WordReader(ABC):
    """Reads the words of one tree. Whoever walks the statements says what a substitution holds.

    ``content`` is the source's text as UTF-8; ``broken`` collects what is not shell.
    """

    def __init__(self, source: Source, content: bytes, broken: list[tuple[int, int]]) -> None:
        self.source = source
        self.content = content
        self.broken = broken
        self.chars = _chars(source.text, content)
        self.outer = source.offsets
        """The outer place of each character."""
        self.after = _after(source)
        """The outer place behind each character's predecessor: where what ends here ends out there."""

    @abstractmethod
    def visit(self, node: tree_sitter.Node) -> None:
        """Read the commands in a node."""

    @abstractmethod
    def visit_children(self, node: tree_sitter.Node) -> None:
        """Read the commands in what a node holds."""

    @abstractmethod
    def substitution(self, node: tree_sitter.Node, kind: str) -> tuple[int, ...]:
        """Read a substitution; gives the indices of its commands."""

    @abstractmethod
    def assigned(self, assignment: Assignment) -> None:
        """Note what ``${name:=value}`` sets."""

    # Places

    def node_text(self, node: tree_sitter.Node, kind: str, commands: tuple[int, ...] = ()) -> Part:
        """A part that is left to the run, as it is written."""
        start, end = self.span(node)
        return Part(kind, self.raw(node), start, end, commands=commands)

    def span(self, node: tree_sitter.Node) -> tuple[int, int]:
        """The node's place in the outer text."""
        return self.outer[self.chars[node.start_byte]], self.after[self.chars[node.end_byte]]

    def raw(self, node: tree_sitter.Node) -> str:
        return self.content[node.start_byte : node.end_byte].decode("utf-8", "surrogatepass")

    def word(self, node: tree_sitter.Node) -> Word:
        parts = self.parts(node)
        return Word(tuple(joined(parts) if len(parts) > 1 else parts), *self.span(node))

    def parts(self, node: tree_sitter.Node) -> list[Part]:
        kind = node.type
        if kind in _PLAIN:
            if node.named_child_count and kind != "number":
                return self.mixed(node, node.start_byte, node.end_byte, "word", False)
            return self.literal(node.start_byte, node.end_byte, "word", False)
        if kind == "raw_string":
            return self.literal(node.start_byte + 1, node.end_byte - 1, "raw", True)
        if kind == "ansi_c_string":
            return self.literal(node.start_byte + 2, node.end_byte - 1, "ansi", True)
        if kind == "string":
            return self.mixed(node, node.start_byte + 1, node.end_byte - 1, "string", True)
        if kind == "translated_string":
            return [part for child in node.named_children for part in self.parts(child)]
        if kind == "heredoc_body":
            return self.mixed(node, node.start_byte, node.end_byte, "heredoc", True)
        if kind == "heredoc_content":
            return self.literal(node.start_byte, node.end_byte, "heredoc", True)
        if kind == "concatenation":
            return [part for child in node.children for part in self.parts(child)]
        if kind in ("simple_expansion", "expansion"):
            return [self.variable(node)]
        if kind in ("command_substitution", "process_substitution"):
            commands = self.substitution(node, "substitution" if kind == "command_substitution" else "process")
            return [self.node_text(node, kind.split("_")[-1 if kind[0] == "c" else 0], commands)]
        if kind == "brace_expression":
            return [self.node_text(node, "glob")]
        if kind == "arithmetic_expansion":
            self.visit_children(node)
            return [self.node_text(node, "arithmetic")]
        if node.is_error:
            self.broken.append(self.span(node))
        return self.literal(node.start_byte, node.end_byte, "word", False)

    def mixed(self, node: tree_sitter.Node, first: int, last: int, mode: str, quoted: bool) -> list[Part]:
        """Literal text with expansions in it. The grammar loses blanks, so the text is what lies between them."""
        parts: list[Part] = []
        position = first
        for child in node.named_children:
            if child.type in _EXPANSIONS:
                if position < child.start_byte:
                    parts += self.literal(position, child.start_byte, mode, quoted)
                held = self.parts(child)
                parts += [replace(part, quoted=True) for part in held] if quoted else held
                position = child.end_byte
        if position < last:
            parts += self.literal(position, last, mode, quoted)
        return parts

    def variable(self, node: tree_sitter.Node) -> Part:
        start, end = self.span(node)
        children = node.named_children
        label = next((child for child in children if child.type in _NAMES), None)
        if label is None:
            return Part("variable", "", start, end, operator=self.raw(node))
        name = intern(self.raw(label))
        operator = ""
        if node.type == "expansion":
            whole = self.raw(node)
            before = self.content[node.start_byte : label.start_byte].decode("utf-8", "surrogatepass")
            operator = before[2:] + whole[len(before) + len(name) : -1]
            for child in children:
                if child is not label and child.type not in ("word", "regex"):
                    self.visit(child)
        if label.type == "subscript":
            name, operator = name.partition("[")[0], f"[{name.partition('[')[2]}{operator}"
        part = Part("variable", name, start, end, operator=intern(operator))
        if operator.startswith((":=", "=")):
            value = Word((replace(part, operator=f":-{operator.partition('=')[2]}"),), start, end)
            self.assigned(Assignment(name, value, start, end))
        return part

    def literal(self, first: int, last: int, mode: str, quoted: bool) -> list[Part]:
        """Text without expansions: quotes and escapes of ``mode`` removed, holes put back as their parts."""
        text = self.source.text
        index, stop = self.chars[first], self.chars[last]
        if index < stop and not _SPECIAL.search(text, index, stop):
            start = self.outer[index]
            as_written = self.source.reworded.isdisjoint(self.outer[index:stop]) if self.source.reworded else True
            if as_written and self.outer[stop - 1] - start == stop - 1 - index:
                return [Part("literal", intern(text[index:stop]), start, self.after[stop], quoted)]
        parts: list[Part] = []
        chars: list[str] = []
        places: list[int] = []
        globbing = decoded = False

        def close(end: int) -> None:
            nonlocal globbing, decoded
            if chars:
                start = self.outer[places[0]]
                positions = tuple(map(self.outer.__getitem__, places))
                plain = not decoded and positions == tuple(range(start, start + len(positions)))
                # Where quotes or parentheses do not close, what stands for a backquote may be taken for text.
                plain = plain and self.source.reworded.isdisjoint(positions)
                kind = "glob" if globbing else "literal"
                parts.append(
                    Part(
                        kind,
                        intern("".join(chars)),
                        start,
                        self.after[end],
                        quoted,
                        positions=None if plain else positions,
                    )
                )
            chars.clear()
            places.clear()
            globbing = decoded = False

        while index < stop:
            found = _SPECIAL.search(text, index, stop)
            special = found.start() if found else stop
            if special > index:
                chars.append(text[index:special])
                places.extend(range(index, special))
                index = special
                continue
            char = text[index]
            if char == HOLE and index in self.source.holes:
                close(index)
                parts.append(self.source.holes[index])
            elif char == "\\" and index + 1 < stop and mode != "raw" and index + 1 not in self.source.holes:
                following = text[index + 1]
                if mode == "ansi":
                    chars.append(_ANSI.get(following, following))
                    places.append(index)
                    decoded = True
                elif following != "\n":
                    if mode in ("string", "heredoc") and following not in '$`"\\':
                        chars.append("\\")
                        places.append(index)
                    chars.append(following)
                    places.append(index + 1)
                index += 1
            else:
                globbing = globbing or (mode == "word" and not quoted and _GLOB.match(char) is not None)
                chars.append(char)
                places.append(index)
            index += 1
        close(stop)
        return parts


def joined(parts: list[Part]) -> Iterator[Part]:
    """Neighbouring literals as one, so that ``"a"'b'`` is one piece of text."""
    held: Part | None = None
    for part in parts:
        if held is not None and held.kind == part.kind == "literal":
            positions = (*positions_of(held), *positions_of(part))
            plain = held.positions is None and part.positions is None and part.start == held.start + len(held.text)
            held = replace(held, text=held.text + part.text, end=part.end, positions=None if plain else positions)
            continue
        if held is not None:
            yield held
        held = part
    if held is not None:
        yield held


def _chars(text: str, content: bytes) -> Sequence[int]:
    """The character that each byte of the text as UTF-8 belongs to."""
    if len(content) == len(text):
        return offsets(len(text))
    chars: list[int] = []
    for index, char in enumerate(text):
        chars.extend([index] * len(char.encode("utf-8", "surrogatepass")))
    return [*chars, len(text)]


def _after(source: Source) -> Sequence[int]:
    """For each character, and the place behind the last, the outer place just after the character before it."""
    length = len(source.text)
    if not source.holes and source.offsets is offsets(length):
        return source.offsets
    outer = source.offsets[:length]
    shared = offsets(max(outer, default=0) + 1)
    after = [source.offsets[0], *(shared[place + 1] for place in outer)]
    for index, part in source.holes.items():
        after[index + 1] = part.end
    return after
