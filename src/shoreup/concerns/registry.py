"""Every concern there is, found by import.

A concern is a module in this package that defines a class with an ``id``. Nobody keeps a list, so nobody
can forget to add to it; a test holds id, module and case file together.
"""

from __future__ import annotations

import inspect
import pkgutil
from functools import cache
from importlib import import_module

import shoreup.concerns
from shoreup.concerns.base import Concern
from shoreup.model.page import ConcernPage

NOT_CONCERNS = frozenset({"base", "registry"})


@cache
def all_concerns() -> tuple[type[Concern], ...]:
    """Every concern, by id. Imports the whole catalogue, so only a command that needs it may call."""
    found: dict[str, type[Concern]] = {}
    for module in pkgutil.iter_modules(shoreup.concerns.__path__):
        if module.name in NOT_CONCERNS or module.ispkg:
            continue
        name = f"{shoreup.concerns.__name__}.{module.name}"
        for _, kind in inspect.getmembers(import_module(name), inspect.isclass):
            if issubclass(kind, Concern) and kind.__module__ == name and not inspect.isabstract(kind):
                found[kind.id] = kind
    return tuple(found[key] for key in sorted(found))


def page(concern: type[Concern]) -> ConcernPage:
    """A concern as the catalogue shows it."""
    return ConcernPage(
        id=concern.id,
        title=concern.title,
        severity=concern.severity,
        consequence_class=concern.consequence_class,
        category=concern.category,
        section=concern.section,
        text=inspect.cleandoc(concern.__doc__ or ""),
        sources=concern.sources,
    )
