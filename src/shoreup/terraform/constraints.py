"""Type constraints of variables, and what Terraform makes of a value that passes one.

Conversion matters for truth: ``object({ tag = optional(string, "1.2") })`` gives a tag to every caller that names
none, ``tostring`` happens to numbers, and ``set(string)`` drops duplicates and order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from shoreup.formats.hcl.syntax import Call, Expression, ListOf, Name, ObjectOf, Paren, Template
from shoreup.model.value import PartialText, Unknown, Value
from shoreup.terraform.expressions import evaluate_or_unknown
from shoreup.terraform.functions.kinds import TerraformSet, make_set, number_text

if TYPE_CHECKING:
    from shoreup.terraform.scope import Scope


class Constraint(Struct, eq=False):
    """A type. ``kind`` is Terraform's word for it: ``any``, ``string``, ``list``, ``object`` ..."""

    kind: str
    item: Constraint | None = None
    items: list[Constraint] = field(default_factory=list)
    attributes: dict[str, Constraint] = field(default_factory=dict)
    optional: bool = False
    default: Value = None
    default_expression: Expression | None = None


ANY = Constraint("any")
_SIMPLE = frozenset({"string", "number", "bool", "any"})
_COLLECTIONS = frozenset({"list", "set", "map"})


def read_constraint(expression: Expression, scope: Scope) -> Constraint:
    """Read the expression of a variable's ``type``. What is not understood is ``any``."""
    if isinstance(expression, Paren):
        return read_constraint(expression.inner, scope)
    if isinstance(expression, Template):
        return Constraint(expression.constant) if expression.constant in _SIMPLE else ANY
    if isinstance(expression, Name):
        if expression.name in _COLLECTIONS:
            return Constraint(expression.name, ANY)
        return Constraint(expression.name) if expression.name in _SIMPLE else ANY
    if not isinstance(expression, Call) or not expression.arguments:
        return ANY
    first = expression.arguments[0]
    if expression.name in _COLLECTIONS:
        return Constraint(expression.name, read_constraint(first, scope))
    if expression.name == "tuple" and isinstance(first, ListOf):
        return Constraint("tuple", items=[read_constraint(item, scope) for item in first.items])
    if expression.name == "object" and isinstance(first, ObjectOf):
        attributes = {
            key.constant: read_constraint(value, scope)
            for key, value in first.items
            if isinstance(key, Template) and key.constant is not None
        }
        return Constraint("object", attributes=attributes)
    if expression.name == "optional":
        inner = read_constraint(first, scope)
        expressions = expression.arguments[1:2]
        default = evaluate_or_unknown(expressions[0], scope) if expressions else None
        return Constraint(
            inner.kind,
            inner.item,
            inner.items,
            inner.attributes,
            True,
            default,
            expressions[0] if expressions else None,
        )
    return ANY


def convert(value: Value, constraint: Constraint | None) -> Value:
    """The value as the type makes it. A value that does not fit is given back unchanged."""
    if constraint is None or value is None or isinstance(value, Unknown):
        return value
    kind = constraint.kind
    if kind == "string":
        if isinstance(value, bool):
            return "true" if value else "false"
        return number_text(value) if isinstance(value, int | float) else value
    if isinstance(value, PartialText):
        return value if kind == "any" else Unknown(value.reason)
    if kind == "number":
        return _number(value)
    if kind == "bool":
        return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value
    if kind == "object" and isinstance(value, dict):
        return _object(value, constraint)
    if kind == "map" and isinstance(value, dict):
        return {key: convert(item, constraint.item) for key, item in value.items()}
    if kind in ("list", "set") and isinstance(value, list):
        items = [convert(item, constraint.item) for item in value]
        return items if kind == "list" else make_set(items)
    if kind == "tuple" and isinstance(value, list) and not isinstance(value, TerraformSet):
        return [convert(item, inner) for item, inner in zip(value, constraint.items, strict=False)]
    return value


def _number(value: Value) -> Value:
    if not isinstance(value, str):
        return value
    try:
        return int(value)
    except ValueError:
        try:
            return float(value)
        except ValueError:
            return value


def _object(value: dict[str, Value], constraint: Constraint) -> Value:
    result: dict[str, Value] = {}
    for name, inner in constraint.attributes.items():
        item = value.get(name)
        if item is None and inner.optional:
            item = inner.default
        if item is not None or inner.optional or name in value:
            result[name] = convert(item, inner)
    return result
