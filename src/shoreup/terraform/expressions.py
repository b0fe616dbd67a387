"""Expressions to values, as Terraform evaluates them at plan time.

Values are plain Python data. What only an apply can know is :class:`Unknown` and spreads no further than it
must: a template keeps its known text, a list its known items, ``false && unknown`` is false.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

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
    SplatItem,
    Template,
    Text,
    Unary,
)
from shoreup.model.value import PartialText, Unknown, Value, join_text
from shoreup.terraform.functions import FILE_FUNCTIONS
from shoreup.terraform.functions.kinds import FunctionError, TerraformSet, number_text
from shoreup.terraform.operators import (
    MAX_TEXT,
    calculated,
    equal,
    joined,
    number,
    pairs,
    text_length,
    text_of,
    truth,
    unified,
)
from shoreup.terraform.scope import Binding, EvaluationError, JsonObject, ResourceObject, Scope

if TYPE_CHECKING:
    from shoreup.terraform.module import ModuleInstance

SPLAT_ITEM = "*item*"


class Namespace:
    """The first words of a reference that is not complete yet: ``var``, ``data.x``, a resource type."""

    __slots__ = ("data_type", "module", "word")

    def __init__(self, module: ModuleInstance, word: str, data_type: str = "") -> None:
        self.module = module
        self.word = word
        self.data_type = data_type


class ModuleOutputs:
    """One called module, as an expression sees it; outputs are evaluated when asked for."""

    __slots__ = ("instance",)

    def __init__(self, instance: ModuleInstance) -> None:
        self.instance = instance


def evaluate(expression: Expression, scope: Scope) -> Value:
    """The value of an expression. Raises :class:`EvaluationError` where Terraform would refuse it."""
    return complete(_EVALUATE[type(expression)](expression, scope))


def raw(expression: Expression, scope: Scope) -> Any:
    """The same, where a half-followed reference (a module, a namespace) may stay one."""
    return _EVALUATE[type(expression)](expression, scope)


def evaluate_or_unknown(expression: Expression, scope: Scope) -> Value:
    """The same, with an :class:`Unknown` that tells what is wrong, in place of the part that is."""
    try:
        return evaluate(expression, scope)
    except EvaluationError as problem:
        return _around(expression, scope, Unknown(str(problem)))
    except RecursionError:
        return Unknown("references are nested too deeply to follow")


def _around(expression: Expression, scope: Scope, wrong: Unknown) -> Value:
    """What can be known of a value of which one part is wrong."""
    if isinstance(expression, Paren):
        return _around(expression.inner, scope, wrong)
    if isinstance(expression, ListOf):
        return [evaluate_or_unknown(one, scope) for one in expression.items]
    if isinstance(expression, ObjectOf):
        result: dict[str, Value] = {}
        for key_expression, value_expression in expression.items:
            key = _key_or_unknown(key_expression, scope)
            if isinstance(key, Unknown):
                return key
            result[key] = evaluate_or_unknown(value_expression, scope)
        return result
    if isinstance(expression, Template) and expression.constant is None and expression.wrapped is None:
        texts: list[str | Unknown] = []
        for part in expression.parts:
            known: list[str | Unknown] = []
            try:
                render([part], scope, known)
            except EvaluationError as problem:
                known = [Unknown(str(problem))]
            texts.extend(known)
        return wrong if text_length(texts) > MAX_TEXT else join_text(texts)
    return wrong


def _key_or_unknown(expression: Expression, scope: Scope) -> str | Unknown:
    try:
        return object_key(expression, scope)
    except EvaluationError as problem:
        return Unknown(str(problem))


def complete(raw: Any) -> Value:
    """A half-followed reference as the value that it stands for."""
    if type(raw) is ModuleOutputs:
        return raw.instance.outputs()
    if type(raw) is Namespace:
        raise EvaluationError(f"{raw.word} is not a complete reference")
    if type(raw) is list and raw and type(raw[0]) is ModuleOutputs:
        return [complete(item) for item in raw]
    if type(raw) is dict and raw and type(next(iter(raw.values()))) is ModuleOutputs:
        return {key: complete(item) for key, item in raw.items()}
    return raw  # type: ignore[no-any-return]  # everything else is a value already


def _literal(node: Literal, scope: Scope) -> Value:
    return node.value


def _paren(node: Paren, scope: Scope) -> Any:
    return _EVALUATE[type(node.inner)](node.inner, scope)


def _template(node: Template, scope: Scope) -> Value:
    if node.constant is not None:
        return node.constant
    if (wrapped := node.wrapped) is not None:
        return evaluate(wrapped, scope)
    texts: list[str | Unknown] = []
    render(node.parts, scope, texts)
    return joined(texts)


def render(parts: list[Part], scope: Scope, into: list[str | Unknown]) -> None:
    """Add the text of template parts to ``into``."""
    for part in parts:
        if type(part) is Text:
            into.append(part.value)
        elif type(part) is Interpolation:
            text = text_of(evaluate(part.expression, scope))
            if isinstance(text, PartialText):
                into.extend(text.parts)
            else:
                into.append(text)
        elif type(part) is IfDirective:
            condition = truth(evaluate(part.condition, scope))
            if isinstance(condition, Unknown):
                into.append(condition)
            else:
                render(part.then if condition else part.otherwise, scope, into)
        elif type(part) is ForDirective:
            collection = evaluate(part.collection, scope)
            if isinstance(collection, Unknown | PartialText):
                into.append(Unknown(collection.reason))
                continue
            for _, key, item in pairs(collection):
                render(part.body, _iteration(scope, part.key, part.item, key, item), into)


def _iteration(scope: Scope, key_name: str, item_name: str, key: Value, item: Value) -> Scope:
    scope.module.root.spend(1)
    values: dict[str, Value] = {**scope.values, item_name: item}
    if key_name:
        values[key_name] = key
    return Scope(scope.module, values, scope.bindings, scope.closed)


def bind_iteration(
    scope: Scope, node: ForOf | ForDirective, names: tuple[str, str], position: str | int, key: Value, item: Value
) -> Scope:
    """One round of a loop, with the origins of its variables. ``names`` are those of the key and of the item."""
    key_name, item_name = names
    inner = _iteration(scope, key_name, item_name, key, item)
    bindings = {item_name: Binding(node.collection, scope, position, "item")}
    if key_name:
        bindings[key_name] = Binding(node.collection, scope, position, "key")
    return inner.with_names({}, bindings)


def _name(node: Name, scope: Scope) -> Any:
    name = node.name
    values = scope.values
    if name in values:
        return values[name]
    if scope.closed:
        raise EvaluationError(f"the template has no variable {name}")
    if name in ("each", "count", "self"):
        raise EvaluationError(f"{name} has no meaning here")
    return Namespace(scope.module, name)


def _attr(node: Attr, scope: Scope) -> Any:
    base = _EVALUATE[type(node.base)](node.base, scope)
    return attribute(base, node.name)


def attribute(base: Any, name: str) -> Any:
    """``base.name``."""
    kind = type(base)
    if kind is Namespace:
        return base.module.reference(base, name)
    if kind is ModuleOutputs:
        return base.instance.output(name)
    if kind is ResourceObject:
        return base.attribute(name)
    if isinstance(base, dict):
        if name in base:
            return base[name]
        raise EvaluationError(f"there is no attribute {name}")
    if isinstance(base, Unknown | PartialText):
        return Unknown(base.reason)
    if base is None:
        raise EvaluationError(f"{name} is asked of a null value")
    if isinstance(base, list):
        raise EvaluationError(f"{name} is asked of a list")
    raise EvaluationError(f"{name} is asked of a {type(base).__name__}")


def _index(node: Index, scope: Scope) -> Any:
    base = _EVALUATE[type(node.base)](node.base, scope)
    return item(base, evaluate(node.key, scope))


def item(base: Any, key: Value) -> Any:
    """``base[key]``."""
    if isinstance(base, Unknown | PartialText):
        return Unknown(base.reason)
    if isinstance(key, Unknown | PartialText):
        return Unknown(key.reason)
    if isinstance(base, list):
        if isinstance(base, TerraformSet):
            raise EvaluationError("an item of a set is asked for by its position")
        try:
            position = int(key)  # type: ignore[arg-type]  # anything else raises, as wanted
        except (TypeError, ValueError, OverflowError):
            raise EvaluationError("a list is indexed by something that is no number") from None
        if isinstance(key, bool) or (isinstance(key, float) and key != position) or not 0 <= position < len(base):
            raise EvaluationError(f"the list has no item {position}")
        return base[position]
    if isinstance(key, int | float) and not isinstance(key, bool):
        if key == 0 and type(base) is JsonObject and "0" not in base:
            return base
        key = number_text(key)
    if isinstance(key, str):
        if type(base) is dict and key not in base:
            raise EvaluationError("the map has no such key")  # which may be a secret, being a value
        return attribute(base, key)
    raise EvaluationError("an index is neither a string nor a number")


def _splat(node: Splat, scope: Scope) -> Value:
    base = _EVALUATE[type(node.base)](node.base, scope)
    if isinstance(base, Unknown | PartialText):
        return Unknown(base.reason)
    if base is None:
        return []
    items = base if isinstance(base, list) else [base]
    if type(node.each) is SplatItem:
        return [complete(one) for one in items]
    return [complete(_EVALUATE[type(node.each)](node.each, _splat_scope(scope, one))) for one in items]


def _splat_scope(scope: Scope, one: Any) -> Scope:
    return Scope(scope.module, {**scope.values, SPLAT_ITEM: one}, scope.bindings, scope.closed)


def _splat_item(node: SplatItem, scope: Scope) -> Any:
    return scope.values[SPLAT_ITEM]


def _unary(node: Unary, scope: Scope) -> Value:
    operand = evaluate(node.operand, scope)
    if node.operator == "!":
        decided = truth(operand)
        return decided if isinstance(decided, Unknown) else not decided
    size = number(operand)
    return size if isinstance(size, Unknown) else -size


def _binary(node: Binary, scope: Scope) -> Value:
    operator = node.operator
    left = evaluate(node.left, scope)
    if operator in ("&&", "||"):
        return _logic(operator, truth(left), node.right, scope)
    right = evaluate(node.right, scope)
    if operator == "==":
        return equal(left, right)
    if operator == "!=":
        same = equal(left, right)
        return same if isinstance(same, Unknown) else not same
    return calculated(operator, left, right)


def _logic(operator: str, left: bool | Unknown, right_side: Expression, scope: Scope) -> Value:
    decides = operator == "||"
    if left is decides:
        return decides
    try:
        right = truth(evaluate(right_side, scope))
    except EvaluationError as problem:
        if isinstance(left, Unknown):
            return left
        raise problem
    if right is decides:
        return decides
    return left if isinstance(left, Unknown) else right


def _conditional(node: Conditional, scope: Scope) -> Value:
    condition = truth(evaluate(node.condition, scope))
    if not isinstance(condition, Unknown):
        chosen, other = (node.then, node.otherwise) if condition else (node.otherwise, node.then)
        value = evaluate(chosen, scope)
        if value is None or isinstance(value, str | Unknown | PartialText | ResourceObject):
            return value
        return unified(value, evaluate_or_unknown(other, scope))
    then = evaluate_or_unknown(node.then, scope)
    otherwise = evaluate_or_unknown(node.otherwise, scope)
    if equal(then, otherwise) is True:
        return then
    return condition


def _list(node: ListOf, scope: Scope) -> Value:
    return [evaluate(one, scope) for one in node.items]


def _object(node: ObjectOf, scope: Scope) -> Value:
    result: dict[str, Value] = {}
    for key_expression, value_expression in node.items:
        key = object_key(key_expression, scope)
        if isinstance(key, Unknown):
            return key
        result[key] = evaluate(value_expression, scope)
    return result


def object_key(expression: Expression, scope: Scope) -> str | Unknown:
    """The key of an object's item."""
    value = evaluate(expression, scope)
    text = text_of(value)
    return Unknown(text.reason) if isinstance(text, PartialText) else text


