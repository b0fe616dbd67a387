"""Our reading of HCL against HashiCorp's own parser, on the example platform and on snippets that are hard to read.

``@cdktf/hcl2json`` is that parser, compiled for node. It writes a file as JSON, with every expression as the text
that stands in the file, and gives the tree of one expression. Both are compared.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pytest

from shoreup.formats.hcl import Source, parse_expression, parse_file, syntax

JsonValue: TypeAlias = bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"] | None
Tree: TypeAlias = str | float | list["Tree"]

HERE = Path(__file__).parent
PACKAGE = HERE.parent / "environment" / "node_modules" / "@cdktf" / "hcl2json"
EXAMPLES = HERE.parents[1] / "examples"
SNIPPETS = sorted((HERE / "oracle").glob("*.tf"))
FILES = [*SNIPPETS, *sorted(EXAMPLES.rglob("*.tf"))]

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or not PACKAGE.is_dir(),
    reason="not run: node or the package @cdktf/hcl2json is missing (tests/environment/prepare brings it)",
)


def _ask(requests: Sequence[dict[str, str]]) -> list[dict[str, JsonValue]]:
    answer = subprocess.run(
        ["node", str(HERE / "oracle" / "read.cjs"), str(PACKAGE)],
        input=json.dumps(requests),
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    answers: list[dict[str, JsonValue]] = json.loads(answer.stdout)
    return answers


class Written:
    """A body of ours in the form of hcl2json."""

    def __init__(self, source: Source) -> None:
        self.text = source.text

    def body(self, body: syntax.Body) -> dict[str, JsonValue]:
        out: dict[str, JsonValue] = {name: self.value(item.expression) for name, item in body.attributes.items()}
        for block in body.blocks:
            place, key = out, block.kind
            for label in block.labels:
                inner = place.setdefault(key, {})
                assert isinstance(inner, dict)
                place, key = inner, label
            blocks = place.setdefault(key, [])
            assert isinstance(blocks, list)
            blocks.append(self.body(block.body))
        return out

    def value(self, node: syntax.Expression) -> JsonValue:
        if isinstance(node, syntax.Literal):
            return node.value
        if isinstance(node, syntax.Unary) and isinstance(node.operand, syntax.Literal):
            operand = node.operand.value
            if isinstance(operand, bool):
                return not operand
            assert isinstance(operand, (int, float))
            return -operand
        if isinstance(node, syntax.Template):
            wrapped = _wrapped(node)
            return self.parts(node.parts) if wrapped is None else self.value(wrapped)
        if isinstance(node, syntax.ListOf):
            return [self.value(item) for item in node.items]
        if isinstance(node, syntax.ObjectOf):
            return {self.key(key): self.value(value) for key, value in node.items}
        return self.source(node)

    def key(self, node: syntax.Expression) -> str:
        return self.string(node)

    def source(self, node: syntax.Expression) -> str:
        return "${" + self.text[node.start : node.end] + "}"

    def string(self, node: syntax.Expression) -> str:
        """An expression inside a template: conditionals are written as directives there."""
        if isinstance(node, syntax.Literal):
            return json.dumps(node.value)
        if isinstance(node, syntax.Template):
            wrapped = _wrapped(node)
            return self.parts(node.parts) if wrapped is None else self.string(wrapped)
        if isinstance(node, syntax.Conditional):
            return self.conditional(node.condition, self.string(node.then), self.string(node.otherwise))
        return self.source(node)

    def conditional(self, condition: syntax.Expression, then: str, otherwise: str) -> str:
        start = self.text[condition.start : condition.end]
        return f"%{{if {start}}}{then}" + (f"%{{else}}{otherwise}" if otherwise else "") + "%{endif}"

    def parts(self, parts: Sequence[syntax.Part]) -> str:
        return "".join(map(self.part, parts))

    def part(self, part: syntax.Part) -> str:
        if isinstance(part, syntax.Text):
            return part.value.replace("${", "$${").replace("%{", "%%{")
        if isinstance(part, syntax.Interpolation):
            return self.string(part.expression)
        if isinstance(part, syntax.IfDirective):
            return self.conditional(part.condition, self.parts(part.then), self.parts(part.otherwise))
        names = f"{part.key}, {part.item}" if part.key else part.item
        collection = self.text[part.collection.start : part.collection.end]
        return f"%{{for {names} in {collection}}}{self.parts(part.body)}%{{endfor}}"


def _wrapped(node: syntax.Template) -> syntax.Expression | None:
    """The expression of a string that is nothing but one interpolation."""
    if len(node.parts) == 1 and isinstance(node.parts[0], syntax.Interpolation) and node.encoding == "hcl-quoted":
        return node.parts[0].expression
    return None


_OPERATORS = {
    "!": "logicalNot",
    "-x": "negate",
    "+": "add",
    "-": "subtract",
    "*": "multiply",
    "/": "divide",
    "%": "modulo",
    "&&": "logicalAnd",
    "||": "logicalOr",
    "==": "equal",
    "!=": "notEqual",
    "<": "lessThan",
    "<=": "lessThanOrEqual",
    ">": "greaterThan",
    ">=": "greaterThanOrEqual",
}


def ours(node: syntax.Expression) -> Tree:
    """Our expression as a plain tree."""
    match node:
        case syntax.Literal():
            return ["literal", _number(json.dumps(node.value))]
        case syntax.Template():
            wrapped = _wrapped(node)
            return ["text", *_our_parts(node.parts)] if wrapped is None else ours(wrapped)
        case syntax.Name() | syntax.Attr() | syntax.Index():
            return _our_traversal(node)
        case syntax.Splat():
            return ["splat", ours(node.base), ours(node.each)]
        case syntax.SplatItem():
            return ["item"]
        case syntax.Call():
            return ["call", node.name, str(node.expands), *map(ours, node.arguments)]
        case syntax.Unary():
            return [_OPERATORS["-x" if node.operator == "-" else node.operator], ours(node.operand)]
        case syntax.Binary():
            return [_OPERATORS[node.operator], ours(node.left), ours(node.right)]
        case syntax.Conditional():
            return ["if", ours(node.condition), ours(node.then), ours(node.otherwise)]
        case syntax.Paren():
            return ["paren", ours(node.inner)]
        case syntax.ListOf():
            return ["list", *map(ours, node.items)]
        case syntax.ObjectOf():
            return ["object", *(side for key, value in node.items for side in (_our_key(key), ours(value)))]
    inner = [node.collection, node.result_key, node.result, node.condition]
    return ["for", node.key_name, node.item_name, str(node.grouped), *(ours(item) for item in inner if item)]


def _our_key(node: syntax.Expression) -> Tree:
    bare = isinstance(node, syntax.Template) and node.source.text[node.start : node.start + 1] != '"'
    return ["word"] if bare else ours(node)


def _our_traversal(node: syntax.Expression) -> Tree:
    if isinstance(node, syntax.Name):
        return ["ref", node.name]
    if isinstance(node, syntax.Attr):
        return _step(ours(node.base), f".{node.name}")
    assert isinstance(node, syntax.Index)
    key = node.key
    if isinstance(key, syntax.Literal) and not isinstance(key.value, bool) and key.value is not None:
        return _step(ours(node.base), f"[{key.value}]")
    if isinstance(key, syntax.Template) and key.constant is not None:
        return _step(ours(node.base), f'["{key.constant}"]')
    return ["index", ours(node.base), ours(key)]


def _step(base: Tree, step: str) -> Tree:
    return [*base, step] if isinstance(base, list) and base[0] in ("ref", "get") else ["get", base, step]


def _our_parts(parts: Sequence[syntax.Part]) -> Iterator[Tree]:
    literal = False
    for part in parts:
        if isinstance(part, syntax.Text):
            if part.value and not literal:
                yield "literal"
            literal = literal or bool(part.value)
            continue
        literal = False
        if isinstance(part, syntax.Interpolation):
            yield ours(part.expression)
        elif isinstance(part, syntax.IfDirective):
            yield ["if", ours(part.condition), ["text", *_our_parts(part.then)], ["text", *_our_parts(part.otherwise)]]
        else:
            yield ["for", part.key, part.item, "False", ours(part.collection), ["text", *_our_parts(part.body)]]


def theirs(node: JsonValue) -> Tree:
    """HashiCorp's expression as the same plain tree."""
    assert isinstance(node, dict)
    kind, meta, children = node["type"], node["meta"], node["children"]
    assert isinstance(meta, dict)
    assert isinstance(children, list)
    inner = [theirs(child) for child in children]
    if kind == "literalValue":
        return "literal" if meta["type"] == "string" else ["literal", _number(str(meta["value"]))]
    if kind == "template":
        return ["text", *(part for part, child in zip(inner, children, strict=True) if not _is_empty(child))]
    if kind in ("templateWrap", "templateJoin"):
        return inner[0]
    if kind in ("scopeTraversal", "relativeTraversal"):
        base: list[Tree] = ["ref"] if kind == "scopeTraversal" else ["get", *inner]
        return [*base, *_their_steps(meta["traversal"], kind == "scopeTraversal")]
    if kind == "function":
        return ["call", str(meta["name"]), str(meta["expandedFinalArgument"]), *inner]
    if kind == "for":
        return ["for", str(meta["keyVar"]), str(meta["valVar"]), str(meta["groupedValue"]), *inner]
    if kind in ("unaryOp", "binaryOp"):
        return [str(meta["operator"]), *inner]
    if kind == "object":
        return ["object", *(_their_key(side) if index % 2 == 0 else side for index, side in enumerate(inner))]
    if kind == "":
        return ["paren", *inner] if inner else ["item"]
    return [{"conditional": "if", "tuple": "list"}.get(str(kind), str(kind)), *inner]


