"""Every drill there is, found by import."""

from __future__ import annotations

import inspect
import pkgutil
from functools import cache
from importlib import import_module

import shoreup.drills
from shoreup.drills.base import Experiment


@cache
def experiments() -> tuple[Experiment, ...]:
    """Every drill, by name. Imports them all, so only a command that needs it may call."""
    found: dict[str, Experiment] = {}
    for module in pkgutil.iter_modules(shoreup.drills.__path__):
        name = f"{shoreup.drills.__name__}.{module.name}"
        if module.name == "registry" or module.ispkg:
            continue
        for _, kind in inspect.getmembers(import_module(name), inspect.isclass):
            if issubclass(kind, Experiment) and kind.__module__ == name and not inspect.isabstract(kind):
                found[kind.drill.value] = kind()
    return tuple(found[key] for key in sorted(found))
