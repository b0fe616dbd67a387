"""Text to :class:`Program`, by tree-sitter's Bash grammar.

The grammar's tree is walked once, in source order, so that ``set -e`` and assignments are known where a command
stands. Programs inside words are read by the same walk over the text that the inner shell would get, with a table
that leads each of its characters back to the outer text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import NamedTuple

import tree_sitter
import tree_sitter_bash

from shoreup.formats.shell.program import Assignment, Command, Frame, Options, Part, Program, Redirect, Word
from shoreup.formats.shell.wrappers import Inner, inner_commands

MAX_CHARS = 60_000
"""Longer texts are generated or data; they are not read, as the grammar needs quadratic time on what is not shell."""
MAX_DEPTH = 120
"""Nesting in the tree beyond which reading stops; people do not write such programs."""
MAX_NESTED = 5
"""Programs inside programs inside programs."""

HOLE = "\ue000"
"""Stands in the parsed text where a part is put in whose text is not known."""

_ASSIGNING = frozenset({"read", "mapfile", "readarray", "getopts", "unset"})
_KUBERNETES_REFERENCE = re.compile(r"\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")
_ANSI = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"', "e": "\x1b", "a": "\a", "b": "\b", "0": "\0"}
_GLOB = re.compile(r"[*?\[]")


class _Source(NamedTuple):
    """A text to parse; ``offsets[i]`` is the outer place of character ``i`` (one more for the end)."""

    text: str
    offsets: Sequence[int]
    holes: dict[int, Part]


def parse(
    text: str, gaps: Sequence[int] = (), environment: frozenset[str] = frozenset(), flags: Sequence[str] = ()
) -> Program:
    """Read a shell program.

    ``gaps`` are offsets in ``text`` at which something stands that is not known; it becomes an ``unknown`` part there.
    ``environment`` are names that Kubernetes replaces as ``$(NAME)`` before the shell starts; they become variables.
    ``flags`` are the options that the shell is started with (``-ec``).
    """
    if len(text) > MAX_CHARS:
        return Program(text, broken=((0, len(text)),))
    reader = _Reader()
    reader.read(_prepare(text, gaps, environment), (), 0, _with_flags(_shebang(text), flags))
    return reader.program(text)


def _prepare(text: str, gaps: Sequence[int], environment: frozenset[str]) -> _Source:
    pieces: list[tuple[int, int, Part]] = [(gap, gap, Part("unknown", "", gap, gap)) for gap in gaps]
    if environment:
        for match in _KUBERNETES_REFERENCE.finditer(text):
            escaped = match.start() > 0 and text[match.start() - 1] == "$"
            if match.group(1) in environment and not escaped:
                part = Part("variable", match.group(1), match.start(), match.end(), quoted=True)
                pieces.append((match.start(), match.end(), part))
    ticks = _backquoted(text) if "`" in text else []
    if not pieces and not ticks:
        return _Source(text, range(len(text) + 1), {})
    made: list[str] = []
    offsets: list[int] = []
    holes: dict[int, Part] = {}
    position = 0
    replaced: list[tuple[int, int, Part | str]] = [*pieces, *ticks]
    for start, end, held in sorted(replaced, key=lambda piece: piece[:2]):
        if start < position:
            continue
        made.append(text[position:start])
        offsets.extend(range(position, start))
        if isinstance(held, str):
            made.append(held)
            offsets.extend([start] * len(held))
        else:
            holes[len(offsets)] = held
            made.append(HOLE)
            offsets.append(start)
        position = end
    made.append(text[position:])
    offsets.extend(range(position, len(text) + 1))
    return _Source("".join(made), offsets, holes)


def _backquoted(text: str) -> list[tuple[int, int, str]]:
    """The backquotes of a text and what says the same: the grammar takes ``a-`date` `` for two words."""
    found: list[tuple[int, int, str]] = []
    quote = ""
    opened = -1
    for index, char in enumerate(text):
        if index and text[index - 1] == "\\" and quote != "'":
            if char == "`":
                return []  # one inside another
        elif char == "'" and quote != '"' and opened < 0:
            quote = "" if quote == "'" else "'"
        elif char == '"' and quote != "'" and opened < 0:
            quote = "" if quote == '"' else '"'
        elif char == "\n" and opened >= 0:
            return []
        elif char == "`" and quote != "'":
            if opened < 0:
                opened = index
            else:
                found.extend(((opened, opened + 1, "$("), (index, index + 1, ")")))
                opened = -1
    return found if opened < 0 and not quote else []


@cache
def _parser() -> tree_sitter.Parser:
    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))


@dataclass(slots=True)
class _Reader:
    commands: list[Command] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    functions: set[str] = field(default_factory=set)
    broken: list[tuple[int, int]] = field(default_factory=list)
    loop_variables: set[str] = field(default_factory=set)
    comments: list[tuple[int, int]] = field(default_factory=list)
    ids: int = 0

    def read(self, source: _Source, context: tuple[Frame, ...], nested: int, options: Options) -> None:
        content = source.text.encode("utf-8", "surrogatepass")
        tree = _parser().parse(content)
        walk = _Walk(self, source, content, context, nested, options)
        walk.visit(tree.root_node)

    def program(self, text: str) -> Program:
        commands = tuple(self.commands)
        pipelines: dict[int, list[tuple[int, int]]] = {}
        for command in commands:
            for frame in command.context:
                if frame.kind == "pipeline":
                    pipelines.setdefault(frame.id, []).append((frame.stage, command.index))
        return Program(
            text,
            commands,
            tuple(self.assignments),
            frozenset(self.functions),
            tuple(sorted(set(self.broken))),
            frozenset(self.loop_variables),
            tuple(sorted(self.comments)),
            {key: tuple(value) for key, value in pipelines.items()},
        )

    def new_id(self) -> int:
        self.ids += 1
        return self.ids


def _shebang(text: str) -> Options:
    first, _, _ = text.partition("\n")
    return _with_flags(Options(), first.split()[1:]) if first.startswith("#!") else Options()


def _with_flags(options: Options, words: Sequence[str]) -> Options:
    """``set -euo pipefail`` and ``set +e``, word by word."""
    letters = {"e": "errexit", "u": "nounset", "x": "xtrace"}
    names = {"errexit", "nounset", "xtrace", "pipefail"}
    changed: dict[str, bool] = {}
    on = True
    expects_name = False
    for word in words:
        if expects_name:
            expects_name = False
            if word in names:
                changed[word] = on
        elif re.fullmatch(r"[-+][A-Za-z]+", word):
            on = word[0] == "-"
            changed.update((letters[letter], on) for letter in word[1:] if letter in letters)
            expects_name = "o" in word[1:]
    return replace(options, **changed)


@dataclass(slots=True)
class _Walk:
    """One walk over one tree."""

    reader: _Reader
    source: _Source
    content: bytes
    context: tuple[Frame, ...]
    nested: int
    options: Options
    depth: int = 0
    bytes_to_chars: list[int] | None = None
    redirects: tuple[Redirect, ...] = ()

    def __post_init__(self) -> None:
        if len(self.content) != len(self.source.text):
            table: list[int] = []
            for index, char in enumerate(self.source.text):
                table.extend([index] * len(char.encode("utf-8", "surrogatepass")))
            table.append(len(self.source.text))
            self.bytes_to_chars = table

    # Places

    def inner(self, byte: int) -> int:
        return self.bytes_to_chars[byte] if self.bytes_to_chars is not None else byte

    def outer(self, char: int) -> int:
        return self.source.offsets[char]

    def span(self, node: tree_sitter.Node) -> tuple[int, int]:
        """The node's place in the outer text."""
        start, end = self.inner(node.start_byte), self.inner(node.end_byte)
        return self.outer(start), self.after(end)

    def after(self, char: int) -> int:
        """The outer place just after the character before ``char``."""
        hole = self.source.holes.get(char - 1)
        if hole is not None:
            return hole.end
        return self.outer(char - 1) + 1 if char > 0 else self.outer(0)

    def raw(self, node: tree_sitter.Node) -> str:
        return self.content[node.start_byte : node.end_byte].decode("utf-8", "surrogatepass")

    # Statements

    @contextmanager
    def inside(self, *frames: Frame) -> Iterator[None]:
        before = self.context
        self.context = (*before, *frames)
        try:
            yield
        finally:
            self.context = before

    def frame(self, kind: str, name: str = "", words: tuple[Word, ...] = ()) -> Frame:
        return Frame(kind, self.reader.new_id(), name=name, words=words)

    def visit(self, node: tree_sitter.Node) -> None:
        if self.depth >= MAX_DEPTH:
            self.reader.broken.append(self.span(node))
            return
        self.depth += 1
        try:
            self._visit(node)
        finally:
            self.depth -= 1

    def visit_children(self, node: tree_sitter.Node) -> None:
        children = node.children
        for index, child in enumerate(children):
            if child.is_named or child.is_error:
                after = children[index + 1] if index + 1 < len(children) else None
                if after is not None and after.type == "&":
                    with self.inside(self.frame("background")):
                        self.visit(child)
                else:
                    self.visit(child)

    def _visit(self, node: tree_sitter.Node) -> None:
        kind = node.type
        if node.is_error:
            self.reader.broken.append(self.span(node))
            self.visit_children(node)
        elif kind == "command":
            self.command(node, [])
        elif kind in ("variable_assignment", "variable_assignments", "declaration_command"):
            self.declaration(node)
        elif kind == "redirected_statement":
            self.redirected(node)
        elif kind == "pipeline":
            self.pipeline(node)
        elif kind == "list":
            self.and_or(node)
        elif kind in ("for_statement", "select_statement"):
            self.loop(node)
        elif kind in ("while_statement", "if_statement", "elif_clause", "case_statement"):
            self.branch(node)
        elif kind == "function_definition":
            self.function(node)
        elif kind == "subshell":
            self.scoped(node, "subshell")
        elif kind == "compound_statement":
            with self.inside(self.frame("group")):
                self.visit_children(node)
        elif kind == "else_clause":
            with self.inside(self.frame("else")):
                self.visit_children(node)
        elif kind == "negated_command":
            with self.inside(self.frame("not")):
                self.visit_children(node)
        elif kind == "command_substitution":
            self.substitution(node, "substitution")
        elif kind == "process_substitution":
            self.substitution(node, "process")
        elif kind in ("expansion", "simple_expansion"):
            self.parts(node)
        elif kind == "comment":
            self.reader.comments.append(self.span(node))
        elif kind not in ("word", "raw_string", "number", "variable_name", "string_content"):
            self.visit_children(node)

    def scoped(self, node: tree_sitter.Node, kind: str) -> None:
        before = self.options
        with self.inside(self.frame(kind)):
            self.visit_children(node)
        self.options = before

    def redirected(self, node: tree_sitter.Node) -> None:
        body = node.child_by_field_name("body")
        redirects = [child for child in node.children if child.type.endswith("_redirect")]
        self.broken_children(node)
        if body is None:
            if redirects:
                self.add((), (), self.read_redirects(redirects)[0], node)
            return
        if body.type == "command":
            self.command(body, redirects)
            return
        made, _ = self.read_redirects(redirects)
        first = len(self.reader.commands)
        self.visit(body)
        self.hand_down(first, body, made)

    def broken_children(self, node: tree_sitter.Node) -> None:
        for child in node.children:
            if child.is_error:
                self.reader.broken.append(self.span(child))

    def hand_down(self, first: int, body: tree_sitter.Node, made: tuple[Redirect, ...]) -> None:
        """The grammar puts the redirections of ``a | b > f`` on the pipeline; the shell hands them to the last command.

        Those of a loop or group belong to every command in it that has none of its own.
        """
        while body.type in ("pipeline", "list", "negated_command") and body.named_children:
            body = body.named_children[-1]
        start = self.outer(self.inner(body.start_byte))
        for index in range(first, len(self.reader.commands)):
            command = self.reader.commands[index]
            if command.start < start:
                continue
            shielded = any(frame.kind in ("substitution", "process") for frame in command.context[len(self.context) :])
            if not shielded:
                self.reader.commands[index] = replace(command, redirects=(*command.redirects, *made))

    def pipeline(self, node: tree_sitter.Node) -> None:
        number = self.reader.new_id()
        for stage, child in enumerate(child for child in node.named_children if child.type != "comment"):
            before = self.options
            with self.inside(Frame("pipeline", number, stage)):
                self.visit(child)
            self.options = before

    def and_or(self, node: tree_sitter.Node) -> None:
        number = self.reader.new_id()
        operator = next((child.type for child in node.children if child.type in ("&&", "||")), "")
        after = False
        for child in node.children:
            if child.type in ("&&", "||"):
                after = True
            elif child.is_named or child.is_error:
                kind = ("and" if operator == "&&" else "or") if after else "tried"
                with self.inside(Frame(kind, number, name=operator)):
                    self.visit(child)

    def loop(self, node: tree_sitter.Node) -> None:
        variable = node.child_by_field_name("variable")
        name = self.raw(variable) if variable is not None else ""
        if name:
            self.reader.loop_variables.add(name)
        words = tuple(self.word(child) for child in node.children_by_field_name("value"))
        body = node.child_by_field_name("body")
        with self.inside(self.frame("for", name, words)):
            if body is not None:
                self.visit_children(body)

    def branch(self, node: tree_sitter.Node) -> None:
        kind = node.type.split("_")[0].replace("elif", "if")
        frame = self.frame(kind)
        for index, child in enumerate(node.children):
            if not (child.is_named or child.is_error):
                continue
            with self.inside(frame):
                if node.field_name_for_child(index) == "condition":
                    with self.inside(self.frame("condition")):
                        self.visit(child)
                else:
                    self.visit(child)

    def function(self, node: tree_sitter.Node) -> None:
        label = node.child_by_field_name("name")
        body = node.child_by_field_name("body")
        name = self.raw(label) if label is not None else ""
        self.reader.functions.add(name)
        before = self.options
        with self.inside(self.frame("function", name)):
            if body is not None:
                self.visit(body)
        self.options = before

    def substitution(self, node: tree_sitter.Node, kind: str) -> tuple[int, ...]:
        first = len(self.reader.commands)
        self.scoped(node, kind)
        return tuple(range(first, len(self.reader.commands)))

    def declaration(self, node: tree_sitter.Node, command: int = -1) -> None:
        exported = node.type == "declaration_command" and self.raw(node).startswith("export")
        items = [node] if node.type == "variable_assignment" else node.named_children
        for item in items:
            if item.type == "variable_assignment":
                self.reader.assignments.append(self.assignment(item, command, exported))
            elif item.type not in ("variable_name", "word", "comment"):
                self.visit(item)

    def assignment(self, node: tree_sitter.Node, command: int, exported: bool) -> Assignment:
        label = node.child_by_field_name("name")
        held = node.child_by_field_name("value")
        plain = label is not None and label.type == "variable_name" and any(c.type == "=" for c in node.children)
        start, end = self.span(node)
        value: Word | None = None
        if held is not None and held.type == "array":
            self.visit(held)
        elif held is not None:
            value = self.word(held)
        elif plain:
            value = Word((), end, end)
        function = next((frame.name for frame in reversed(self.context) if frame.kind == "function"), "")
        name = self.raw(label) if label is not None else ""
        name = name.partition("[")[0]
        return Assignment(name, value if plain else None, start, end, exported, command, function)

    # Commands

    def command(self, node: tree_sitter.Node, outside: list[tree_sitter.Node]) -> None:
        words: list[Word] = []
        assignments: list[Assignment] = []
        redirects: list[tree_sitter.Node] = []
        for child in node.children:
            if child.is_error:
                self.reader.broken.append(self.span(child))
            elif child.type == "variable_assignment":
                assignments.append(self.assignment(child, 0, False))
            elif child.type.endswith("_redirect"):
                redirects.append(child)
            elif child.type == "command_name":
                words.append(self.word(child.named_children[0] if child.named_children else child))
            elif child.is_named and child.type != "comment":
                words.append(self.word(child))
        made, surplus = self.read_redirects([*redirects, *outside])
        self.add((*words, *surplus), tuple(assignments), made, node)

    def add(
        self,
        words: tuple[Word, ...],
        assignments: tuple[Assignment, ...],
        redirects: tuple[Redirect, ...],
        node: tree_sitter.Node,
    ) -> None:
        start, end = self.span(node)
        index = len(self.reader.commands)
        assignments = tuple(replace(item, command=index) for item in assignments)
        self.reader.assignments.extend(assignments)
        command = Command(index, words, assignments, redirects, self.context, self.options, start, end)
        self.reader.commands.append(command)
        if command.name == "set":
            self.options = _with_flags(self.options, [word.text for word in command.arguments])
        elif command.name in _ASSIGNING:
            self.reader.loop_variables.update(word.literal for word in command.arguments if word.literal)
        for inner in inner_commands(command):
            self.add_inner(command, inner)

    def add_inner(self, command: Command, inner: Inner) -> None:
        if len([frame for frame in self.context if frame.kind in ("wrapped", "nested")]) >= MAX_NESTED * 2:
            return
        kinds = [Frame("remote", self.reader.new_id(), name=inner.name, parent=command.index)] if inner.remote else []
        if inner.program is not None:
            frames = (*kinds, Frame("nested", self.reader.new_id(), name=inner.name, parent=command.index))
            if self.nested < MAX_NESTED:
                source = _source_of(inner.program)
                options = _with_flags(Options(), inner.flags)
                self.reader.read(source, (*self.context, *frames), self.nested + 1, options)
            return
        kinds.append(Frame("wrapped", self.reader.new_id(), name=inner.name, parent=command.index))
        before = self.context
        self.context = (*before, *kinds)
        index = len(self.reader.commands)
        start, end = inner.words[0].start, inner.words[-1].end
        wrapped = Command(
            index, inner.words, command.assignments, command.redirects, self.context, self.options, start, end
        )
        self.reader.commands.append(wrapped)
        for further in inner_commands(wrapped):
            self.add_inner(wrapped, further)
        self.context = before

    def read_redirects(self, nodes: list[tree_sitter.Node]) -> tuple[tuple[Redirect, ...], tuple[Word, ...]]:
        """The redirections, and the arguments that the grammar takes for a second target (``> out --verbose``)."""
        made: list[Redirect] = []
        surplus: list[Word] = []
        for node in nodes:
            descriptor: int | None = None
            operator = ""
            targets: list[Word] = []
            for index, child in enumerate(node.children):
                label = node.field_name_for_child(index)
                if child.type == "file_descriptor":
                    descriptor = int(self.raw(child)) if self.raw(child).isdigit() else None
                elif not child.is_named and not operator:
                    operator = child.type
                elif child.type in ("heredoc_body", "heredoc_content"):
                    targets.insert(0, self.heredoc(node, child))
                elif child.type == "heredoc_start" or child.type == "heredoc_end":
                    continue
                elif label == "argument":
                    surplus.append(self.word(child))
                elif node.type == "heredoc_redirect":
                    self.visit(child)
                elif child.is_named:
                    targets.append(self.word(child))
            made.append(Redirect(operator, descriptor, targets[0] if targets else None))
            surplus.extend(targets[1:])
        return tuple(made), tuple(surplus)

    def heredoc(self, redirect: tree_sitter.Node, body: tree_sitter.Node) -> Word:
        label = next((self.raw(child) for child in redirect.children if child.type == "heredoc_start"), "")
        start, end = self.span(body)
        if any(char in label for char in "'\"\\"):
            return Word(tuple(self.literal(body.start_byte, body.end_byte, "raw", True)), start, end)
        return Word(tuple(self.parts(body)), start, end)

    # Words

    def word(self, node: tree_sitter.Node) -> Word:
        start, end = self.span(node)
        return Word(tuple(_joined(self.parts(node))), start, end)

    def parts(self, node: tree_sitter.Node) -> list[Part]:
        kind = node.type
        start, end = self.span(node)
        if kind in ("word", "number", "variable_name", "regex", "extglob_pattern", "special_variable_name"):
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
            return [Part(kind.split("_")[-1 if kind[0] == "c" else 0], self.raw(node), start, end, commands=commands)]
        if kind == "brace_expression":
            return [Part("glob", self.raw(node), start, end)]
        if kind == "arithmetic_expansion":
            self.visit_children(node)
            return [Part("arithmetic", self.raw(node), start, end)]
        if node.is_error:
            self.reader.broken.append((start, end))
        return self.literal(node.start_byte, node.end_byte, "word", False)

    def mixed(self, node: tree_sitter.Node, first: int, last: int, mode: str, quoted: bool) -> list[Part]:
        """Literal text with expansions in it. The grammar loses blanks, so the text is what lies between them."""
        parts: list[Part] = []
        position = first
        for child in node.named_children:
            if child.type in ("simple_expansion", "expansion", "command_substitution", "arithmetic_expansion"):
                parts.extend(self.literal(position, child.start_byte, mode, quoted))
                parts.extend(replace(part, quoted=quoted) for part in self.parts(child))
                position = child.end_byte
        parts.extend(self.literal(position, max(last, position), mode, quoted))
        return parts

    def variable(self, node: tree_sitter.Node) -> Part:
        start, end = self.span(node)
        label = next(
            (c for c in node.named_children if c.type in ("variable_name", "special_variable_name", "subscript")), None
        )
        if label is None:
            return Part("variable", "", start, end, operator=self.raw(node))
        name = self.raw(label)
        operator = ""
        if node.type == "expansion":
            whole = self.raw(node)
            before = self.content[node.start_byte : label.start_byte].decode("utf-8", "surrogatepass")
            operator = before[2:] + whole[len(before) + len(name) : -1]
            for child in node.named_children:
                if child is not label and child.type not in ("word", "regex"):
                    self.visit(child)
        if label.type == "subscript":
            name, operator = name.partition("[")[0], f"[{name.partition('[')[2]}{operator}"
        part = Part("variable", name, start, end, operator=operator)
        if operator.startswith((":=", "=")):
            value = Word((replace(part, operator=f":-{operator.partition('=')[2]}"),), start, end)
            self.reader.assignments.append(Assignment(name, value, start, end))
        return part

    def literal(self, first: int, last: int, mode: str, quoted: bool) -> list[Part]:
        """Text without expansions: quotes and escapes of ``mode`` removed, holes put back as their parts."""
        parts: list[Part] = []
        chars: list[str] = []
        places: list[int] = []
        globbing = decoded = False

        def close(end: int) -> None:
            nonlocal globbing, decoded
            if chars:
                start = self.outer(places[0])
                positions = tuple(self.outer(place) for place in places)
                plain = not decoded and all(position == start + index for index, position in enumerate(positions))
                kind = "glob" if globbing else "literal"
                parts.append(
                    Part(kind, "".join(chars), start, self.after(end), quoted, positions=None if plain else positions)
                )
            chars.clear()
            places.clear()
            globbing = decoded = False

        text = self.source.text
        index, stop = self.inner(first), self.inner(last)
        while index < stop:
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


