"""Where a value is written: the way back through references, calls, loops and functions.

Evaluation keeps no origins, for most values are never reported. For the few that are, this walks the same
expressions again and follows one route. What it cannot follow (the result of a function that does not invert) is
marked as derived, never guessed: the segments that it gives always spell the value.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec.structs import replace

from shoreup.formats.hcl.source import Source
from shoreup.formats.hcl.syntax import (
    Attr,
    Block,
    Body,
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
)
from shoreup.formats.hcl.templates import escapes
from shoreup.model.location import Route, Span
from shoreup.model.origin import Origin, Reference, Segment
from shoreup.model.value import PartialText, Unknown, Value
from shoreup.terraform import computed, inversion
from shoreup.terraform.expressions import (
    SPLAT_ITEM,
    bind_iteration,
    complete,
    evaluate,
    evaluate_or_unknown,
    iterations,
    object_key,
    raw,
)
from shoreup.terraform.functions.kinds import FunctionError, TerraformSet
from shoreup.terraform.module import ModuleInstance, ResourceInstance, expand_block
from shoreup.terraform.operators import pairs, text_of, truth
from shoreup.terraform.reached import KeyOf, Lost, Reached, derived, spells
from shoreup.terraform.scope import Binding, EvaluationError, JsonObject, Scope

_Target: TypeAlias = tuple[Expression, Scope, Route, Reference]
"""What a reference stands for: an expression, its scope, and the route inside its value."""

ENCODINGS = {"json": ("json", "hcl-template"), "raw": ("hcl-literal",)}
"""How text stands in the templates that are not what their name says: JSON holds one, a bare key is a word."""
MAX_STEPS = 400
"""References followed for one value; a longer way is taken for a circle."""


def trace_resource(instance: ResourceInstance, route: Route) -> Origin | None:
    """The origin of a field of a resource. ``route`` has Terraform's shape (``("spec", 0, "replicas")``)."""
    if not route:
        span = _span(instance.block)
        return Origin(span, span)
    root = instance.module.root
    root.effort = 0  # loops are gone through again for each value, each time with a new budget
    root.tries += 1
    try:
        return _trace_body(instance.block.body, instance.block, instance.scope, route)
    finally:
        root.tries -= 1


def _trace_body(body: Body, holder: Block, scope: Scope, route: Route) -> Origin | None:
    name, rest = str(route[0]), route[1:]
    attribute = body.attributes.get(name)
    if attribute is not None:
        site = attribute.source.span(attribute.start, attribute.end)
        if rest and attribute.source.path.endswith(".json"):
            rest = JsonObject.route(JsonObject.of(evaluate_or_unknown(attribute.expression, scope)), rest)
        return trace_expression(attribute.expression, scope, rest, site)
    found: list[tuple[Block, Scope | Unknown]] = []
    for block in body.blocks:
        kind = block.labels[0] if block.kind == "dynamic" and block.labels else block.kind
        if kind == name:
            found.extend(expand_block(block, scope))
    if not found:
        return None
    if not rest:
        span = _span(found[0][0])
        return Origin(span, span)
    index = rest[0]
    if not isinstance(index, int) or index >= len(found):
        return None
    block, inner = found[index]
    if len(rest) == 1 or isinstance(inner, Unknown):
        span = _span(block)
        return Origin(span, span)
    return _trace_body(block.body, block, inner, rest[1:])


def trace_expression(expression: Expression, scope: Scope, route: Route, site: Span) -> Origin | None:
    """The origin of the value at ``route`` inside an expression's value; ``None`` where there is none."""
    value = _at(evaluate_or_unknown(expression, scope), route)
    if value is _ABSENT:
        return None
    tracer = Trace()
    try:
        reached = tracer.follow(expression, scope, route)
    except (Lost, EvaluationError, FunctionError, RecursionError):
        reached = Reached(expression.source.span(expression.start, expression.end), ())
    segments: tuple[Segment, ...] = ()
    if isinstance(value, int | float):
        segments = reached.segments
    elif isinstance(value, str | PartialText):
        segments = reached.segments
        if not spells(segments, value):
            segments = derived(value, reached.span, "an expression")
    return Origin(site, reached.span, reached.via, segments)


