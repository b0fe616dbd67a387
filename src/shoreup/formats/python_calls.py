"""Calls in a Python program that wait for something outside of it, and what is done when they fail.

Python's own parser gives the places. Only calls whose meaning is certain from their dotted name are known: a session
under a name of its own may have its time-out and its retries set elsewhere.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator

from msgspec import Struct

from shoreup.formats.python_source import MAX_CHARS

_HTTP = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "request"})
_NETWORK = frozenset({f"requests.{verb}" for verb in _HTTP} | {"urllib.request.urlopen", "request.urlopen", "urlopen"})
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
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    lines = text.split("\n")
    library = any(word in text for word in _RETRYING)
    everywhere = _GLOBAL_TIMEOUT in text
    found = []
    for call, retried in _calls(tree, False, False):
        name = _dotted(call.func)
        kind = "network" if name in _NETWORK else "process" if name in _PROCESS else ""
        if kind and not (kind == "network" and everywhere):
            start = starts[call.lineno - 1] + _characters(lines[call.lineno - 1], call.col_offset)
            last = (call.end_lineno or call.lineno) - 1
            end = starts[last] + _characters(lines[last], call.end_col_offset or 0)
            timed, seconds = _timeout(call, name)
            found.append(
                WaitingCall(
                    kind,
                    name,
                    start,
                    end,
                    timed,
                    seconds,
                    retried or library,
                    _command(call) if kind == "process" else "",
                )
            )
    return tuple(sorted(found, key=lambda one: one.start))


def _characters(line: str, column: int) -> int:
    return len(line.encode()[:column].decode(errors="ignore"))


def _calls(node: ast.AST, in_loop: bool, retried: bool) -> Iterator[tuple[ast.Call, bool]]:
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
        yield from _calls(child, loop, again)


def _timeout(call: ast.Call, name: str) -> tuple[bool, float | None]:
    for keyword in call.keywords:
        if keyword.arg is None:
            return True, None
        if keyword.arg == "timeout":
            value = keyword.value
            if isinstance(value, ast.Constant):
                held = value.value
                number = isinstance(held, (int, float)) and not isinstance(held, bool)
                return held is not None, float(held) if number and isinstance(held, (int, float)) else None
            return True, None
    if name.endswith("urlopen") and len(call.args) > 2:
        return True, None
    return any(isinstance(argument, ast.Starred) for argument in call.args), None


def _command(call: ast.Call) -> str:
    first = call.args[0] if call.args else None
    if isinstance(first, (ast.List, ast.Tuple)) and first.elts:
        first = first.elts[0]
    if isinstance(first, ast.Constant) and isinstance(first.value, str):
        return (first.value.split() or [""])[0].rpartition("/")[2]
    return ""


def _dotted(node: ast.expr) -> str:
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        names.append(node.id)
    return ".".join(reversed(names))