def _joined(parts: list[Part]) -> Iterator[Part]:
    """Neighbouring literals as one, so that ``"a"'b'`` is one piece of text."""
    held: Part | None = None
    for part in parts:
        if held is not None and held.kind == part.kind == "literal":
            positions = (*_positions(held), *_positions(part))
            plain = held.positions is None and part.positions is None and part.start == held.start + len(held.text)
            held = replace(held, text=held.text + part.text, end=part.end, positions=None if plain else positions)
            continue
        if held is not None:
            yield held
        held = part
    if held is not None:
        yield held


def _positions(part: Part) -> tuple[int, ...]:
    if part.positions is not None:
        return part.positions or (part.start,) * len(part.text)
    return tuple(range(part.start, part.start + len(part.text)))


def _source_of(word: Word) -> _Source:
    """The program that an inner shell gets from a word. What the outer shell puts in becomes a hole."""
    text: list[str] = []
    offsets: list[int] = []
    holes: dict[int, Part] = {}
    for part in word.parts:
        if part.kind in ("literal", "glob"):
            text.append(part.text)
            offsets.extend(_positions(part))
        else:
            holes[len(offsets)] = part
            text.append(HOLE)
            offsets.append(part.start)
    last = word.parts[-1] if word.parts else None
    offsets.append(last.end if last is not None else word.end)
    return _Source("".join(text), offsets, holes)