class _Absent:
    """Stands for a field that is not there, which null is not."""


_ABSENT = _Absent()


def _at(value: Value, route: Route) -> Value | _Absent:
    for step in route:
        if isinstance(value, Unknown | PartialText):
            return value
        if isinstance(value, dict) and step in value:
            value = value[str(step)]
        elif isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
            value = value[step]
        else:
            return _ABSENT
    return value


def _span(node: Block | Expression | Part) -> Span:
    return node.source.span(node.start, node.end)


class Trace:
    """One way back. Counts its steps, so that a circle ends."""

    def __init__(self) -> None:
        self.steps = 0

    def follow(self, expression: Expression, scope: Scope, route: Route) -> Reached:
        """Where the value at ``route`` of an expression is written. Raises :class:`Lost`."""
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise Lost
        kind = type(expression)
        if kind is Template:
            return self._template(expression, scope, route)  # type: ignore[arg-type]  # kind was just compared
        if isinstance(expression, Literal):
            return _scalar(expression)
        if kind in (Name, Attr, Index, Splat, SplatItem):
            return self._reference(expression, scope, route)
        if isinstance(expression, Paren):
            return self.follow(expression.inner, scope, route)
        if isinstance(expression, Conditional):
            chosen = truth(evaluate(expression.condition, scope))
            if isinstance(chosen, Unknown):
                raise Lost
            return self.follow(expression.then if chosen else expression.otherwise, scope, route)
        if isinstance(expression, ListOf):
            if not route:
                return Reached(_span(expression), ())
            if not isinstance(route[0], int) or route[0] >= len(expression.items):
                raise Lost
            return self._item(expression.items[route[0]], scope, route[1:])
        if isinstance(expression, ObjectOf):
            return self._object(expression, scope, route)
        if isinstance(expression, ForOf):
            return self._for(expression, scope, route)
        if isinstance(expression, Call):
            return inversion.follow_call(self, expression, scope, route)
        return self.made(expression, scope, route, "an operator")

    def made(self, expression: Expression, scope: Scope, route: Route, by: str) -> Reached:
        """The value is made here and cannot be followed further."""
        if route and type(route[-1]) is KeyOf:
            raise Lost
        value = _at(evaluate_or_unknown(expression, scope), route)
        span = _span(expression)
        if isinstance(value, str | PartialText):
            return Reached(span, derived(value, span, by))
        return Reached(span, ())

    # Strings

    def _template(self, template: Template, scope: Scope, route: Route) -> Reached:
        parts = template.parts
        if (wrapped := template.wrapped) is not None:
            return self.follow(wrapped, scope, route)
        if route:
            raise Lost
        segments: list[Segment] = []
        self.spell(parts, template, scope, segments)
        return Reached(_span(template), tuple(segments))

    def spell(self, parts: list[Part], template: Template, scope: Scope, into: list[Segment]) -> None:
        """Add the segments of template parts."""
        for part in parts:
            if type(part) is Text:
                into.extend(_literal(part, template.encoding))
            elif type(part) is Interpolation:
                into.extend(self._interpolation(part, scope))
            elif type(part) is IfDirective:
                chosen = truth(evaluate(part.condition, scope))
                if isinstance(chosen, Unknown):
                    into.append(Segment("", _span(part), unknown=chosen.reason))
                else:
                    self.spell(part.then if chosen else part.otherwise, template, scope, into)
            elif type(part) is ForDirective:
                collection = evaluate(part.collection, scope)
                if isinstance(collection, Unknown | PartialText):
                    into.append(Segment("", _span(part), unknown=collection.reason))
                    continue
                for position, key, item in pairs(collection):
                    inner = bind_iteration(scope, part, (part.key, part.item), position, key, item)
                    self.spell(part.body, template, inner, into)

    def _interpolation(self, part: Interpolation, scope: Scope) -> tuple[Segment, ...]:
        value = text_of(evaluate(part.expression, scope))
        span = _span(part)
        if isinstance(value, Unknown):
            return (Segment("", span, unknown=value.reason),)
        try:
            reached = self.follow(part.expression, scope, ())
        except (Lost, EvaluationError, FunctionError):
            return derived(value, span, "an expression")
        if not spells(reached.segments, value):
            return derived(value, span, "an expression")
        return tuple(replace(segment, via=reached.via + segment.via) for segment in reached.segments)

    # Collections

    def _item(self, expression: Expression, scope: Scope, route: Route) -> Reached:
        """The way into an item of a collection; where it ends at once, the item itself is the place."""
        try:
            return self.follow(expression, scope, route)
        except (Lost, EvaluationError, FunctionError):
            return self.made(expression, scope, route, "an expression")

    def _object(self, node: ObjectOf, scope: Scope, route: Route) -> Reached:
        if not route:
            return Reached(_span(node), ())
        for key_expression, value_expression in reversed(node.items):
            if object_key(key_expression, scope) == route[0]:
                if type(route[0]) is KeyOf:
                    return self.follow(key_expression, scope, ())
                return self._item(value_expression, scope, route[1:])
        raise Lost

    def _for(self, node: ForOf, scope: Scope, route: Route) -> Reached:
        if not route:
            return Reached(_span(node), ())
        collection = evaluate(node.collection, scope)
        items = {position: (key, item) for position, key, item in pairs(collection)}
        count = group = 0
        for position, plain in iterations(node, scope, collection):
            if isinstance(plain, Unknown):
                count += 1
                continue
            here = count if node.result_key is None else object_key(node.result_key, plain)
            if here == route[0]:
                if node.grouped and type(route[0]) is not KeyOf:
                    if len(route) == 1:
                        return Reached(_span(node), ())
                    if route[1] != group:
                        group += 1
                        continue
                    route = route[1:]
                key, item = items[position]
                inner = bind_iteration(scope, node, (node.key_name, node.item_name), position, key, item)
                if type(route[0]) is KeyOf and node.result_key is not None:
                    return self.follow(node.result_key, inner, ())
                return self.follow(node.result, inner, route[1:])
            count += 1
        raise Lost

    # References

    def _reference(self, expression: Expression, scope: Scope, route: Route) -> Reached:
        target = self._target(expression, scope, route)
        if target is None:
            return self._in_resource(expression, scope, route)
        where, inner, rest, reference = target
        reached = self.follow(where, inner, rest)
        return Reached(reached.span, reached.segments, (reference, *reached.via))

    def _target(self, expression: Expression, scope: Scope, route: Route) -> _Target | None:
        """The expression that a reference stands for, with its scope and the route inside it."""
        base, route = _unwind(expression, scope, route)
        here = _span(expression)
        if isinstance(base, Splat):
            return self._splat_target(base, scope, route, here)
        if not isinstance(base, Name):
            return (base, scope, route, Reference("", here)) if base is not expression else None
        name = base.name
        if name in scope.bindings:
            return _bound(scope.bindings[name], route, Reference(_text(expression), here))
        if name in scope.values or scope.closed or not route:
            raise Lost
        module = scope.module
        first, rest = str(route[0]), route[1:]
        if name == "var":
            return _variable(module, first, rest, here)
        if name == "local":
            attribute = module.module.locals.get(first)
            if attribute is None:
                raise Lost
            return attribute.expression, module.scope, rest, Reference(f"local.{first}", here)
        if name == "module":
            return _output(module, first, rest, here)
        return None

    def _splat_target(self, splat: Splat, scope: Scope, route: Route, here: Span) -> _Target:
        if not route:
            raise Lost
        base = complete(raw(splat.base, scope))
        step: Route = (route[0],) if isinstance(base, list) else ()
        item = _at(base, step)
        if isinstance(item, _Absent):
            raise Lost
        each, inner_route = _unwind(splat.each, scope.with_names({SPLAT_ITEM: item}, {}), route[1:])
        if not isinstance(each, SplatItem):
            raise Lost
        return splat.base, scope, step + inner_route, Reference("", here)

    def _in_resource(self, expression: Expression, scope: Scope, route: Route) -> Reached:
        base, route = _unwind(expression, scope, route)
        if not isinstance(base, Name) or not route or type(route[-1]) is KeyOf:
            raise Lost
        words = list(route)
        data = base.name == "data"
        kind = str(words.pop(0)) if data else base.name
        if not words:
            raise Lost
        name = str(words.pop(0))
        table = scope.module.module.data if data else scope.module.module.resources
        block = table.get((kind, name))
        if block is None:
            raise Lost
        instances = scope.module.instances(kind, name, data=data)
        counted = "count" in block.body.attributes or "for_each" in block.body.attributes
        key = words.pop(0) if counted and words else None
        for instance_key, instance in instances:
            if instance_key == key:
                if not words:
                    raise Lost
                if words[0] not in block.body.attributes and (found := computed.follow(self, instance, tuple(words))):
                    return found
                origin = _trace_body(block.body, block, instance.scope, tuple(words))
                if origin is None:
                    raise Lost
                reference = Reference(_text(expression), _span(expression))
                return Reached(origin.span, origin.segments, (reference, *origin.via))
        raise Lost


