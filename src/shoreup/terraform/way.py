"""The expressions that a value passes through, from the argument that uses it to where it is written.

:mod:`shoreup.terraform.trace` tells where the characters of a value stand. Whoever writes needs more: the expression
itself, for an entry that is to be added, and the ones before it, for a value that shall change for one user alone.
"""

from __future__ import annotations

from msgspec import Struct

from shoreup.formats.hcl.syntax import Call, Expression, Template
from shoreup.model.location import Route
from shoreup.model.value import PartialText, Unknown, Value
from shoreup.terraform.expressions import evaluate_or_unknown
from shoreup.terraform.functions.kinds import FunctionError
from shoreup.terraform.reached import Lost, Reached
from shoreup.terraform.scope import EvaluationError, Scope
from shoreup.terraform.trace import Trace

FOLLOWED = frozenset(
    "try coalesce coalescelist lookup element one values flatten zipmap merge concat tostring tonumber tobool tolist "
    "tomap sensitive nonsensitive toset sort reverse distinct compact slice".split()
)
"""Functions whose result holds their arguments' own values."""


class Hop(Struct, frozen=True, eq=False):
    """One expression on the way: the value stands at ``route`` inside of what it comes to in ``scope``."""

    expression: Expression
    scope: Scope
    route: Route

    @property
    def key(self) -> tuple[int, Route]:
        """Equal for hops that are the same code."""
        return id(self.expression), self.route

    @property
    def line(self) -> int:
        """The 1-based line of the expression."""
        return self.expression.source.line(self.expression.start)

    @property
    def file(self) -> str:
        """The file of the expression."""
        return self.expression.source.path


class Way(Struct, frozen=True):
    """The hops to the nearest thing that is written, and the steps from there that are not there yet."""

    hops: tuple[Hop, ...]
    missing: Route

    @property
    def last(self) -> Hop:
        """Where the value is written."""
        return self.hops[-1]


def way_to(expression: Expression, scope: Scope, route: Route) -> Way:
    """The way to the value at ``route`` inside an expression's value, as far as there is one."""
    there = _depth(evaluate_or_unknown(expression, scope), route)
    root = scope.module.root
    root.effort = 0
    root.tries += 1
    walk = _Walk()
    try:
        walk.follow(expression, scope, route[:there])
    except (Lost, EvaluationError, FunctionError, RecursionError):
        pass
    finally:
        root.tries -= 1
    return Way(tuple(walk.hops), route[there:])


class _Walk(Trace):
    """Notes every expression that it comes by. Ends at what puts a value together from several."""

    def __init__(self) -> None:
        super().__init__()
        self.hops: list[Hop] = []

    def follow(self, expression: Expression, scope: Scope, route: Route) -> Reached:
        self.hops.append(Hop(expression, scope, route))
        composed = isinstance(expression, Template) and expression.wrapped is None
        made = isinstance(expression, Call) and expression.name not in FOLLOWED
        if composed or made:
            return Reached(expression.source.span(expression.start, expression.end), ())
        return super().follow(expression, scope, route)


def _depth(value: Value, route: Route) -> int:
    """How many steps of a route lead to something."""
    for index, step in enumerate(route):
        if isinstance(value, Unknown | PartialText):
            return len(route)
        if isinstance(value, dict) and step in value:
            value = value[str(step)]
        elif isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
            value = value[step]
        else:
            return index
    return len(route)
