"""A value inside an expression, written where it comes from.

The way leads through references to the expression that holds the value. Text that is put together from several parts
is changed in the part that differs. What a function makes is not edited but said by name and line, unless the
characters of its result are the characters of something that is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeGuard

from msgspec import Struct

from shoreup.formats.edits import CannotWrite
from shoreup.formats.hcl.rendering import Code, Plain
from shoreup.formats.hcl.syntax import (
    Binary,
    Block,
    Call,
    Conditional,
    Expression,
    ForOf,
    ListOf,
    Literal,
    ObjectOf,
    Splat,
    Template,
)
from shoreup.formats.hcl.writing import Changes
from shoreup.model.location import Route
from shoreup.model.value import Unknown, Value, at
from shoreup.sources.terraform.pen import Pen
from shoreup.sources.terraform.sharing import Sharing, default_of, uses, why_called_often
from shoreup.sources.terraform.texts import divided, put_text, runs
from shoreup.terraform.expressions import evaluate_or_unknown, object_key, text_of
from shoreup.terraform.module import ModuleInstance
from shoreup.terraform.scope import Scope
from shoreup.terraform.trace import trace_expression
from shoreup.terraform.way import Hop, Way, is_wrapped, way_to


class Values(Struct, frozen=True):
    """Writes into expressions. ``sharing`` gives, for a route inside the value, who else uses what is on the way; it
    is asked where a change shall be ``alone``. ``loose`` says that a number may also be written as a string of it."""

    pen: Pen
    sharing: Callable[[Route], Sharing] | None = None
    loose: bool = False

    def put(self, expression: Expression, scope: Scope, route: Route, value: Plain) -> None:
        """Give the value at ``route`` inside an expression's value another one, or make it where it is missing."""
        way = way_to(expression, scope, route)
        encoded = _encoded(way)
        if encoded is not None:
            self._within(way, route).put(encoded, way.last.scope, way.missing, value)
            return
        if way.missing:
            self._put_missing(way, route, value)
            return
        last = way.last
        current = _at(evaluate_or_unknown(expression, scope), route)
        if not isinstance(value, Code) and _same(current, value):
            return
        if isinstance(value, Mapping) and isinstance(current, dict) and _is_written(last, ObjectOf):
            for key, item in value.items():
                self.put(expression, scope, (*route, key), item)
            for key in current:
                if key not in value:
                    self.remove(expression, scope, (*route, key))
            return
        if _is_items(value) and isinstance(current, list) and _is_written(last, ListOf):
            self._put_items(expression, scope, route, value, current)
            return
        if isinstance(value, str) and isinstance(current, str) and self._put_parts(way, route, value):
            return
        self._put_existing(self._chosen(way, route), current, value)

    def _put_items(
        self, expression: Expression, scope: Scope, route: Route, value: Sequence[Plain], current: list[Value]
    ) -> None:
        for index, item in enumerate(value[: len(current)]):
            self.put(expression, scope, (*route, index), item)
        for item in value[len(current) :]:
            self.append(expression, scope, route, item)
        for index in range(len(value), len(current)):
            self.remove(expression, scope, (*route, index))

    def append(self, expression: Expression, scope: Scope, route: Route, value: Plain) -> None:
        """Add an item to the list at ``route``."""
        way = way_to(expression, scope, route)
        encoded = _encoded(way)
        if encoded is not None:
            self._within(way, route).append(encoded, way.last.scope, way.missing, value)
            return
        if way.missing:
            self._put_missing(way, route, [value])
            return
        hop = way.last
        node = hop.expression
        if isinstance(node, Call) and node.name == "concat":
            lists = [argument for argument in node.arguments if isinstance(argument, ListOf)]
            if lists and lists[-1] is node.arguments[-1]:
                node = lists[-1]
        self._alone(way, hop, route)
        if isinstance(node, ListOf):
            self.pen.write(node, self.pen.on(node).append_item(node, value))
        elif isinstance(node, Literal) and node.value is None and not hop.route:
            self.pen.write(node, self.pen.on(node).replace(node, [value]))
        else:
            raise CannotWrite(_made_by(hop))

    def remove(self, expression: Expression, scope: Scope, route: Route) -> None:
        """Take away the entry or item at ``route``, which has at least one step."""
        way = way_to(expression, scope, route)
        encoded = _encoded(way)
        if encoded is not None:
            self._within(way, route).remove(encoded, way.last.scope, way.missing)
            return
        if way.missing:
            return
        for hop in reversed(way.hops):
            node = hop.expression
            if len(hop.route) == 1 and isinstance(node, ObjectOf | ListOf):
                self._alone(way, hop, route)
                self.pen.write(node, self._removal(hop, node))
                return
        raise CannotWrite(_made_by(way.last))

    def _removal(self, hop: Hop, node: ObjectOf | ListOf) -> Changes:
        writer = self.pen.on(node)
        if isinstance(node, ListOf):
            assert isinstance(hop.route[0], int)
            return writer.remove_item(node, hop.route[0])
        index = max(i for i, (key, _) in enumerate(node.items) if object_key(key, hop.scope) == hop.route[0])
        return writer.remove_entry(node, index)

    def _within(self, way: Way, route: Route) -> Values:
        """For what a function encodes as text. The text is shared, or is not, as a whole."""
        self._alone(way, way.last, route)
        return Values(self.pen, None, self.loose)

    # Where

    def _alone(self, way: Way, hop: Hop, route: Route) -> None:
        """Refuse a place that feeds others too, if nothing else shall change."""
        if self.sharing is not None and (why := self.sharing(route).why(hop, way.hops)):
            raise CannotWrite(f"it cannot be changed for this resource alone: {why}")

    def _chosen(self, way: Way, route: Route) -> Hop | _Argument:
        """The hop to write at: the last one, or the last one that serves nobody else."""
        if self.sharing is None:
            return way.last
        sharing = self.sharing(route)
        why = ""
        for hop in reversed(way.hops):
            if hop.route and hop is not way.last:
                continue
            found = sharing.why(hop, way.hops)
            if not found:
                return hop
            why = why or found
            argument = _argument(hop)
            if argument is not None:
                return argument
        raise CannotWrite(f"it cannot be changed for this resource alone: {why}")

    # What

    def _put_missing(self, way: Way, route: Route, value: Plain) -> None:
        hop, (step, *rest) = way.last, way.missing
        node = hop.expression
        self._alone(way, hop, route[: len(route) - len(way.missing)])
        if isinstance(node, Call) and node.name == "merge" and isinstance(step, str):
            written = [argument for argument in node.arguments if isinstance(argument, ObjectOf)]
            if written and not node.expands:
                node = written[-1]
        writer = self.pen.on(node)
        new = nested(tuple(rest), value)
        if isinstance(node, ObjectOf) and isinstance(step, str) and not hop.route:
            self.pen.write(node, writer.put_entry(node, step, new))
        elif isinstance(node, ListOf) and step == len(node.items) and not hop.route:
            self.pen.write(node, writer.append_item(node, new))
        elif isinstance(node, Literal) and node.value is None and not hop.route:
            self.pen.write(node, writer.replace(node, nested(way.missing, value)))
        else:
            raise CannotWrite(_made_by(hop))

    def _put_existing(self, place: Hop | _Argument, current: Value, value: Plain) -> None:
        if isinstance(place, _Argument):
            body = place.call.body
            late = ("depends_on", "providers")
            self.pen.write(body, self.pen.on(body).insert_attribute(body, place.name, value, last=late))
            return
        node = place.expression
        if isinstance(current, Unknown):
            raise CannotWrite(f"line {place.line} of {place.file}: {current.reason}")
        if isinstance(node, Template) and self.loose and isinstance(value, int | float):
            value = _shown(value)
        if place.route or isinstance(node, Call | ForOf | Splat | Binary | Conditional):
            self._put_made(place, current, value)
            return
        self.pen.write(node, self.pen.on(node).replace(node, value))

    def _put_made(self, hop: Hop, current: Value, value: Plain) -> None:
        """Over what a function makes, where its characters are written somewhere."""
        node = hop.expression
        if isinstance(current, str) and isinstance(value, str):
            site = node.source.span(node.start, node.end)
            origin = trace_expression(node, hop.scope, hop.route, site)
            if origin is not None and put_text(self.pen, origin, value):
                return
        raise CannotWrite(_made_by(hop))

    def _put_parts(self, way: Way, route: Route, value: str) -> bool:
        """Write text of several parts into those that differ; say whether that was possible."""
        hop, node = way.last, way.last.expression
        if hop.route or not _is_composed(node):
            return False
        parts = runs(node, hop.scope)
        new = divided(parts, value)
        if new is None:
            return False
        changed = [(run, after) for run, after in zip(parts, new, strict=True) if run.text != after]
        sharing = self.sharing(route) if self.sharing is not None else None
        if sharing is not None and any(run.expression is None for run, _ in changed) and sharing.why(hop, way.hops):
            return False
        noted = self.pen.noted()
        for run, after in changed:
            if run.expression is None:
                self.pen.write(node, self.pen.on(node).put_run(node, run.parts, after))
                continue
            inside = None if sharing is None else partial(sharing.inside, way.hops, run.expression)
            try:
                Values(self.pen, inside, self.loose).put(run.expression, hop.scope, (), _typed(run.value, after))
            except CannotWrite:
                if sharing is None:
                    raise
                self.pen.back_to(noted)
                return False
        return True