def _unwind(expression: Expression, scope: Scope, route: Route) -> tuple[Expression, Route]:
    """Take ``.name`` and ``[key]`` off an expression and put them in front of the route."""
    while True:
        if isinstance(expression, Attr):
            route = (expression.name, *route)
            expression = expression.base
        elif isinstance(expression, Index):
            key = evaluate(expression.key, scope)
            if isinstance(key, bool) or not isinstance(key, str | int):
                raise Lost
            base = evaluate_or_unknown(expression.base, scope)
            if isinstance(base, list) and isinstance(key, str):
                if not key.isdecimal():
                    raise Lost
                key = int(key)
            elif isinstance(base, dict) and isinstance(key, int):
                key = str(key)
            if not (type(base) is JsonObject and key == "0" and "0" not in base):
                route = (key, *route)
            expression = expression.base
        elif isinstance(expression, Paren):
            expression = expression.inner
        else:
            return expression, route


def _bound(binding: Binding, route: Route, reference: Reference) -> _Target:
    expression, scope, key = binding.expression, binding.scope, binding.key
    shape = binding.shape
    if shape == "whole":
        return expression, scope, route, reference
    if shape == "pair":
        if not route:
            raise Lost
        shape, route = ("key" if route[0] == "key" else "item"), route[1:]
    if shape == "item":
        return expression, scope, (key, *route), reference
    if isinstance(key, str):
        return expression, scope, (KeyOf(key),), reference
    if not isinstance(evaluate_or_unknown(expression, scope), TerraformSet):
        raise Lost  # the index of a list is written nowhere
    return expression, scope, (key,), reference


