"""``lifecycle { ignore_changes = [...] }``: fields that code no longer changes."""

from __future__ import annotations

from msgspec import Struct

from shoreup.formats.hcl.syntax import Attr, Expression, Index, ListOf, Literal, Name, Template
from shoreup.model.location import Route, Span
from shoreup.model.resource import Resource
from shoreup.sources.provider import kubernetes_route
from shoreup.terraform.module import ResourceInstance


class IgnoredField(Struct, frozen=True):
    """One entry. ``route`` is in the resource's body; the empty route with ``everything`` is the word ``all``."""

    route: Route
    span: Span
    everything: bool = False


def ignored_fields(instance: ResourceInstance, resource: Resource) -> list[IgnoredField]:
    """The entries of a resource's ``ignore_changes``, as routes of its body."""
    entries: list[IgnoredField] = []
    for block in instance.block.body.blocks:
        attribute = block.body.attributes.get("ignore_changes") if block.kind == "lifecycle" else None
        if attribute is None:
            continue
        expression = attribute.expression
        if isinstance(expression, Name) and expression.name == "all":
            span = expression.source.span(expression.start, expression.end)
            entries.append(IgnoredField((), span, everything=True))
        for item in expression.items if isinstance(expression, ListOf) else ():
            route = _route(item)
            if route is None:
                continue
            mapped = kubernetes_route(instance.type, route) if resource.api_version != "terraform" else route
            if mapped is not None:
                entries.append(IgnoredField(mapped, item.source.span(item.start, item.end)))
    return entries


def _route(expression: Expression) -> Route | None:
    """``spec[0].template`` as a route; ``None`` for what is no plain reference."""
    if isinstance(expression, Name):
        return (expression.name,)
    if isinstance(expression, Template):
        # Terraform before 0.12 had these as strings
        return _old_route(expression.constant) if expression.constant else None
    if isinstance(expression, Attr):
        base = _route(expression.base)
        return None if base is None else (*base, expression.name)
    if isinstance(expression, Index):
        base = _route(expression.base)
        key = expression.key
        if base is None:
            return None
        if isinstance(key, Literal) and isinstance(key.value, int):
            return (*base, key.value)
        if isinstance(key, Template) and key.constant is not None:
            return (*base, key.constant)
    return None


def _old_route(text: str) -> Route:
    return tuple(int(step) if step.isdigit() else step for step in text.split("."))
