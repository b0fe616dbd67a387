"""Edits of one fix that would each make the same missing block, as one edit that makes it once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from shoreup.model.edit import Append, Edit, Put, Remove
from shoreup.model.location import Route
from shoreup.model.value import Value, at
from shoreup.stages.fixing.expectation import Unexpectable, expected

Body = Callable[[int], Mapping[str, Value]]


def missing(edit: Edit, body: Body) -> tuple[int, Route] | None:
    """The outermost field that is made where an edit is made; ``None`` where everything that leads to it stands."""
    if not isinstance(edit, Put | Append):
        return None
    held: Value = dict(body(edit.resource))
    for length in range(1, len(edit.route) + 1):
        if at(held, *edit.route[:length]) is None:
            return edit.resource, edit.route[:length]
    return None


def merged(edits: Sequence[Edit], body: Body) -> tuple[Edit, ...]:
    """The edits, with those that would make one block put together, and those that exchange all that a block holds.

    The others keep their order.
    """
    return _made_once(_exchanged(edits, body), body)


def _exchanged(edits: Sequence[Edit], body: Body) -> Sequence[Edit]:
    """Where everything in a block goes and something new comes, the block gets its new inside at once."""
    for gone in [one for one in edits if isinstance(one, Remove) and len(one.route) > 1]:
        key, parent = gone.resource, gone.route[:-1]
        held = at(dict(body(key)), *parent)
        inside = [
            one
            for one in edits
            if isinstance(one, Put | Append | Remove) and one.resource == key and one.route[: len(parent)] == parent
        ]
        left = {one.route[-1] for one in inside if isinstance(one, Remove) and one.route[:-1] == parent}
        if not isinstance(held, dict) or set(held) - left or all(isinstance(one, Remove) for one in inside):
            continue
        try:
            whole = at(dict(expected(body(key), inside)), *parent)
        except Unexpectable:
            continue
        others = [one for one in edits if one not in inside]
        return _exchanged([*others, Put(key, parent, whole)], body)
    return edits


def _made_once(edits: Sequence[Edit], body: Body) -> tuple[Edit, ...]:
    groups: dict[tuple[int, Route], list[Put | Append]] = {}
    made: list[Edit | tuple[int, Route]] = []
    for edit in edits:
        place = missing(edit, body)
        if place is None or not isinstance(edit, Put | Append):
            made.append(edit)
            continue
        if place not in groups:
            made.append(place)
        groups.setdefault(place, []).append(edit)
    return tuple(one if not isinstance(one, tuple) else _together(one, groups[one], body) for one in made)


def _together(place: tuple[int, Route], edits: Sequence[Put | Append], body: Body) -> Edit:
    if len(edits) == 1:
        return edits[0]
    key, route = place
    try:
        whole = expected(body(key), edits)
    except Unexpectable:
        return edits[0]
    like: list[tuple[Route, Route]] = []
    counts: dict[Route, int] = {}
    for edit in edits:
        inside = edit.route[len(route) :]
        if isinstance(edit, Append):
            index = counts.get(edit.route, 0)
            counts[edit.route] = index + 1
            inside = (*inside, index)
        like += [((*inside, *inner), source) for inner, source in edit.like]
    return Put(key, route, at(dict(whole), *route), tuple(like))