def _variable(module: ModuleInstance, name: str, route: Route, here: Span) -> _Target:
    reference = Reference(f"var.{name}", here)
    given = module.given.get(name)
    if given is not None and given.expression is not None and given.scope is not None:
        value = given.value()
        if value is not None:
            inside = _before_conversion(value, module.variable(name), route)
            written = _at(value, inside)
            if written is not None and written is not _ABSENT:
                return given.expression, given.scope, inside, reference
            found = _optional_default(module, name, route)
            if found is None:
                raise Lost
            return found[0], module.scope, found[1], reference
    block = module.module.variables.get(name)
    default = block.body.attributes.get("default") if block else None
    if default is None:
        raise Lost
    value = evaluate_or_unknown(default.expression, module.scope)
    inside = _before_conversion(value, module.variable(name), route)
    if _at(value, inside) in (None, _ABSENT) and (found := _optional_default(module, name, route)):
        return found[0], module.scope, found[1], reference
    return default.expression, module.scope, inside, reference


def _before_conversion(value: Value, converted: Value, route: Route) -> Route:
    """A route into a converted value as the route into what was written: a set has its items in another order."""
    made: list[str | int] = []
    for step in route:
        if isinstance(converted, TerraformSet) and isinstance(value, list) and isinstance(step, int):
            wanted = converted[step] if step < len(converted) else None
            step = next((index for index, item in enumerate(value) if _alike(item, wanted)), step)
            converted = wanted
        else:
            converted = _known(_at(converted, (step,)))
        value = _known(_at(value, (step,)))
        made.append(step)
    return tuple(made)