def _is_empty(node: JsonValue) -> bool:
    return isinstance(node, dict) and node["type"] == "literalValue" and node["meta"] == {"type": "string", "value": ""}


def _their_key(side: Tree) -> Tree:
    assert isinstance(side, list)
    if side == ["item"]:
        return ["word"]
    key = side[1]
    return ["word"] if isinstance(key, list) and key[0] == "literal" else key


def _their_steps(steps: JsonValue, rooted: bool) -> Iterator[Tree]:
    assert isinstance(steps, list)
    for number, step in enumerate(steps):
        assert isinstance(step, dict)
        segment = str(step["segment"])
        if step["type"] == "indexTraversal":
            yield f"[{segment}]"
        else:
            yield segment if rooted and number == 0 else f".{segment}"


def _number(text: str) -> Tree:
    return float(text) if re.fullmatch(r"-?[0-9].*", text) else text


def _expressions(body: syntax.Body) -> Iterator[tuple[str, syntax.Expression]]:
    for name, attribute in body.attributes.items():
        yield name, attribute.expression
    for block in body.blocks:
        for name, expression in _expressions(block.body):
            yield f"{block.kind}.{name}", expression


def _source(path: Path) -> Source:
    return Source(path.name, path.read_bytes())


@dataclass(frozen=True)
class Answers:
    """What HashiCorp's parser says to everything that this module asks; node is started once."""

    files: dict[Path, dict[str, JsonValue]]
    expressions: dict[str, dict[str, JsonValue]]
    broken: dict[str, dict[str, JsonValue]]


