"""Real engines for tests. What this machine lacks is skipped by name, with the package that would bring it."""

from __future__ import annotations

import pytest

from shoreup.engines.choosing import Choice, NoProvider, Wanted, choose
from shoreup.engines.sandbox_ground import sandboxing
from shoreup.engines.userlands import Userland, userland


def chosen(product: str, version: str = "", *, extensions: frozenset[str] = frozenset()) -> Choice:
    """The engine of this machine that may stand in; the test is skipped where there is none."""
    found = choose(Wanted(product, version, extensions))
    if isinstance(found, NoProvider):
        pytest.skip(f"not run: {found}")
    return found


def sandboxed(kind: str) -> Userland:
    """The commands of a sandbox; the test is skipped where this machine grants none."""
    way, found = sandboxing(), userland(kind)
    if way.missing or isinstance(found, str):
        pytest.skip(f"not run: {way.missing or found}")
    assert isinstance(found, Userland)
    return found