def _known(value: Value | _Absent) -> Value:
    return None if isinstance(value, _Absent) else value


def _alike(written: Value, converted: Value) -> bool:
    if isinstance(written, int | float) and isinstance(converted, str):
        return text_of(written) == converted
    return written == converted


def _optional_default(module: ModuleInstance, name: str, route: Route) -> tuple[Expression, Route] | None:
    """The default that ``optional(type, default)`` gives where the caller says nothing, and the route inside it."""
    constraint = module.constraint(name)
    for index, step in enumerate(route):
        if constraint is None:
            return None
        constraint = constraint.attributes.get(str(step)) if constraint.kind == "object" else constraint.item
        if constraint and constraint.default_expression is not None:
            return constraint.default_expression, route[index + 1 :]
    return None


def _output(module: ModuleInstance, name: str, route: Route, here: Span) -> _Target:
    instances = module.calls(name) if name in module.module.calls else []
    if isinstance(instances, Unknown) or not route:
        raise Lost
    words = list(route)
    key = words.pop(0) if instances and instances[0][0] is not None else None
    for instance_key, instance in instances:
        if instance_key == key and words:
            block = instance.module.outputs.get(str(words[0]))
            attribute = block.body.attributes.get("value") if block else None
            if attribute is not None:
                reference = Reference(f"module.{name}.{words[0]}", here)
                return attribute.expression, instance.scope, tuple(words[1:]), reference
    raise Lost


def _text(expression: Expression) -> str:
    return expression.source.text[expression.start : expression.end]


def _scalar(node: Literal) -> Reached:
    """A number or boolean. Where a string is made of it, its characters are mostly those that stand there."""
    span = _span(node)
    written = _text(node)
    if node.value is None or text_of(node.value) != written:
        return Reached(span, ())
    return Reached(span, (Segment(written, span, encodings=("hcl-literal",)),))


def _literal(part: Text, encoding: str) -> list[Segment]:
    """The segments of literal characters: runs that stand there as they are, and escapes."""
    source: Source = part.source
    encodings = ENCODINGS.get(encoding, (encoding,))

    def as_written(start: int, end: int) -> list[Segment]:
        return [
            Segment(source.text[first:last], source.span(first, last), verbatim, encodings)
            for first, last, verbatim in source.runs(start, end)
        ]

    if part.decoded is None:
        return as_written(part.start, part.end)
    segments: list[Segment] = []
    raw_text = source.text[part.start : part.end]
    position = part.start
    if raw_text != part.value:
        for start, end, meaning in escapes(raw_text, backslashes=encoding == "hcl-quoted"):
            segments += as_written(position, part.start + start)
            span = source.span(part.start + start, part.start + end)
            segments.append(Segment(meaning, span, verbatim=False, encodings=encodings))
            position = part.start + end
    segments += as_written(position, part.end)
    if "".join(segment.text for segment in segments) != part.value:
        return [Segment(part.value, source.span(part.start, part.end), verbatim=False, encodings=encodings)]
    return segments