@pytest.fixture(scope="module")
def answers() -> Answers:
    texts = sorted({text for path in FILES for _, _, text in _expression_texts(path)} | {MISREAD})
    requests = [{"file": path.read_bytes().decode("utf-8-sig")} for path in FILES]
    requests += [{"expression": text} for text in texts]
    requests += [{"file": f"{text}\n"} for text in BROKEN.values()]
    given = iter(_ask(requests))
    return Answers(
        {path: next(given) for path in FILES},
        {text: next(given) for text in texts},
        {text: next(given) for text in BROKEN.values()},
    )


def _expression_texts(path: Path) -> list[tuple[str, syntax.Expression, str]]:
    """Every expression of a file with its name and its text; a heredoc needs the end of its last line."""
    source = _source(path)
    return [
        (name, node, source.text[node.start : node.end] + ("\n" if "<<" in source.text[node.start : node.end] else ""))
        for name, node in _expressions(parse_file(source).body)
    ]


@pytest.mark.parametrize("path", FILES, ids=[path.relative_to(HERE.parents[1]).as_posix() for path in FILES])
class TestFiles:
    def test_a_file_means_the_same(self, path: Path, answers: Answers) -> None:
        source = _source(path)
        file = parse_file(source)
        answer = answers.files[path]
        assert "problem" not in answer, answer
        assert not file.problems
        assert Written(source).body(file.body) == answer["value"]

    def test_every_expression_has_the_same_tree(self, path: Path, answers: Answers) -> None:
        for name, node, text in _expression_texts(path):
            answer = answers.expressions[text]
            assert "problem" not in answer, (name, answer)
            assert ours(node) == theirs(answer["value"]), name


BROKEN = {
    "unclosed block": "a {",
    "unclosed string": 'a = "x',
    "unclosed list": "a = [1, 2",
    "two attributes on a line": "a = 1 b = 2",
    "no value": "a =",
    "a quoted name": '"a" = 1',
    "a bare expression": "1 + 1",
    "an unclosed heredoc": "a = <<EOT\nx\n",
    "no comma in a call": "a = f(1 2)",
    "no comma in a list": "a = [1 2]",
    "a newline in an operation": "a = 1 +\n2",
    "a block on two lines": "a\n{\n}",
    "an unclosed directive": 'a = "%{if x}y"',
    "an unknown directive": 'a = "%{foo}y"',
    "a condition without an else": "a = b ? c",
    "a splat of nothing": "a = [*]",
    "a number with letters": "a = 1x",
    "a set twice": "a = 1\na = 2",
    "a stray brace": "a = 1\n}",
    "single quotes": "a = 'x'",
    "a for without in": "a = [for x y : x]",
    "one-line block with two attributes": "a { b = 1, c = 2 }",
}


MISREAD = "(1 + 2) * 3"


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN.keys())
def test_what_hashicorp_refuses_is_a_problem_here_too(text: str, answers: Answers) -> None:
    assert "problem" in answers.broken[text]
    assert parse_file(Source("broken.tf", f"{text}\n".encode())).problems


def test_the_comparison_would_notice(answers: Answers) -> None:
    assert ours(parse_expression(Source("x.tf", b"1 + 2 * 3"))) != theirs(answers.expressions[MISREAD]["value"])
