"""Putting time-outs and second tries into a Python program, in its own style, so that nothing else of it changes.

The program is text in somebody's file. What is put in is looked at by Python's own parser: without it, the program must
be the one that it was.
"""

from __future__ import annotations

import ast
import copy
import re
import warnings
from collections.abc import Iterable, Sequence

from msgspec import Struct

from shoreup.formats.python_calls import Characters, WaitingCall, retrying

TRIES = 5
"""With pauses of 1, 2, 4 and 8 seconds."""
_NAMES = ("retry", "try_again", "with_retries")
_INDENT = re.compile(r"^([ \t]+)\S", re.MULTILINE)


class Insertion(Struct, frozen=True, order=True):
    """``text`` in place of the characters ``start`` to ``end`` (exclusive) of the program."""

    start: int
    end: int
    text: str


def with_timeouts(text: str, calls: Iterable[WaitingCall], seconds: int) -> tuple[Insertion, ...] | str:
    """A time-out for each call, or why the program cannot be given them."""
    made: list[Insertion] = []
    for call in calls:
        if call.fixed is not None:
            made.append(Insertion(*call.fixed, str(seconds)))
            continue
        end = call.end - 1
        if text[end : call.end] != ")":
            return "where the call ends could not be found"
        inside = text[call.start : end].rstrip()
        last = call.start + len(inside)
        comma = "" if inside.endswith("(") else " " if inside.endswith(",") else ", "
        made.append(Insertion(last, last, f"{comma}timeout={seconds}"))
    before, after = _parsed(text), _parsed(applied(text, made))
    if before is None or after is None or ast.dump(_untimed(before)) != ast.dump(_untimed(after)):
        return "the program would not read as before"
    return tuple(made)


def with_retries(text: str, calls: Sequence[WaitingCall]) -> tuple[Insertion, ...] | str:
    """Each call inside a function that tries again with a growing pause, or why that cannot be."""
    tree = _parsed(text)
    if tree is None:
        return "the program could not be read"
    if "\n" not in text.strip():
        return "the program is a single line, in which no function can stand"
    if "\r" in text:
        return "its lines end as those of Windows do"
    if any(_bound_to_its_place(tree, text, call) for call in calls):
        return "a call needs what stands around it, and cannot be put into a function"
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} | _bound(tree)
    there = retrying(tree) & set(_NAMES)
    made: list[Insertion] = []
    if there:
        name = min(there)
    else:
        free = [one for one in _NAMES if one not in names]
        if not free or ("time" in names and not _imports_time(tree)):
            return "the names that it would take are in use in the program"
        name = free[0]
        made += _function(text, tree, name, calls)
    for call in calls:
        made.append(Insertion(call.start, call.start, f"{name}(lambda: "))
        made.append(Insertion(call.end, call.end, ")"))
    again = _parsed(applied(text, made))
    if again is None or ast.dump(_single(again, name, bool(there))) != ast.dump(_single(tree, name, bool(there))):
        return "the program would not read as before"
    return tuple(made)


def applied(text: str, made: Iterable[Insertion]) -> str:
    """The text with the insertions made; those at one place keep their order."""
    for one in sorted(made, key=lambda one: one.start, reverse=True):
        text = text[: one.start] + one.text + text[one.end :]
    return text


