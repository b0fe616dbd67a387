"""What an edit should make of a resource, and where what was read back differs from it.

The strongest check of an edit needs no knowledge of files: the asked change is made on the plain object, and the object
that the edited files give must be the same. Whatever differs was not intended.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from shoreup.model.edit import Append, Become, Edit, Put, Remove, Rename, Substitute
from shoreup.model.location import Route
from shoreup.model.value import PartialText, Unknown, Value, at


class Unexpectable(Exception):
    """The asked change cannot be made on the plain object, so that nothing can be compared."""


def expected(body: Mapping[str, Value], edits: Sequence[Edit]) -> dict[str, Value]:
    """The object with the edits made on it. ``body`` is not changed. Raises :class:`Unexpectable`.

    Characters and items are named as they were, so those behind go first.
    """
    made: Value = dict(body)
    removals = sorted(
        (one for one in edits if isinstance(one, Remove)), key=lambda one: _order(one.route), reverse=True
    )
    texts = sorted((one for one in edits if isinstance(one, Substitute)), key=lambda one: one.start)
    others = [one for one in edits if not isinstance(one, Remove | Substitute)]
    for edit in (*others, *reversed(texts), *removals):
        if isinstance(edit, Put):
            made = _put(made, edit.route, edit.value)
        elif isinstance(edit, Append):
            items = at(made, *edit.route)
            if items is not None and not isinstance(items, list):
                raise Unexpectable
            made = _put(made, edit.route, [*(items or []), edit.value])
        elif isinstance(edit, Substitute):
            made = _put(made, edit.route, _spliced(at(made, *edit.route), edit))
        elif isinstance(edit, Remove):
            made = _without(made, edit.route)
        elif isinstance(edit, Rename):
            made = _renamed(made, edit)
        elif isinstance(edit, Become):
            made = _become(made, edit)
    return cast("dict[str, Value]", made)


def differences(wanted: Value, seen: Value, route: Route = ()) -> Iterator[Route]:
    """The routes at which two values differ, the outermost only where one side has nothing.

    What is unknown on both sides is equal, whatever the reasons, which name lines. Nothing and an empty block are
    equal: formats say it differently.
    """
    if wanted is seen:
        return
    if isinstance(wanted, dict) and isinstance(seen, dict):
        for key in {**wanted, **seen}:
            yield from differences(wanted.get(key), seen.get(key), (*route, key))
        return
    if isinstance(wanted, list) and isinstance(seen, list):
        yield from _list_differences(wanted, seen, route)
        return
    if isinstance(wanted, Unknown) and isinstance(seen, Unknown):
        return
    if isinstance(wanted, PartialText) and isinstance(seen, PartialText):
        if [part if isinstance(part, str) else None for part in wanted.parts] != [
            part if isinstance(part, str) else None for part in seen.parts
        ]:
            yield route
        return
    if type(wanted) is not type(seen) and not (_number(wanted) and _number(seen)):
        if not (_nothing(wanted) and _nothing(seen)):
            yield route
        return
    if wanted != seen:
        yield route


def _list_differences(wanted: list[Value], seen: list[Value], route: Route) -> Iterator[Route]:
    """Item by item; where the lengths differ, what is equal at both ends does not count."""
    if len(wanted) == len(seen):
        for index, (one, other) in enumerate(zip(wanted, seen, strict=True)):
            yield from differences(one, other, (*route, index))
        return
    start = 0
    while start < min(len(wanted), len(seen)) and same(wanted[start], seen[start]):
        start += 1
    end = 0
    while end < min(len(wanted), len(seen)) - start and same(wanted[-1 - end], seen[-1 - end]):
        end += 1
    for index in range(start, max(len(wanted), len(seen)) - end):
        yield (*route, index)


def same(one: Value, other: Value) -> bool:
    """Whether there is no difference."""
    return next(differences(one, other), None) is None


def holds(seen: Value, wanted: Value) -> bool:
    """Whether everything of ``wanted`` is in ``seen``, which may hold defaults beside."""
    if isinstance(wanted, dict) and isinstance(seen, dict):
        return all(holds(seen.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(seen, list):
        return len(wanted) == len(seen) and all(holds(one, other) for one, other in zip(seen, wanted, strict=True))
    return same(wanted, seen)


def _number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _nothing(value: Value) -> bool:
    return value is None or value == {} or value == []


def _order(route: Route) -> tuple[tuple[bool, int, str], ...]:
    return tuple((isinstance(step, str), step if isinstance(step, int) else 0, str(step)) for step in route)


def _put(value: Value, route: Route, new: Value) -> Value:
    if not route:
        return new
    step, rest = route[0], route[1:]
    if isinstance(step, str):
        if value is not None and not isinstance(value, dict):
            raise Unexpectable
        held = value or {}
        return {**held, step: _put(held.get(step), rest, new)}
    if value is not None and not isinstance(value, list):
        raise Unexpectable
    items = list(value or [])
    if step > len(items):
        raise Unexpectable
    items[step : step + 1] = [_put(items[step] if step < len(items) else None, rest, new)]
    return items


def _without(value: Value, route: Route) -> Value:
    step, rest = route[0], route[1:]
    if isinstance(value, dict) and isinstance(step, str) and step in value:
        if rest:
            return {**value, step: _without(value[step], rest)}
        return {key: item for key, item in value.items() if key != step}
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        kept = [_without(value[step], rest)] if rest else []
        return [*value[:step], *kept, *value[step + 1 :]]
    raise Unexpectable


def _renamed(value: Value, edit: Rename) -> Value:
    holder = at(value, *edit.route[:-1])
    if not isinstance(holder, dict) or edit.route[-1] not in holder or edit.name in holder:
        raise Unexpectable
    inside = dict(edit.inside)
    made: dict[str, Value] = {}
    for key, held in holder.items():
        if key != edit.route[-1]:
            made[key] = held
            continue
        made[edit.name] = (
            {inside.get(name, name): item for name, item in held.items()} if inside and isinstance(held, dict) else held
        )
    return _put(value, edit.route[:-1], made)


def _become(value: Value, edit: Become) -> Value:
    if not isinstance(value, dict):
        raise Unexpectable
    names = dict(edit.names)
    return {**{names.get(key, key): item for key, item in value.items()}, "kind": edit.kind}


def _spliced(value: Value, edit: Substitute) -> Value:
    if isinstance(value, str):
        return value[: edit.start] + edit.text + value[edit.end :]
    if not isinstance(value, PartialText):
        raise Unexpectable
    position = 0
    for index, part in enumerate(value.parts):
        if isinstance(part, str):
            start, end = edit.start - position, edit.end - position
            if start >= 0 and end <= len(part):
                spliced = part[:start] + edit.text + part[end:]
                return PartialText((*value.parts[:index], spliced, *value.parts[index + 1 :]))
            position += len(part)
    raise Unexpectable