def _for(node: ForOf, scope: Scope) -> Value:
    collection = evaluate(node.collection, scope)
    if isinstance(collection, Unknown | PartialText):
        return Unknown(collection.reason)
    if node.result_key is None:
        return _for_list(node, scope, collection)
    result: dict[str, Value] = {}
    for _, inner in iterations(node, scope, collection):
        if isinstance(inner, Unknown):
            return inner
        key = object_key(node.result_key, inner)
        if isinstance(key, Unknown):
            return key
        value = evaluate(node.result, inner)
        if node.grouped:
            group = result.setdefault(key, [])
            assert isinstance(group, list)
            group.append(value)
        elif key in result:
            raise EvaluationError("two items of a for-expression have the same key")
        else:
            result[key] = value
    return result


def _for_list(node: ForOf, scope: Scope, collection: Value) -> Value:
    results: list[Value] = []
    for _, inner in iterations(node, scope, collection):
        results.append(inner if isinstance(inner, Unknown) else evaluate(node.result, inner))
    return results


def iterations(node: ForOf, scope: Scope, collection: Value) -> Iterator[tuple[str | int, Scope | Unknown]]:
    """The rounds of a for-expression that its condition keeps; an :class:`Unknown` where it cannot be decided."""
    for position, key, one in pairs(collection):
        inner = _iteration(scope, node.key_name, node.item_name, key, one)
        if node.condition is not None:
            kept = truth(evaluate(node.condition, inner))
            if isinstance(kept, Unknown):
                yield position, kept
                continue
            if not kept:
                continue
        yield position, inner


