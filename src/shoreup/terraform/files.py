"""The functions that read files, on the estate's files alone.

Paths are taken as Terraform takes them, relative to the root's directory. A file outside the estate is never
opened; a file that is encrypted is known to exist and no more.
"""

from __future__ import annotations

import posixpath

from shoreup.formats.files import FileTree
from shoreup.formats.hcl import Source, parse_template
from shoreup.formats.hcl.source import SyntaxProblem
from shoreup.formats.hcl.syntax import Template
from shoreup.model.value import PartialText, Unknown, Value
from shoreup.terraform.expressions import evaluate, render
from shoreup.terraform.functions import filesystem, hashes
from shoreup.terraform.operators import joined
from shoreup.terraform.scope import EvaluationError, Scope


def estate_path(root: str, path: str) -> str | None:
    """A path of a file function as a path in the estate; ``None`` where it leads outside."""
    if path.startswith(("/", "~")):
        return None
    joined = posixpath.normpath(posixpath.join(root, path))
    return None if joined.startswith("..") else joined


def call(tree: FileTree, root: str, name: str, values: list[Value], scope: Scope) -> Value:
    """Evaluate one file function. Raises :class:`EvaluationError` on wrong arguments."""
    if not values:
        raise EvaluationError(f"{name}() needs a path")
    if name == "templatestring":
        return _templatestring(values, scope)
    given = values[0]
    if isinstance(given, Unknown | PartialText):
        return Unknown(given.reason)
    if not isinstance(given, str):
        raise EvaluationError(f"{name}() needs a path")
    path = estate_path(root, given)
    if name == "fileexists":
        return path in tree if path is not None else Unknown(f"{given} lies outside the estate")
    if name == "fileset":
        return _fileset(tree, root, given, values)
    if path is None:
        return Unknown(f"{given} lies outside the estate", given)
    content = tree.read(path)
    if content is None:
        why = tree.skipped.get(path) or ("unreadable" if path in tree else "not in the estate")
        return Unknown(f"the file {path} is {why}", path)
    if name == "templatefile":
        return _templatefile(tree, path, content, values, scope)
    if name == "file":
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError:
            raise EvaluationError(f"the file {path} is not UTF-8") from None
    return hashes.of_content(name, content)


class BrokenTemplate(EvaluationError):
    """A template that is none. ``line`` is 1-based, 0 where the whole of it is meant."""

    def __init__(self, path: str, line: int, cause: str) -> None:
        super().__init__(f"{path}, line {line}: {cause}" if line else f"{path} is {cause}")
        self.line = line
        self.cause = cause


def read_template(path: str, content: bytes) -> Template:
    """Parse a template file. Raises :class:`BrokenTemplate`."""
    source = Source(path, content)
    if source.undecodable:
        raise BrokenTemplate(path, 0, "not UTF-8")
    try:
        return parse_template(source)
    except SyntaxProblem as problem:
        raise BrokenTemplate(path, source.line(problem.offset), problem.cause) from None


def template_scope(variables: dict[str, Value], scope: Scope) -> Scope:
    """What a template file sees: the variables that it is given, and functions."""
    return Scope(scope.module, variables, {}, closed=True)


def _templatefile(tree: FileTree, path: str, content: bytes, values: list[Value], scope: Scope) -> Value:
    try:
        template = read_template(path, content)
    except BrokenTemplate as problem:
        tree.error(path, problem.line, problem.cause, "the template")
        raise
    tree.templates.add(path)
    return rendered(template, values[1] if len(values) > 1 else {}, scope)


def _templatestring(values: list[Value], scope: Scope) -> Value:
    text = values[0]
    if isinstance(text, Unknown | PartialText):
        return Unknown(text.reason)
    if not isinstance(text, str):
        raise EvaluationError("templatestring() needs a string")
    return rendered(read_template("the template", text.encode()), values[1] if len(values) > 1 else {}, scope)


def rendered(template: Template, variables: Value, scope: Scope) -> Value:
    """What a template gives with these variables."""
    if isinstance(variables, Unknown | PartialText):
        return Unknown(variables.reason)
    if not isinstance(variables, dict):
        raise EvaluationError("a template needs a map of variables")
    if len(template.parts) == 1:
        return evaluate(template, template_scope(variables, scope))
    texts: list[str | Unknown] = []
    render(template.parts, template_scope(variables, scope), texts)
    return joined(texts)


def _fileset(tree: FileTree, root: str, directory: str, values: list[Value]) -> Value:
    pattern = values[1] if len(values) > 1 else None
    if isinstance(pattern, Unknown | PartialText):
        return Unknown(pattern.reason)
    base = estate_path(root, directory)
    if base is None:
        return Unknown(f"{directory} lies outside the estate")
    if not isinstance(pattern, str):
        raise EvaluationError("fileset() needs a pattern")
    return filesystem.fileset(base, pattern, tree.files)
