"""Real engines for tests. What this machine lacks is skipped by name, with the package that would bring it."""

from __future__ import annotations

import pytest

from shoreup.engines.choosing import Choice, NoProvider, Wanted, choose


def chosen(product: str, version: str = "", *, extensions: frozenset[str] = frozenset()) -> Choice:
    """The engine of this machine that may stand in; the test is skipped where there is none."""
    found = choose(Wanted(product, version, extensions))
    if isinstance(found, NoProvider):
        pytest.skip(f"not run: {found}")
    return found
