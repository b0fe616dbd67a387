"""What a function accepts, checked before its body runs, as Terraform checks it.

A null is refused unless the parameter allows it, values are converted to the parameter's type, and an unknown
argument makes the whole result unknown unless the function can do better.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from msgspec import Struct

from shoreup.model.value import PartialText, Unknown, Value
from shoreup.terraform.functions.kinds import FunctionError, Refused

Converter: TypeAlias = Callable[[Value], Value]
"""Gives a value of the wanted type, keeps nulls and unknowns, raises ``Refused``."""


class Parameter(Struct, frozen=True):
    """One argument's place: ``null`` and ``unknown`` say that the body itself handles such a value."""

    name: str
    convert: Converter | None = None
    null: bool = False
    unknown: bool = False


class Function(Struct, frozen=True):
    """A function's body with the arguments it takes; ``rest`` takes any number of further ones."""

    body: Callable[..., Value]
    parameters: tuple[Parameter, ...] = ()
    rest: Parameter | None = None


def invoke(name: str, function: Function, arguments: Sequence[Value]) -> Value:
    """Check the arguments and run the body. Raises ``FunctionError``."""
    _check_count(name, function, len(arguments))
    accepted: list[Value] = []
    unknown: Unknown | None = None
    for position, value in enumerate(arguments):
        parameter = _parameter(function, position)
        if value is None and not parameter.null:
            raise FunctionError(f'Invalid value for "{parameter.name}" parameter: argument must not be null.')
        if parameter.convert is not None:
            try:
                value = parameter.convert(value)
            except Refused as problem:
                raise FunctionError(f'Invalid value for "{parameter.name}" parameter: {problem}.') from None
        if not parameter.unknown and unknown is None:
            if isinstance(value, Unknown):
                unknown = value
            elif isinstance(value, PartialText):
                unknown = Unknown(value.reason)
        accepted.append(value)
    if unknown is not None:
        return unknown
    try:
        return function.body(*accepted)
    except Refused as problem:
        if problem.position is None:
            raise FunctionError(f'Call to function "{name}" failed: {problem}.') from None
        blamed = _parameter(function, problem.position).name
        raise FunctionError(f'Invalid value for "{blamed}" parameter: {problem}.') from None


def _parameter(function: Function, position: int) -> Parameter:
    if position < len(function.parameters):
        return function.parameters[position]
    assert function.rest is not None
    return function.rest


def _check_count(name: str, function: Function, given: int) -> None:
    wanted = len(function.parameters)
    if given < wanted:
        more = "at least " if function.rest else ""
        missing = function.parameters[given].name
        message = f'Function "{name}" expects {more}{wanted} argument(s). Missing value for "{missing}".'
        raise FunctionError(message)
    if given > wanted and function.rest is None:
        raise FunctionError(f'Function "{name}" expects only {wanted} argument(s).')