def _call(node: Call, scope: Scope) -> Value:
    special = _SPECIAL.get(node.name)
    if special is not None:
        return special(node, scope)
    values = arguments(node, scope)
    if isinstance(values, Unknown):
        return values
    try:
        result = scope.module.function(node.name, values)
    except FunctionError as problem:
        raise EvaluationError(f"{node.name}(): {problem}") from None
    if isinstance(result, str | PartialText):
        text_length([result] if isinstance(result, str) else result.parts, limit=True)
    return result


def arguments(node: Call, scope: Scope) -> list[Value] | Unknown:
    """The arguments of a call, with ``...`` spread out."""
    values = [evaluate(one, scope) for one in node.arguments]
    if node.expands and values:
        last = values.pop()
        if isinstance(last, Unknown | PartialText):
            return Unknown(last.reason)
        if not isinstance(last, list):
            raise EvaluationError(f"{node.name}(): only a list can be spread over arguments")
        values.extend(last)
    return values


def _try(node: Call, scope: Scope) -> Value:
    problem = EvaluationError("try() has no arguments")
    root = scope.module.root
    for one in node.arguments:
        root.tries += 1
        try:
            return evaluate(one, scope)
        except EvaluationError as refused:
            problem = refused
        finally:
            root.tries -= 1
    raise problem


def _can(node: Call, scope: Scope) -> Value:
    root = scope.module.root
    root.tries += 1
    try:
        value = evaluate(node.arguments[0], scope) if node.arguments else None
    except EvaluationError:
        return False
    finally:
        root.tries -= 1
    return value if isinstance(value, Unknown) else True


def _file_function(node: Call, scope: Scope) -> Value:
    values = arguments(node, scope)
    if isinstance(values, Unknown):
        return values
    value = scope.module.file_function(node.name, values, scope)
    if isinstance(value, Unknown):
        scope.module.missed(node, value)
    return value


_SPECIAL: dict[str, Callable[[Call, Scope], Value]] = {
    "try": _try,
    "can": _can,
    **dict.fromkeys(FILE_FUNCTIONS, _file_function),
}
_EVALUATE: dict[type, Callable[[Any, Scope], Any]] = {
    Literal: _literal,
    Template: _template,
    Name: _name,
    Attr: _attr,
    Index: _index,
    Splat: _splat,
    SplatItem: _splat_item,
    Call: _call,
    Unary: _unary,
    Binary: _binary,
    Conditional: _conditional,
    Paren: _paren,
    ListOf: _list,
    ObjectOf: _object,
    ForOf: _for,
}
