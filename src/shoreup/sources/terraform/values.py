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
from shoreup.formats.hcl.rendering import Code, Plain, data_in, expression_text, inline_text
from shoreup.formats.hcl.syntax import (
    Attr,
    Binary,
    Block,
    Call,
    Conditional,
    Expression,
    ForOf,
    Index,
    ListOf,
    Literal,
    Name,
    ObjectOf,
    Splat,
    Template,
)
from shoreup.formats.hcl.writing import Changes
from shoreup.formats.nesting import nested
from shoreup.formats.spelling import substituted
from shoreup.formats.yaml.inside import marked
from shoreup.formats.yaml.writing import Page
from shoreup.model.location import Route
from shoreup.model.value import PartialText, Unknown, Value, at
from shoreup.sources.pages import PageEditor
from shoreup.sources.terraform.pen import Pen
from shoreup.sources.terraform.sharing import Sharing, default_of, uses, why_called_often
from shoreup.sources.terraform.texts import divided, runs
from shoreup.terraform.expressions import evaluate_or_unknown, object_key
from shoreup.terraform.module import ModuleInstance
from shoreup.terraform.operators import text_of
from shoreup.terraform.scope import Scope
from shoreup.terraform.trace import trace_expression
from shoreup.terraform.way import Hop, Way, way_to


class Values(Struct, frozen=True):
    """Writes into expressions. ``sharing`` gives, for a route inside the value, who else uses what is on the way; it
    is asked where a change shall be ``alone``. ``loose`` says that a number may also be written as a string of it."""

    pen: Pen
    sharing: Callable[[Route], Sharing] | None = None
    loose: bool = False

    def put(self, expression: Expression, scope: Scope, route: Route, value: Plain) -> None:
        """Give the value at ``route`` inside an expression's value another one, or make it where it is missing."""
        way = way_to(expression, scope, route)
        if (inner := self._inside_encoded(way, route)) is not None:
            inner.values.put(inner.expression, inner.scope, inner.route, value)
            return
        if (page := self._decoded_page(way, route)) is not None:
            self.pen.write_bytes(page.put(_rest(way), data_in(value), self.pen.read))
            return
        if way.missing:
            self._put_missing(way, route, value)
            return
        last = way.last
        current = _at(evaluate_or_unknown(expression, scope), route)
        if isinstance(value, Code):
            self._put_code(way, route, current, value)
            return
        if _same(current, value):
            return
        if isinstance(value, Mapping) and isinstance(current, dict) and _is_written(last, ObjectOf):
            for key, item in value.items():
                if key in current:
                    self.put(expression, scope, (*route, key), item)
            for key in current:
                if key not in value:
                    self.remove(expression, scope, (*route, key))
            self._put_new(way, route, {key: item for key, item in value.items() if key not in current})
            return
        if _is_items(value) and isinstance(current, list) and _is_written(last, ListOf):
            for index, item in enumerate(value[: len(current)]):
                self.put(expression, scope, (*route, index), item)
            for index in range(len(value), len(current)):
                self.remove(expression, scope, (*route, index))
            self._put_new(way, route, value[len(current) :])
            return
        if isinstance(value, str) and isinstance(current, str) and self._put_parts(way, route, value):
            return
        self._put_existing(self._chosen(way, route), current, value)

    def _put_code(self, way: Way, route: Route, current: Value, value: Code) -> None:
        """An expression takes the place of the one that is there, not of what that one refers to."""
        hop = next((hop for hop in way.hops if not hop.route), way.last)
        node = hop.expression
        if hop.route:
            raise CannotWrite(_made_by(hop))
        if _same(current, value.value) or node.source.text[node.start : node.end] == value.text:
            return
        self._alone(way, hop, route)
        self.pen.write(node, self.pen.on(node).replace(node, value))

    def _put_new(self, way: Way, route: Route, new: Mapping[str, Plain] | Sequence[Plain]) -> None:
        """More for a map or a list that is written out."""
        node = way.last.expression
        if not new or self._joined(way, route, new):
            return
        if isinstance(node, ObjectOf) and isinstance(new, Mapping):
            self.pen.write(node, self.pen.on(node).put_entries(node, new))
        elif isinstance(node, ListOf) and not isinstance(new, Mapping):
            self.pen.write(node, self.pen.on(node).append_items(node, new))

    def append(self, expression: Expression, scope: Scope, route: Route, value: Plain) -> None:
        """Add an item to the list at ``route``."""
        way = way_to(expression, scope, route)
        if (inner := self._inside_encoded(way, route)) is not None:
            inner.values.append(inner.expression, inner.scope, inner.route, value)
            return
        if (page := self._decoded_page(way, route)) is not None:
            self.pen.write_bytes(page.append(_rest(way), data_in(value), self.pen.read))
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
        if self._joined(way, route, [value]):
            return
        if isinstance(node, ListOf):
            self.pen.write(node, self.pen.on(node).append_items(node, [value]))
        elif isinstance(node, Literal) and node.value is None and not hop.route:
            self.pen.write(node, self.pen.on(node).replace(node, [value]))
        else:
            raise CannotWrite(_made_by(hop))

    def remove(self, expression: Expression, scope: Scope, route: Route) -> None:
        """Take away the entry or item at ``route``, which has at least one step."""
        way = way_to(expression, scope, route)
        if (inner := self._inside_encoded(way, route)) is not None:
            inner.values.remove(inner.expression, inner.scope, inner.route)
            return
        if way.missing:
            return
        if (page := self._decoded_page(way, route)) is not None:
            self.pen.write_bytes(page.remove(_rest(way), self.pen.read))
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

    # Through YAML and JSON

    def _inside_encoded(self, way: Way, route: Route) -> _Inner | None:
        """What ``yamlencode`` or ``jsonencode`` makes a text of, if a route leads into that text."""
        hop, node = way.last, way.last.expression
        if not way.missing or hop.route or not isinstance(node, Call) or node.name not in _ENCODING:
            return None
        argument = node.arguments[0]
        sharing = self.sharing(route[: len(route) - len(way.missing)]) if self.sharing is not None else None
        inside = None if sharing is None else partial(sharing.inside, way.hops, argument)
        return _Inner(Values(self.pen, inside), argument, hop.scope, way.missing)

    def _decoded_page(self, way: Way, route: Route) -> PageEditor | None:
        """The text that ``yamldecode`` or ``jsondecode`` makes a value of, to write into."""
        hop, node = way.last, way.last.expression
        if not _rest(way) or not isinstance(node, Call) or node.name not in _DECODING:
            return None
        self._alone(way, hop, route)
        argument = node.arguments[0]
        text = evaluate_or_unknown(argument, hop.scope)
        if not isinstance(text, str | PartialText):
            return None
        known = marked(text)[0]
        site = node.source.span(node.start, node.end)
        is_json = node.name == "jsondecode"
        return PageEditor(lambda: Page(known, is_json=is_json), lambda: trace_expression(argument, hop.scope, (), site))

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

    def _joined(self, way: Way, route: Route, more: Plain) -> bool:
        """Put more to a map or list that others use too: to what a reference to it comes to, at the reference."""
        if self.sharing is None:
            return False
        sharing = self.sharing(route)
        why = sharing.why(way.last, way.hops)
        if not why:
            return False
        name = "merge" if isinstance(more, Mapping) else "concat"
        for hop in reversed(way.hops[:-1]):
            node = hop.expression
            if hop.route or not isinstance(node, Attr | Index | Name) or sharing.why(hop, way.hops):
                continue
            code = node.source.text[node.start : node.end]
            writer = self.pen.on(node)
            text = inline_text(more, writer.style) or expression_text(more, "", writer.style)
            self.pen.write(node, writer.replace(node, Code(f"{name}({code}, {text})")))
            return True
        raise CannotWrite(f"it cannot be changed for this resource alone: {why}")

    # What

    def _put_missing(self, way: Way, route: Route, value: Plain) -> None:
        hop, (step, *rest) = way.last, way.missing
        node = hop.expression
        if self._joined(way, route[: len(route) - len(way.missing)], nested(way.missing, value)):
            return
        if isinstance(node, Call) and node.name == "merge" and isinstance(step, str):
            written = [argument for argument in node.arguments if isinstance(argument, ObjectOf)]
            if written and not node.expands:
                node = written[-1]
        writer = self.pen.on(node)
        new = nested(tuple(rest), value)
        if isinstance(node, ObjectOf) and isinstance(step, str) and not hop.route:
            self.pen.write(node, writer.put_entries(node, {step: new}))
        elif isinstance(node, ListOf) and step == len(node.items) and not hop.route:
            self.pen.write(node, writer.append_items(node, [new]))
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
            if origin is not None and not all(segment.derived for segment in origin.segments):
                self.pen.write_bytes(substituted(origin, 0, len(origin.text), value, self.pen.read))
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


