"""Python programs inside strings: which commands they start and what they remove, with the place of each.

Python's own parser gives the places. A call that starts a process becomes a shell command, so that whoever
understands ``pg_dump`` understands it here too.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from shoreup.formats.shell import Command, Frame, Options, Part, Program, Word, parse

MAX_CHARS = 200_000

_STARTING = frozenset({"run", "call", "check_call", "check_output", "Popen", "getoutput", "getstatusoutput"})
_SHELL_STARTING = frozenset({"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"})
_REMOVING = frozenset({"os.remove", "os.unlink", "shutil.rmtree", "os.rmdir"})
_REMOVING_METHODS = frozenset({"unlink", "delete_object", "delete_objects", "remove_object", "delete_blob"})


class PythonProgram(Struct, frozen=True, eq=False):
    """``commands`` are the processes that it starts, as a shell would; ``removals`` the places of calls that delete.

    ``broken`` says why the text could not be read; both are then empty.
    """

    commands: Program
    removals: tuple[tuple[int, int], ...] = ()
    broken: str = ""


def parse_python(text: str) -> PythonProgram:
    """Read a Python program. Never raises for what the text holds."""
    if len(text) > MAX_CHARS:
        return PythonProgram(Program(text), broken="too long")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as problem:
        return PythonProgram(Program(text), broken=str(problem).partition("\n")[0])
    lines = _Lines(text)
    commands: list[Command] = []
    removals: list[tuple[int, int]] = []
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = dotted(call.func)
        start, end = lines.span(call)
        if name in _REMOVING or name.rsplit(".", 1)[-1] in _REMOVING_METHODS:
            removals.append((start, end))
        elif name in _SHELL_STARTING or name.rsplit(".", 1)[-1] in _STARTING:
            for command in _commands(call, lines, name in _SHELL_STARTING):
                shifted = tuple(replace(frame, parent=-1) for frame in command.context)
                commands.append(replace(command, index=len(commands), context=shifted, start=start, end=end))
    return PythonProgram(Program(text, tuple(commands)), tuple(sorted(removals)))


def dotted(node: ast.expr) -> str:
    """A name such as ``urllib.request.urlopen`` as it is written; what begins with no name loses its beginning."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        names.append(node.id)
    return ".".join(reversed(names))


class _Lines:
    """Turns ``ast``'s lines and byte columns into characters of the text."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line) + 1)

    def span(self, node: ast.expr) -> tuple[int, int]:
        """The expression's first character and the one after its last."""
        return self._at(node.lineno, node.col_offset), self._at(node.end_lineno or 1, node.end_col_offset or 0)

    def _at(self, line: int, column: int) -> int:
        line = min(line, len(self.lines))
        held = self.lines[line - 1].encode()[:column].decode(errors="ignore")
        return self.starts[line - 1] + len(held)


def _commands(call: ast.Call, lines: _Lines, by_shell: bool) -> Iterator[Command]:
    if not call.args:
        return
    first = call.args[0]
    if isinstance(first, (ast.List, ast.Tuple)):
        words = tuple(_word(item, lines) for item in first.elts)
        start, end = lines.span(first)
        yield Command(0, words, (), (), (), Options(), start, end)
    elif by_shell or any(keyword.arg == "shell" for keyword in call.keywords):
        yield from _shell_commands(first, lines)


def _shell_commands(text: ast.expr, lines: _Lines) -> Iterator[Command]:
    word = _word(text, lines)
    start, end = lines.span(text)
    written = ""
    gaps: list[int] = []
    for part in word.parts:
        if part.kind == "unknown":
            gaps.append(len(written))
        written += f"${{{part.text}}}" if part.kind == "variable" else part.text
    frame = Frame("nested", 1, name="python")
    for command in parse(written, gaps).commands:
        # A Python literal's characters are not mapped one by one: everything points at the whole of it.
        words = tuple(
            Word(tuple(_moved(part, start, end) for part in item.parts), start, end) for item in command.words
        )
        yield replace(command, words=words, redirects=(), context=(frame, *command.context))


def _moved(part: Part, start: int, end: int) -> Part:
    return replace(part, start=start, end=end, positions=(), commands=())


def _word(node: ast.expr, lines: _Lines) -> Word:
    start, end = lines.span(node)
    return Word(tuple(_parts(node, start, end)), start, end)


def _parts(node: ast.expr, start: int, end: int) -> Sequence[Part]:
    if isinstance(node, ast.Constant) and isinstance(node.value, (str, int, float)):
        return (Part("literal", str(node.value), start, end, True, positions=()),)
    if isinstance(node, ast.JoinedStr):
        return [part for item in node.values for part in _parts(item, start, end)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [*_parts(node.left, start, end), *_parts(node.right, start, end)]
    name = _environment_name(node)
    if name:
        return (Part("variable", name, start, end, True),)
    return (Part("unknown", "", start, end, True),)


def _environment_name(node: ast.expr) -> str:
    """``os.environ["NAME"]``, ``os.environ.get("NAME")``, ``os.getenv("NAME")``."""
    if isinstance(node, ast.FormattedValue):
        return _environment_name(node.value)
    held: ast.expr | None = None
    if isinstance(node, ast.Subscript) and dotted(node.value) == "os.environ":
        held = node.slice
    elif isinstance(node, ast.Call) and dotted(node.func) in ("os.environ.get", "os.getenv") and node.args:
        held = node.args[0]
    return held.value if isinstance(held, ast.Constant) and isinstance(held.value, str) else ""