def _encoded(way: Way) -> Expression | None:
    """The value whose text a route goes on into: ``yamlencode({...})`` holds what it encodes."""
    node = way.last.expression if way.hops else None
    if way.missing and isinstance(node, Call) and node.name in ("yamlencode", "jsonencode") and not way.last.route:
        return node.arguments[0] if len(node.arguments) == 1 else None
    return None


def _at(value: Value, route: Route) -> Value:
    return at(value, *route)


def _same(current: Value, value: Plain) -> bool:
    return type(current) is type(value) and current == value


def _is_written(hop: Hop, kind: type) -> bool:
    return isinstance(hop.expression, kind) and not hop.route


def _is_items(value: Plain) -> TypeGuard[Sequence[Plain]]:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _is_composed(node: Expression) -> TypeGuard[Template]:
    """Whether a text is to be changed in parts: one of several lines or with something put in."""
    if not isinstance(node, Template) or is_wrapped(node):
        return False
    return node.constant is None or node.encoding == "hcl-heredoc"


def _typed(before: Value, text: str) -> Plain:
    """The text of a part as what the part was: a number stays one."""
    if isinstance(before, int) and not isinstance(before, bool) and text.isdecimal() and str(int(text)) == text:
        return int(text)
    return text


def _shown(value: int | float) -> str:
    shown = text_of(value)
    assert isinstance(shown, str)
    return shown


