"""What an expression refers to: names with the fixed steps behind them, wherever in it they stand."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from shoreup.formats.hcl.syntax import (
    Attr,
    Binary,
    Call,
    Conditional,
    Expression,
    ForDirective,
    ForOf,
    IfDirective,
    Index,
    Interpolation,
    ListOf,
    Literal,
    Name,
    ObjectOf,
    Paren,
    Part,
    Splat,
    Template,
    Unary,
)

_NONE: frozenset[str] = frozenset()
_Held = tuple[Expression | Part, frozenset[str]]


class Reference(Struct, frozen=True, eq=False):
    """``var.names["a"].size``: its words ``("var", "names", "a", "size")``, as far as they are fixed.

    ``start`` is its first character; ``ends`` are those behind each word (exclusive).
    """

    start: int
    words: tuple[str | int, ...]
    ends: tuple[int, ...]


def references(expression: Expression) -> Iterator[Reference]:
    """The references of an expression; variables of its own loops are none."""
    inner: set[int] = set()
    for node, bound in _nodes(expression):
        if not isinstance(node, Name | Attr | Index) or id(node) in inner:
            continue
        chain: list[Attr | Index] = []
        base: Expression = node
        while isinstance(base, Attr | Index):
            chain.append(base)
            base = base.base
            inner.add(id(base))
        if isinstance(base, Name) and base.name not in bound:
            yield _reference(base, chain[::-1])


def calls(expression: Expression) -> Iterator[Call]:
    """The calls of functions in an expression, the outer before the inner."""
    return (node for node, _ in _nodes(expression) if isinstance(node, Call))


def _reference(name: Name, chain: list[Attr | Index]) -> Reference:
    words: list[str | int] = [name.name]
    ends = [name.end]
    for step in chain:
        word = step.name if isinstance(step, Attr) else _fixed(step.key)
        if word is None:
            break
        words.append(word)
        ends.append(step.end)
    return Reference(name.start, tuple(words), tuple(ends))


def _fixed(key: Expression) -> str | int | None:
    if isinstance(key, Template):
        return key.constant
    number = key.value if isinstance(key, Literal) else None
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def _nodes(expression: Expression) -> Iterator[tuple[Expression | Part, frozenset[str]]]:
    """Every part of an expression, the outer before the inner, with the names that loops around it bind."""
    waiting: list[_Held] = [(expression, _NONE)]
    while waiting:
        node, bound = waiting.pop()
        yield node, bound
        waiting += reversed(_inside(node, bound))


def _inside(node: Expression | Part, bound: frozenset[str]) -> list[_Held]:
    if isinstance(node, ForOf):
        own = bound | {node.key_name, node.item_name}
        rest = (node.result_key, node.result, node.condition)
        return [(node.collection, bound), *((one, own) for one in rest if one is not None)]
    if isinstance(node, ForDirective):
        own = bound | {node.key, node.item}
        return [(node.collection, bound), *((one, own) for one in node.body)]
    return [(one, bound) for one in _plainly_inside(node)]


def _plainly_inside(node: Expression | Part) -> list[Expression | Part]:  # one line a kind
    if isinstance(node, Attr):
        return [node.base]
    if isinstance(node, Index):
        return [node.base, node.key]
    if isinstance(node, Splat):
        return [node.base, node.each]
    if isinstance(node, Template):
        return [] if node.constant is not None else [*node.parts]
    if isinstance(node, Interpolation):
        return [node.expression]
    if isinstance(node, IfDirective):
        return [node.condition, *node.then, *node.otherwise]
    if isinstance(node, Call):
        return [*node.arguments]
    if isinstance(node, Unary):
        return [node.operand]
    if isinstance(node, Binary):
        return [node.left, node.right]
    if isinstance(node, Conditional):
        return [node.condition, node.then, node.otherwise]
    if isinstance(node, Paren):
        return [node.inner]
    if isinstance(node, ListOf):
        return [*node.items]
    return [one for pair in node.items for one in pair] if isinstance(node, ObjectOf) else []
