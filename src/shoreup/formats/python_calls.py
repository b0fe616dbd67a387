"""Calls in a Python program that wait for something outside of it, and what is done when they fail.

Python's own parser gives the places. Only calls whose meaning is certain from their dotted name are known: a session
under a name of its own may have its time-out and its retries set elsewhere.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator

from msgspec import Struct

from shoreup.formats.python_source import MAX_CHARS, dotted

_HTTP = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "request"})
_NETWORK = frozenset({f"requests.{verb}" for verb in _HTTP} | {"urllib.request.urlopen", "request.urlopen", "urlopen"})
_ASKING = frozenset({"get", "head", "options"})
_CHECKED = frozenset({"subprocess.check_call", "subprocess.check_output"})
_PROCESS = frozenset({f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output")})
_RETRYING = ("tenacity", "backoff", "retrying", "urllib3.util.retry", "stamina", "HTTPAdapter", "Retry")
_GLOBAL_TIMEOUT = "setdefaulttimeout"


class WaitingCall(Struct, frozen=True):
    """One call. ``kind`` is ``network`` or ``process``; ``name`` is it as written. ``timeout`` is in seconds.

    ``timed`` says whether it has a time-out at all; with one that only the run decides ``timeout`` is ``None``.
    ``retried`` says that it stands in a loop together with something that catches its failure. ``command`` is the
    first word of a process's command where it is literal.
    """

    kind: str
    name: str
    start: int
    end: int
    timed: bool
    timeout: float | None
    retried: bool
    command: str = ""
    repeatable: bool = False
    """A network call that only asks (GET, HEAD, OPTIONS), so that a second try does no harm."""
    fails_aloud: bool = True
    """A process whose failure is an exception: only then does anybody notice that it has to be tried again."""
    words: tuple[str, ...] = ()
    """A process's literal words; ``""`` stands for one that only the run decides."""
    fixed: tuple[int, int] | None = None
    """The characters of a literal time-out."""


def waiting_calls(text: str) -> tuple[WaitingCall, ...]:
    """Every such call, in the order of the text; none where the text is no Python."""
    if len(text) > MAX_CHARS:
        return ()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    where = Characters(text)
    library = any(word in text for word in _RETRYING)
    everywhere = _GLOBAL_TIMEOUT in text
    found = []
    requests_made = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and is_request(node)]
    for call, retried in _calls(tree, False, False, retrying(tree)):
        name = dotted(call.func)
        kind = "network" if name in _NETWORK else "process" if name in _PROCESS else ""
        if kind and not (kind == "network" and everywhere):
            start, end = where.span(call)
            timed, seconds, literal = _timeout(call, name)
            words = _words(call) if kind == "process" else ()
            found.append(
                WaitingCall(
                    kind,
                    name,
                    start,
                    end,
                    timed,
                    seconds,
                    retried or library,
                    words[0].rpartition("/")[2] if words else "",
                    kind == "network" and _only_asks(call, name, requests_made),
                    kind == "network" or name in _CHECKED or _true(call, "check"),
                    words,
                    where.span(literal) if literal is not None else None,
                )
            )
    return tuple(sorted(found, key=lambda one: one.start))


class Characters:
    """Turns ``ast``'s lines and byte columns into characters of the text."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line) + 1)

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """The first character and the one after the last."""
        return self._at(node.lineno, node.col_offset), self._at(node.end_lineno or 1, node.end_col_offset or 0)

    def _at(self, line: int, column: int) -> int:
        held = self._lines[line - 1].encode()[:column].decode(errors="ignore")
        return self._starts[line - 1] + len(held)


def retrying(tree: ast.Module) -> frozenset[str]:
    """The program's own functions that call what they are given, in a loop that catches its failure."""
    return frozenset(
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and any(_tries(loop, node) for loop in ast.walk(node))
    )


def _tries(loop: ast.AST, function: ast.FunctionDef) -> bool:
    if not isinstance(loop, ast.For | ast.While):
        return False
    given = {argument.arg for argument in (*function.args.posonlyargs, *function.args.args)}
    return any(
        isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in given
        for attempt in ast.walk(loop)
        if isinstance(attempt, ast.Try) and attempt.handlers
        for statement in attempt.body
        for call in ast.walk(statement)
    )


def _calls(node: ast.AST, in_loop: bool, retried: bool, trying: frozenset[str]) -> Iterator[tuple[ast.Call, bool]]:
    """Every call, with whether a loop around it tries again what failed."""
    for child in ast.iter_child_nodes(node):
        loop, again = in_loop, retried
        if isinstance(child, (ast.For, ast.While, ast.AsyncFor)):
            loop = True
        elif isinstance(child, ast.Try):
            again = retried or (in_loop and bool(child.handlers))
        elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            again = retried or bool(child.decorator_list)
        if isinstance(child, ast.Call):
            yield child, again
            if isinstance(child.func, ast.Name) and child.func.id in trying:
                again = True
        yield from _calls(child, loop, again, trying)


def _only_asks(call: ast.Call, name: str, requests_made: list[ast.Call]) -> bool:
    verb = name.rpartition(".")[2]
    if verb in _ASKING:
        return True
    if verb == "request":
        first = call.args[0] if call.args else None
        return isinstance(first, ast.Constant) and str(first.value).lower() in _ASKING
    if verb != "urlopen" or not call.args or len(call.args) > 1 or any(one.arg == "data" for one in call.keywords):
        return False
    asked = call.args[0]
    if isinstance(asked, ast.Constant | ast.JoinedStr | ast.BinOp):
        return True
    if isinstance(asked, ast.Call) and is_request(asked):
        return _plain_request(asked)
    return all(_plain_request(one) for one in requests_made)


def is_request(call: ast.Call) -> bool:
    """Whether it makes a request of urllib, to be sent later."""
    return dotted(call.func) in ("Request", "request.Request", "urllib.request.Request")


def _plain_request(call: ast.Call) -> bool:
    if len(call.args) > 1 or any(one.arg in (None, "data") for one in call.keywords):
        return False
    method = next((one.value for one in call.keywords if one.arg == "method"), None)
    return method is None or (isinstance(method, ast.Constant) and str(method.value).lower() in _ASKING)


def _true(call: ast.Call, name: str) -> bool:
    return any(
        one.arg == name and isinstance(one.value, ast.Constant) and bool(one.value.value) for one in call.keywords
    )


def _timeout(call: ast.Call, name: str) -> tuple[bool, float | None, ast.expr | None]:
    for keyword in call.keywords:
        if keyword.arg is None:
            return True, None, None
        if keyword.arg == "timeout":
            value = keyword.value
            if isinstance(value, ast.Constant):
                held = value.value
                number = isinstance(held, (int, float)) and not isinstance(held, bool)
                seconds = float(held) if number and isinstance(held, (int, float)) else None
                return held is not None, seconds, value
            return True, None, None
    if name.endswith("urlopen") and len(call.args) > 2:
        return True, None, None
    return any(isinstance(argument, ast.Starred) for argument in call.args), None, None


def _words(call: ast.Call) -> tuple[str, ...]:
    first = call.args[0] if call.args else None
    if isinstance(first, (ast.List, ast.Tuple)):
        return tuple(
            one.value if isinstance(one, ast.Constant) and isinstance(one.value, str) else "" for one in first.elts
        )
    if isinstance(first, ast.Constant) and isinstance(first.value, str):
        return tuple(first.value.split())
    return ()