def _made_by(hop: Hop) -> str:
    """What makes a value that cannot be given another one, and where."""
    node, place = hop.expression, f"line {hop.line} of {hop.file}"
    if isinstance(node, Call):
        return f"the value is made by {node.name}() in {place}"
    if isinstance(node, ForOf):
        return f"the value is made by a for expression in {place}"
    if isinstance(node, Splat):
        return f"the value is made by a splat expression in {place}"
    if isinstance(node, Conditional):
        return f"the value depends on a condition in {place} that is not known"
    if isinstance(node, Binary):
        return f"the value is made by the operator {node.operator} in {place}"
    return f"the value in {place} is written in a way that does not hold this"


class _Argument(Struct, frozen=True):
    """An argument that a call of a module does not give yet."""

    call: Block
    name: str


def _argument(hop: Hop) -> _Argument | None:
    """The argument that would take the place of a variable's default for this call alone."""
    module = hop.scope.module
    if hop.route or module.called is None:
        return None
    for name, block in module.module.variables.items():
        default = default_of(block)
        if default is None or default.expression is not hop.expression or name in module.given:
            continue
        if uses(module.module, f"var.{name}") > 1 or _called_in_a_loop(module):
            return None
        return _Argument(module.called.block, name)
    return None


def _called_in_a_loop(module: ModuleInstance) -> bool:
    called = module.called
    if called is None:
        return False
    instances = called.module.calls(called.block.labels[0])
    return not isinstance(instances, list) or len(instances) > 1 or bool(why_called_often(called.module))


def nested(route: Route, value: Plain) -> Plain:
    """A value as it stands at the end of a route of things that are not there yet."""
    for step in reversed(route):
        if isinstance(step, str):
            value = {step: value}
        elif step == 0:
            value = [value]
        else:
            raise CannotWrite(f"there is no item {step - 1} before it")
    return value
