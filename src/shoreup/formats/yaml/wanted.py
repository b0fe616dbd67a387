"""What a document shall hold after a change: the plain values, to compare with what is read then."""

from __future__ import annotations

from shoreup.formats.edits import CannotWrite
from shoreup.model.location import Route
from shoreup.model.value import PartialText, Unknown, Value


def same(one: Value, other: Value) -> bool:
    """Whether two values are the same and of the same types, which Python's numbers and booleans do not tell."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(item, other[key]) for key, item in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


def placed(old: Value, route: Route, value: Value) -> Value:
    """The old value with another at ``route``. Raises :class:`CannotWrite` where the route cannot be."""
    if not route:
        return value
    step, rest = route[0], route[1:]
    if isinstance(step, str) and (old is None or isinstance(old, dict)):
        known = old or {}
        return {**known, step: placed(known.get(step), rest, value)}
    if isinstance(step, int) and (old is None or isinstance(old, list)):
        items = list(old or [])
        if step < len(items):
            return [placed(item, rest, value) if number == step else item for number, item in enumerate(items)]
        if step == len(items):
            return [*items, placed(None, rest, value)]
    raise CannotWrite(f"there is no place for {named(route)}")


def removed(old: Value, route: Route) -> Value:
    """The old value without what is at ``route``. Raises :class:`CannotWrite` where nothing is."""
    step, rest = route[0], route[1:]
    if isinstance(old, dict) and step in old:
        if not rest:
            return {key: item for key, item in old.items() if key != step}
        return {key: removed(item, rest) if key == step else item for key, item in old.items()}
    if isinstance(old, list) and isinstance(step, int) and 0 <= step < len(old):
        if not rest:
            return [item for number, item in enumerate(old) if number != step]
        return [removed(item, rest) if number == step else item for number, item in enumerate(old)]
    raise CannotWrite(f"there is nothing at {named(route)}")


def called(old: Value, route: Route, name: str) -> Value:
    """The old value with the key at ``route`` called otherwise. Raises :class:`CannotWrite`."""
    step, rest = route[0], route[1:]
    if isinstance(old, dict) and step in old:
        if rest:
            return {key: called(item, rest, name) if key == step else item for key, item in old.items()}
        if name in old:
            raise CannotWrite(f"{step} cannot be called {name} where there is one of that name")
        return {name if key == step else key: item for key, item in old.items()}
    if isinstance(old, list) and rest:
        return [called(item, rest, name) if number == step else item for number, item in enumerate(old)]
    raise CannotWrite(f"there is nothing at {named(route)}")


def refuse_unknown(value: Value) -> None:
    """Raises :class:`CannotWrite` for a value of which a part is not known."""
    if isinstance(value, (Unknown, PartialText)):
        raise CannotWrite("a value that is not known cannot be written")
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        refuse_unknown(item)


def named(route: Route) -> str:
    """A route for people."""
    return ".".join(map(str, route)) or "the document"