_ENCODING = frozenset({"yamlencode", "jsonencode"})
_DECODING = frozenset({"yamldecode", "jsondecode"})


class _Inner(Struct, frozen=True):
    """An argument of a function, and the route inside of what it comes to."""

    values: Values
    expression: Expression
    scope: Scope
    route: Route


def _rest(way: Way) -> Route:
    return (*way.last.route, *way.missing)


def _at(value: Value, route: Route) -> Value:
    return at(value, *route)


def _same(current: Value, value: Plain | Value) -> bool:
    return type(current) is type(value) and current == value


def _is_written(hop: Hop, kind: type) -> bool:
    return isinstance(hop.expression, kind) and not hop.route


def _is_items(value: Plain) -> TypeGuard[Sequence[Plain]]:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _is_composed(node: Expression) -> TypeGuard[Template]:
    """Whether a text is to be changed in parts: one of several lines or with something put in."""
    if not isinstance(node, Template) or node.wrapped is not None:
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
        if uses(module.module, f"var.{name}") > 1 or called_in_a_loop(module):
            return None
        return _Argument(module.called.block, name)
    return None


def called_in_a_loop(module: ModuleInstance) -> bool:
    """Whether an argument of the module's call would count for several."""
    called = module.called
    if called is None:
        return False
    instances = called.module.calls(called.block.labels[0])
    return not isinstance(instances, list) or len(instances) > 1 or bool(why_called_often(called.module))
