"""What a module does for some of its calls already, asked for by one more call: by the argument that does it.

A module may hold what is wanted behind a condition (``var.rate_limit == null ? [] : [...]``). No place of it can be
written over for one call alone; but another call shows the argument by which it comes about. What that argument would
do here is worked out before it is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from shoreup.formats.edits import CannotWrite, Replacement
from shoreup.formats.files import Reader
from shoreup.formats.hcl.references import references
from shoreup.formats.hcl.rendering import Code, Plain, plain
from shoreup.formats.hcl.syntax import Attr, Call, Literal
from shoreup.model.value import Value, unknowns
from shoreup.sources.provider import to_kubernetes
from shoreup.sources.terraform.objects import code_of
from shoreup.sources.terraform.pen import Pen
from shoreup.sources.terraform.sharing import twins
from shoreup.sources.terraform.values import Values, called_in_a_loop
from shoreup.terraform.expressions import evaluate_or_unknown
from shoreup.terraform.module import Called, ModuleInstance, ResourceInstance
from shoreup.terraform.scope import EvaluationError
from shoreup.terraform.variables import Given
from shoreup.terraform.way import way_to

MOST = 50
"""Arguments of other calls that are tried."""


def switched(
    instance: ResourceInstance, wanted: Mapping[str, Value], more: Sequence[Mapping[str, Value]], read: Reader
) -> tuple[Replacement, ...]:
    """The argument by which a resource becomes ``wanted`` and the objects ``more`` come up, given to its call.

    Raises :class:`CannotWrite` where no other call has such an argument.
    """
    called = instance.module.called
    for name, given in islice(_of_others(instance), MOST) if called is not None else ():
        try:
            if called is not None and _does(instance, name, given, wanted, more):
                return _written(instance.module, called, name, _as_written(given), read)
        except EvaluationError:
            continue
    raise CannotWrite("no other call of its module shows an argument that does it")


def _of_others(instance: ResourceInstance) -> Iterator[tuple[str, Given]]:
    """Arguments of the module's other calls that this one does not give, or gives as nothing."""
    module = instance.module
    nothing = [name for name in module.module.variables if _is_nothing(module, name)]
    seen: list[tuple[str, Value]] = []
    for other in twins(instance) if nothing else ():
        if other.module is module or other.module.module is not module.module:
            continue
        for name, given in other.module.given.items():
            if name not in nothing:
                continue
            value = given.value()
            if value is None or next(unknowns(value), None) is not None or (name, value) in seen:
                continue
            seen.append((name, value))
            yield name, given


def _is_nothing(module: ModuleInstance, name: str) -> bool:
    try:
        return module.variable(name) in (None, False, [], {}, "")
    except EvaluationError:
        return False


def _does(
    instance: ResourceInstance,
    name: str,
    given: Given,
    wanted: Mapping[str, Value],
    more: Sequence[Mapping[str, Value]],
) -> bool:
    with_it = instance.module.with_argument(name, given)
    made = {one.address: to_kubernetes(one.type, with_it.object_of(one)) for one in with_it.all_instances()}
    return made.get(instance.address) == wanted and all(body in made.values() for body in more)


def _as_written(given: Given) -> Plain:
    """A value as the other call writes it, where that refers to nothing of its own."""
    if given.expression is None or given.scope is None:
        return plain(given.value())
    last = way_to(given.expression, given.scope, ()).last
    code = code_of(last.expression) if not last.route and not [*references(last.expression)] else None
    return plain(given.value()) if code is None else Code(code.text, given.value())


def _written(module: ModuleInstance, called: Called, name: str, value: Plain, read: Reader) -> tuple[Replacement, ...]:
    pen = Pen(module.root.configurations, read)
    body = called.block.body
    attribute = body.attributes.get(name)
    node = attribute.expression if attribute is not None else None
    if isinstance(node, Call) and node.name == "try" and node.arguments and isinstance(node.arguments[0], Attr):
        # each entry of a map may say it, and this one does not yet
        first = node.arguments[0]
        if isinstance(evaluate_or_unknown(first.base, called.scope), dict):
            Values(pen).put(first.base, called.scope, (first.name,), value)
            return pen.replacements()
    if called_in_a_loop(module):
        raise CannotWrite(f"line {called.block.source.line(called.block.start)} calls the module for several")
    if node is None:
        pen.write(body, pen.on(body).insert_attribute(body, name, value, last=("depends_on", "providers")))
    elif isinstance(node, Literal):
        pen.write(node, pen.on(node).replace(node, value))
    else:
        raise CannotWrite(f"{name} of the call is an expression already")
    return pen.replacements()