def _parsed(text: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _function(text: str, tree: ast.Module, name: str, calls: Sequence[WaitingCall]) -> list[Insertion]:
    """The function behind the imports that the program begins with, with the import that it needs."""
    where = Characters(text)
    head = _head(tree)
    end = where.span(head[-1])[1] if head else _shebang(text)
    # A comment behind the last import belongs to its line.
    end = text.find("\n", end) if head and "\n" in text[end:] else end
    found = _INDENT.search(text)
    step = found.group(1) if found else "    "
    quote = "'" if text.count("'") > text.count('"') else '"'
    gap = "\n\n\n" if "\n\n\n" in text or not _INDENT.search(text) else "\n\n"
    caught = "Exception" if any(call.kind == "process" for call in calls) else "OSError"
    lines = (
        f"def {name}(call, tries={TRIES}):",
        f"{step}for attempt in range(1, tries + 1):",
        f"{step * 2}try:",
        f"{step * 3}return call()",
        f"{step * 2}except {caught} as problem:",
        f"{step * 3}print(f{quote}try {{attempt}} of {{tries}} failed: {{type(problem).__name__}}{quote}, flush=True)",
        f"{step * 3}if attempt == tries:",
        f"{step * 4}raise",
        f"{step * 3}time.sleep(2 ** (attempt - 1))",
    )
    wanted = "" if _imports_time(tree) else "import time"
    body = "\n".join(lines)
    if not head:
        opening = f"{wanted}{gap}" if wanted else ""
        return [Insertion(end, end, f"{opening}{body}{gap}")]
    follows = text[end:]
    missing = len(gap) - (len(follows) - len(follows.lstrip("\n")))
    more = "\n" * missing if follows.strip() else ""
    return [Insertion(end, end, f"{chr(10) + wanted if wanted else ''}{gap}{body}{more}")]


def _bound_to_its_place(tree: ast.Module, text: str, call: WaitingCall) -> bool:
    """Whether a call cannot be moved into a lambda: it waits, yields, binds a name, or stands in a class's own body."""
    where = Characters(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            own = [one for one in node.body if not isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
            if any(start <= call.start < end for start, end in map(where.span, own)):
                return True
        if isinstance(node, ast.Call) and where.span(node) == (call.start, call.end):
            kinds = ast.Await | ast.Yield | ast.YieldFrom | ast.NamedExpr
            return any(isinstance(inner, kinds) for inner in ast.walk(node))
    return True


def _head(tree: ast.Module) -> list[ast.stmt]:
    """The docstring and the imports that the program begins with."""
    found: list[ast.stmt] = []
    for index, node in enumerate(tree.body):
        docstring = index == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not docstring and not isinstance(node, ast.Import | ast.ImportFrom):
            break
        found.append(node)
    return found


def _shebang(text: str) -> int:
    """Where the program begins behind its leading comments."""
    position = 0
    for line in text.splitlines(keepends=True):
        if not line.startswith("#"):
            break
        position += len(line)
    return position


def _imports_time(tree: ast.Module) -> bool:
    return any(
        alias.name == "time" and alias.asname is None
        for node in _head(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    )


def _bound(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found.update(alias.asname or alias.name.partition(".")[0] for alias in node.names)
    return found


# What the program is without what was put in


class _Untimed(ast.NodeTransformer):
    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        node.keywords = [one for one in node.keywords if one.arg != "timeout"]
        return node


class _Single(ast.NodeTransformer):
    def __init__(self, name: str) -> None:
        self._name = name

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        wrapped = isinstance(node.func, ast.Name) and node.func.id == self._name and len(node.args) == 1
        only = node.args[0] if wrapped else None
        return only.body if isinstance(only, ast.Lambda) and isinstance(only.body, ast.Call) else node


def _untimed(tree: ast.Module) -> ast.AST:
    return _Untimed().visit(copy.deepcopy(tree))  # type: ignore[no-any-return]  # ast's own visitor is untyped


def _single(tree: ast.Module, name: str, there: bool) -> ast.AST:
    made = _without_time(tree)
    made.body = [node for node in made.body if there or not (isinstance(node, ast.FunctionDef) and node.name == name)]
    return _Single(name).visit(made)  # type: ignore[no-any-return]  # ast's own visitor is untyped


def _without_time(tree: ast.Module) -> ast.Module:
    made = copy.deepcopy(tree)
    made.body = [
        node
        for node in made.body
        if not (isinstance(node, ast.Import) and [one.name for one in node.names] == ["time"])
    ]
    return made
