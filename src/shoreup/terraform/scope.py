"""What names mean where an expression stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field

from shoreup.formats.hcl.syntax import Expression
from shoreup.model.location import Route
from shoreup.model.value import Unknown, Value

if TYPE_CHECKING:
    from shoreup.terraform.module import ModuleInstance


class EvaluationError(Exception):
    """Terraform would refuse this expression. The message is one line, for people."""


class Binding(Struct, eq=False):
    """Where the value of a local name comes from: item ``key`` of ``expression`` in ``scope``.

    ``shape`` says what the name stands for: ``pair`` has ``.key`` and ``.value`` (``each`` and dynamic
    iterators), ``item`` is the item itself, ``key`` is its key, ``whole`` is the expression's value.
    """

    expression: Expression
    scope: Scope
    key: str | int
    shape: Literal["pair", "item", "key", "whole"]


class Scope(Struct, eq=False):
    """The names that an expression sees: the module's own and, before them, local ones.

    ``values`` holds the local names (``each``, ``count``, iterators, for-variables, a template's variables);
    ``bindings`` says where they come from, where that is known. A template file sees local names
    alone: its ``module`` serves paths only and ``closed`` is true.
    """

    module: ModuleInstance
    values: Mapping[str, Value] = field(default_factory=dict)
    bindings: Mapping[str, Binding] = field(default_factory=dict)
    closed: bool = False

    def with_names(self, values: dict[str, Value], bindings: dict[str, Binding]) -> Scope:
        """A scope with more local names."""
        return Scope(self.module, {**self.values, **values}, {**self.bindings, **bindings}, self.closed)


class UnknownKey(str):
    """The key of instances that only an apply knows: ``*`` for keys of a map, ``#`` for numbers of a list."""

    __slots__ = ()


class ResourceObject(dict[str, Value]):
    """A resource or block as other expressions see it: what the configuration does not set, an apply decides.

    ``computed`` is asked for such an attribute first; it gives what is certain before the apply, else ``None``.
    """

    __slots__ = ("computed", "label")

    def __init__(self, label: str, computed: Callable[[str], Value | None] | None = None) -> None:
        super().__init__()
        self.label = label
        self.computed = computed

    def __reduce__(self) -> tuple[object, ...]:
        """To another process it goes as what it holds: nothing is evaluated there."""
        return dict, (), None, None, iter(self.items())

    def attribute(self, name: str) -> Value:
        """The value of an attribute."""
        if name in self:
            return self[name]
        value = self.computed(name) if self.computed is not None else None
        return Unknown(f"{self.label}.{name} is known only after apply") if value is None else value


class JsonObject(dict[str, Value]):
    """An object in a resource of the JSON syntax, which does not tell one block from a map: its item 0 is itself."""

    __slots__ = ()

    @classmethod
    def of(cls, value: Value) -> Value:
        """The value with every object in it made one of these."""
        if isinstance(value, dict):
            return cls((key, cls.of(item)) for key, item in value.items())
        return [cls.of(item) for item in value] if type(value) is list else value

    @staticmethod
    def route(value: Value, route: Route) -> Route:
        """A route that takes blocks for lists, as the route in the value itself."""
        made: list[str | int] = []
        for step in route:
            if type(value) is JsonObject and step == 0 and "0" not in value:
                continue
            if isinstance(value, dict):
                value = value.get(str(step))
            elif isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
                value = value[step]
            made.append(step)
        return tuple(made)
