"""Objects that one piece of code makes several times: the calls of a module, each with its own names."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from shoreup.facts.estate import Estate
from shoreup.model.resource import Resource

_CALL = re.compile(r"module\.[^.\[]+(?:\[(?:\"[^\"]*\"|[^\]]*)\])?\.")


def siblings(estate: Estate, resource: Resource) -> Sequence[Resource]:
    """The others that are made as ``resource`` is, by further calls of what makes it; none where nothing is called."""
    key = _made_by(resource)
    return [one for one in estate.once(_index).get(key, ()) if one is not resource] if key is not None else ()


def companions(estate: Estate, resource: Resource) -> Sequence[Resource]:
    """The objects that the same call makes."""
    call = _call(resource)
    return [one for one in estate.once(_by_call).get((resource.root, call), ()) if one is not resource] if call else ()


def _index(estate: Estate) -> Mapping[tuple[str, str], Sequence[Resource]]:
    found: dict[tuple[str, str], list[Resource]] = defaultdict(list)
    for one in estate.resources:
        key = _made_by(one)
        if key is not None:
            found[key].append(one)
    return found


def _by_call(estate: Estate) -> Mapping[tuple[str, str], Sequence[Resource]]:
    found: dict[tuple[str, str], list[Resource]] = defaultdict(list)
    for one in estate.resources:
        if call := _call(one):
            found[(one.root, call)].append(one)
    return found


def _call(resource: Resource) -> str:
    """The call that makes an object, by its address; empty where none does."""
    end = 0
    while match := _CALL.match(resource.address, end):
        end = match.end()
    return resource.address[:end] if resource.source == "terraform" else ""


def _made_by(resource: Resource) -> tuple[str, str] | None:
    call = _call(resource)
    return (resource.root, resource.address.removeprefix(call)) if call else None
