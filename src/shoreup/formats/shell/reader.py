"""Text to :class:`Program`, by tree-sitter's Bash grammar.

The grammar's tree is walked once, in source order, so that ``set -e`` and assignments are known where a command
stands. Programs inside words are read by the same walk over the text that the inner shell would get, with a table
that leads each of its characters back to the outer text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from sys import intern

import tree_sitter
import tree_sitter_bash
from msgspec import Struct, field
from msgspec.structs import replace

from shoreup.formats.shell.program import Assignment, Command, Frame, Options, Program, Redirect, Word
from shoreup.formats.shell.source import Source, prepare, source_of
from shoreup.formats.shell.words import WordReader
from shoreup.formats.shell.wrappers import Inner, inner_commands

MAX_CHARS = 60_000
"""Longer texts are generated or data; they are not read, as the grammar needs quadratic time on what is not shell."""
MAX_DEPTH = 120
"""Nesting in the tree beyond which reading stops; people do not write such programs."""
MAX_NESTED = 5
"""Programs inside programs inside programs."""

_ASSIGNING = frozenset({"read", "mapfile", "readarray", "getopts", "unset"})


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
    reader.read(prepare(text, gaps, environment), (), 0, _with_flags(_shebang(text), flags))
    return reader.program(text)


@cache
def _parser() -> tree_sitter.Parser:
    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))


class _Reader(Struct):
    commands: list[Command] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    functions: set[str] = field(default_factory=set)
    broken: list[tuple[int, int]] = field(default_factory=list)
    loop_variables: set[str] = field(default_factory=set)
    comments: list[tuple[int, int]] = field(default_factory=list)
    ids: int = 0

    def read(self, source: Source, context: tuple[Frame, ...], nested: int, options: Options) -> None:
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


class _Walk(WordReader):
    """One walk over one tree."""

    def __init__(
        self, reader: _Reader, source: Source, content: bytes, context: tuple[Frame, ...], nested: int, options: Options
    ) -> None:
        super().__init__(source, content, reader.broken)
        self.reader = reader
        self.context = context
        self.nested = nested
        self.options = options
        self.depth = 0

    def assigned(self, assignment: Assignment) -> None:
        """Note what ``${name:=value}`` sets."""
        self.reader.assignments.append(assignment)

    # Statements

    def frame(self, kind: str, name: str = "", words: tuple[Word, ...] = ()) -> Frame:
        return Frame(kind, self.reader.new_id(), name=name, words=words)

    def visit(self, node: tree_sitter.Node, *frames: Frame) -> None:
        """Read the commands in a node, inside of these frames."""
        if self.depth >= MAX_DEPTH:
            self.reader.broken.append(self.span(node))
            return
        before = self.context
        if frames:
            self.context = (*before, *frames)
        self.depth += 1
        _STATEMENTS.get(node.type, _Walk.visit_children)(self, node)
        self.depth -= 1
        self.context = before

    def visit_children(self, node: tree_sitter.Node, *frames: Frame) -> None:
        """Read the commands in what a node holds, inside of these frames."""
        before = self.context
        if frames:
            self.context = (*before, *frames)
        children = node.children
        for index, child in enumerate(children, 1):
            if child.is_named:
                if index < len(children) and children[index].type == "&":
                    self.visit(child, self.frame("background"))
                else:
                    self.visit(child)
        self.context = before

    def error(self, node: tree_sitter.Node) -> None:
        self.reader.broken.append(self.span(node))
        self.visit_children(node)

    def comment(self, node: tree_sitter.Node) -> None:
        self.reader.comments.append(self.span(node))

    def group(self, node: tree_sitter.Node) -> None:
        self.visit_children(node, self.frame("group"))

    def otherwise(self, node: tree_sitter.Node) -> None:
        self.visit_children(node, self.frame("else"))

    def negated(self, node: tree_sitter.Node) -> None:
        self.visit_children(node, self.frame("not"))

    def subshell(self, node: tree_sitter.Node) -> None:
        self.scoped(node, "subshell")

    def substituted(self, node: tree_sitter.Node) -> None:
        self.substitution(node, "substitution")

    def piped(self, node: tree_sitter.Node) -> None:
        self.substitution(node, "process")

    def expanded(self, node: tree_sitter.Node) -> None:
        self.parts(node)

    def leaf(self, node: tree_sitter.Node) -> None:
        """Nothing in it runs."""

    def scoped(self, node: tree_sitter.Node, kind: str) -> None:
        before = self.options
        self.visit_children(node, self.frame(kind))
        self.options = before

    def redirected(self, node: tree_sitter.Node) -> None:
        body = node.child_by_field_name("body")
        redirects: list[tree_sitter.Node] = []
        for child in node.named_children:
            kind = child.type
            if kind.endswith("_redirect"):
                redirects.append(child)
            elif kind == "ERROR":
                self.reader.broken.append(self.span(child))
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

    def hand_down(self, first: int, body: tree_sitter.Node, made: tuple[Redirect, ...]) -> None:
        """The grammar puts the redirections of ``a | b > f`` on the pipeline; the shell hands them to the last command.

        Those of a loop or group belong to every command in it that has none of its own.
        """
        while body.type in ("pipeline", "list", "negated_command") and body.named_children:
            body = body.named_children[-1]
        start = self.outer[self.chars[body.start_byte]]
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
            self.visit(child, Frame("pipeline", number, stage))
            self.options = before

    def and_or(self, node: tree_sitter.Node) -> None:
        number = self.reader.new_id()
        operator = next((child.type for child in node.children if child.type in ("&&", "||")), "")
        after = False
        for child in node.children:
            if child.type in ("&&", "||"):
                after = True
            elif child.is_named:
                kind = ("and" if operator == "&&" else "or") if after else "tried"
                self.visit(child, Frame(kind, number, name=operator))

    def loop(self, node: tree_sitter.Node) -> None:
        variable = node.child_by_field_name("variable")
        name = self.raw(variable) if variable is not None else ""
        if name:
            self.reader.loop_variables.add(name)
        words = tuple(self.word(child) for child in node.children_by_field_name("value"))
        body = node.child_by_field_name("body")
        frame = self.frame("for", name, words)
        if body is not None:
            self.visit_children(body, frame)

    def branch(self, node: tree_sitter.Node) -> None:
        kind = node.type.split("_")[0].replace("elif", "if")
        frame = self.frame(kind)
        conditions = node.children_by_field_name("condition")
        for child in node.named_children:
            if child in conditions:
                self.visit(child, frame, self.frame("condition"))
            else:
                self.visit(child, frame)

    def function(self, node: tree_sitter.Node) -> None:
        label = node.child_by_field_name("name")
        body = node.child_by_field_name("body")
        name = self.raw(label) if label is not None else ""
        self.reader.functions.add(name)
        before = self.options
        frame = self.frame("function", name)
        if body is not None:
            self.visit(body, frame)
        self.options = before

    def substitution(self, node: tree_sitter.Node, kind: str) -> tuple[int, ...]:
        first = len(self.reader.commands)
        self.scoped(node, kind)
        return tuple(range(first, len(self.reader.commands)))

    def declaration(self, node: tree_sitter.Node) -> None:
        exported = node.type == "declaration_command" and self.raw(node).startswith("export")
        items = [node] if node.type == "variable_assignment" else node.named_children
        for item in items:
            if item.type == "variable_assignment":
                self.reader.assignments.append(self.assignment(item, -1, exported))
            elif item.type not in ("variable_name", "word", "comment"):
                self.visit(item)

    def assignment(self, node: tree_sitter.Node, command: int, exported: bool) -> Assignment:
        label = node.child_by_field_name("name")
        held = node.child_by_field_name("value")
        plain = label is not None and label.type == "variable_name" and self.content[label.end_byte] == ord("=")
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
        name = intern(name.partition("[")[0])
        return Assignment(name, value if plain else None, start, end, exported, command, function)

    # Commands

    def command(self, node: tree_sitter.Node, outside: list[tree_sitter.Node]) -> None:
        words: list[Word] = []
        assignments: list[Assignment] = []
        redirects: list[tree_sitter.Node] = []
        for child in node.named_children:
            kind = child.type
            if kind == "ERROR":
                self.reader.broken.append(self.span(child))
            elif kind == "variable_assignment":
                assignments.append(self.assignment(child, 0, False))
            elif kind.endswith("_redirect"):
                redirects.append(child)
            elif kind == "command_name":
                inside = child.named_children
                words.append(self.word(inside[0] if inside else child))
            elif kind != "comment":
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
        if assignments:
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
                source = source_of(inner.program)
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
                kind = child.type
                if kind == "file_descriptor":
                    descriptor = int(self.raw(child)) if self.raw(child).isdigit() else None
                elif not operator and not child.is_named:
                    operator = kind
                elif kind in ("heredoc_body", "heredoc_content"):
                    targets.insert(0, self.heredoc(node, child))
                elif kind in ("heredoc_start", "heredoc_end"):
                    continue
                elif node.field_name_for_child(index) == "argument":
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


_STATEMENTS: Mapping[str, Callable[[_Walk, tree_sitter.Node], None]] = {
    "ERROR": _Walk.error,
    "command": lambda walk, node: walk.command(node, []),
    "variable_assignment": _Walk.declaration,
    "variable_assignments": _Walk.declaration,
    "declaration_command": _Walk.declaration,
    "redirected_statement": _Walk.redirected,
    "pipeline": _Walk.pipeline,
    "list": _Walk.and_or,
    "for_statement": _Walk.loop,
    "select_statement": _Walk.loop,
    "while_statement": _Walk.branch,
    "if_statement": _Walk.branch,
    "elif_clause": _Walk.branch,
    "case_statement": _Walk.branch,
    "function_definition": _Walk.function,
    "subshell": _Walk.subshell,
    "compound_statement": _Walk.group,
    "else_clause": _Walk.otherwise,
    "negated_command": _Walk.negated,
    "command_substitution": _Walk.substituted,
    "process_substitution": _Walk.piped,
    "expansion": _Walk.expanded,
    "simple_expansion": _Walk.expanded,
    "comment": _Walk.comment,
    "word": _Walk.leaf,
    "raw_string": _Walk.leaf,
    "number": _Walk.leaf,
    "variable_name": _Walk.leaf,
    "string_content": _Walk.leaf,
}
"""What is read how; the commands in whatever is not named here are read in their order."""
