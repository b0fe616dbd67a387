"""Paths as text, and the pattern of ``fileset``. Reading files is the evaluator's: it knows the module's folder."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from shoreup.model.value import Unknown, Value
from shoreup.terraform.functions.conversion import as_text
from shoreup.terraform.functions.kinds import TerraformSet, make_set
from shoreup.terraform.functions.signature import Function, Parameter


def clean(path: str) -> str:
    """The shortest equal path, as Go's ``filepath.Clean``."""
    shortest = posixpath.normpath(path) if path else "."
    return "/" + shortest.lstrip("/") if shortest.startswith("//") else shortest


def basename(path: str) -> Value:
    if not path:
        return "."
    return path.rstrip("/").rpartition("/")[2] or "/"


def dirname(path: str) -> Value:
    folder, slash, _ = path.rpartition("/")
    return clean(folder + slash)


def pathexpand(path: str) -> Value:
    if path.startswith("~"):
        return Unknown("the home folder is known only on the machine that applies")
    return path


def abspath(path: str) -> Value:
    if path.startswith("/"):
        return clean(path)
    return Unknown("the absolute path is known only on the machine that applies")


def fileset(folder: str, pattern: str, files: Iterable[str]) -> TerraformSet:
    """What ``fileset(folder, pattern)`` finds among ``files``; all paths are relative to one root."""
    matches = _glob(clean(posixpath.join(folder, pattern)))
    return make_set(posixpath.relpath(path, clean(folder)) for path in files if matches.fullmatch(path))


@lru_cache(maxsize=64)
def _glob(pattern: str) -> re.Pattern[str]:
    """A pattern with ``*``, ``**``, ``?``, ``[a-z]`` and ``{a,b}`` as a regular expression; ``**`` crosses folders."""
    steps: list[str] = []
    segments = pattern.split("/")
    for index, segment in enumerate(segments):
        last = index == len(segments) - 1
        if segment == "**":
            steps.append(".*" if last else "(?:[^/]+/)*")
        else:
            steps.append(_segment(segment) + ("" if last else "/"))
    try:
        return re.compile("".join(steps), re.DOTALL)
    except re.error:
        return re.compile(r"(?!)")


def _segment(segment: str) -> str:
    pieces: list[str] = []
    depth = position = 0
    while position < len(segment):
        char = segment[position]
        position += 1
        closing = segment.find("]", position + 1)
        if char == "*":
            if pieces[-1:] != ["[^/]*"]:
                pieces.append("[^/]*")
        elif char == "?":
            pieces.append("[^/]")
        elif char == "[" and closing >= 0:
            inside = segment[position:closing]
            negative = inside[:1] in ("!", "^")
            body = inside[negative:].replace("\\", "\\\\").replace("[", "\\[")
            pieces.append(f"[{'^' if negative else ''}{body}]")
            position = closing + 1
        elif char == "{" and "}" in segment[position:]:
            depth += 1
            pieces.append("(?:")
        elif char == "}" and depth:
            depth -= 1
            pieces.append(")")
        elif char == "," and depth:
            pieces.append("|")
        elif char == "\\" and position < len(segment):
            pieces.append(re.escape(segment[position]))
            position += 1
        else:
            pieces.append(re.escape(char))
    return "".join(pieces)


_PATH = Parameter("path", as_text)

FUNCTIONS: Mapping[str, Function] = {
    "abspath": Function(abspath, (_PATH,)),
    "basename": Function(basename, (_PATH,)),
    "dirname": Function(dirname, (_PATH,)),
    "pathexpand": Function(pathexpand, (_PATH,)),
}
