"""Expressions to values, as Terraform evaluates them at plan time.

Values are plain Python data. What only an apply can know is :class:`Unknown` and spreads no further than it
must: a template keeps its known text, a list its known items, ``false && unknown`` is false.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from fractions import Fraction
from operator import add, ge, gt, le, lt, mul, sub
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
from shoreup.terraform.functions import FILE_FUNCTIONS, kinds
from shoreup.terraform.functions.conversion import parse_number
from shoreup.terraform.functions.kinds import FunctionError, Refused, TerraformSet, number_text
from shoreup.terraform.scope import Binding, EvaluationError, JsonObject, ResourceObject, Scope

if TYPE_CHECKING:
    from shoreup.terraform.module import ModuleInstance

SPLAT_ITEM = "*item*"
MAX_ITEMS = 100_000
"""More items than any configuration loops over."""
MAX_TEXT = 8 * 1024 * 1024
"""Characters of one string; with the other limits it stops what is made to exhaust a reader."""
_UNKNOWN_SIZE = 1000
"""What an unknown part counts for, so that texts of nothing but those end too."""
MAX_BITS = 4096
"""Of a number in a calculation; every number of Terraform has 512."""


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
        return wrong if _length(texts) > MAX_TEXT else join_text(texts)
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


def text_of(value: Value) -> str | Unknown | PartialText:
    """A value as a template shows it."""
    if isinstance(value, str | Unknown | PartialText):
        return value
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int | float):
        return number_text(value)
    if value is None:
        raise EvaluationError("a template includes a null value")
    raise EvaluationError("a template includes a list or an object")


def equal(left: Value, right: Value) -> bool | Unknown:
    """Terraform's ``==``: values of different types differ."""
    same = kinds.equal(left, right)
    if same is None:
        doubt = kinds.first_unknown(left)
        doubt = kinds.first_unknown(right) if doubt is None else doubt
        return Unknown("not known before apply") if doubt is None else doubt
    return same


def truth(value: Value) -> bool | Unknown:
    """A value as a condition."""
    if isinstance(value, bool):
        return value
    if isinstance(value, Unknown):
        return value
    if isinstance(value, PartialText):
        return Unknown(value.reason)
    if value == "true":
        return True
    if value == "false":
        return False
    raise EvaluationError("a condition is neither true nor false")


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


def joined(texts: list[str | Unknown]) -> str | PartialText:
    """The text of a template's rendered parts."""
    _length(texts, limit=True)
    return join_text(texts)


def _length(texts: Collection[str | Unknown], *, limit: bool = False) -> int:
    size = sum(len(text) if isinstance(text, str) else _UNKNOWN_SIZE for text in texts)
    if limit and size > MAX_TEXT:
        raise EvaluationError(f"a text of more than {MAX_TEXT // 1024 // 1024} MiB")
    return size


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


def pairs(collection: Value) -> list[tuple[str | int, Value, Value]]:
    """The items of a collection in Terraform's order: position (index or key), key as loops see it, item."""
    if isinstance(collection, dict):
        return [(key, key, collection[key]) for key in sorted(collection)]
    if isinstance(collection, list):
        if len(collection) > MAX_ITEMS:
            raise EvaluationError(f"a loop over more than {MAX_ITEMS} items")
        if isinstance(collection, TerraformSet):
            return [(index, item, item) for index, item in enumerate(collection)]
        return [(index, index, item) for index, item in enumerate(collection)]
    raise EvaluationError("a loop over something that is neither a list nor a map")


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
    number = _number(operand)
    return number if isinstance(number, Unknown) else -number


def _number(value: Value) -> int | float | Unknown:
    if isinstance(value, bool):
        raise EvaluationError("a number is needed, not true or false")
    if isinstance(value, int | float | Unknown):
        return value
    if isinstance(value, PartialText):
        return Unknown(value.reason)
    if isinstance(value, str):
        try:
            return parse_number(value)
        except (FunctionError, Refused, ValueError):
            pass
    raise EvaluationError("a number is needed")


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
    one, other = _number(left), _number(right)
    if isinstance(one, Unknown):
        return one
    if isinstance(other, Unknown):
        return other
    if operator in _COMPARISON:
        return _COMPARISON[operator](one, other)
    result = _ARITHMETIC[operator](kinds.exact(one), kinds.exact(other))
    if max(result.numerator.bit_length(), result.denominator.bit_length()) > MAX_BITS:
        raise EvaluationError("a number that is too large")
    return kinds.rounded(result)


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


def _divide(left: Fraction, right: Fraction) -> Fraction:
    if right == 0:
        raise EvaluationError("division by zero")
    return left / right


def _modulo(left: Fraction, right: Fraction) -> Fraction:
    if right == 0:
        raise EvaluationError("division by zero")
    remainder = abs(left) % abs(right)
    return -remainder if left < 0 else remainder


_ARITHMETIC: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "+": add,
    "-": sub,
    "*": mul,
    "/": _divide,
    "%": _modulo,
}
_COMPARISON: dict[str, Callable[[float, float], bool]] = {"<": lt, ">": gt, "<=": le, ">=": ge}


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


def unified(value: Value, other: Value) -> Value:
    """The value as it is when both sides of a conditional get one type: ``true ? 80 : "http"`` is ``"80"``."""
    if isinstance(value, int | float):
        return text_of(value) if isinstance(other, str | PartialText) else value
    if isinstance(value, list) and isinstance(other, list):
        if isinstance(other, TerraformSet) and not isinstance(value, TerraformSet):
            value = kinds.make_set(value)
        if len(value) == len(other):
            return type(value)(unified(one, two) for one, two in zip(value, other, strict=True))
        return type(value)(_as_texts(value, other))
    if isinstance(value, dict) and isinstance(other, dict):
        if value.keys() == other.keys():
            return {key: unified(one, other[key]) for key, one in value.items()}
        return dict(zip(value, _as_texts(value.values(), other.values()), strict=True))
    return value


def _as_texts(values: Collection[Value], others: Collection[Value]) -> list[Value]:
    """Items of a collection of one type: if one of them is a string, all are."""
    if not any(isinstance(one, str | PartialText) for one in (*values, *others)):
        return list(values)
    return [text_of(one) if isinstance(one, int | float) else one for one in values]


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
        _length([result] if isinstance(result, str) else result.parts, limit=True)
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
