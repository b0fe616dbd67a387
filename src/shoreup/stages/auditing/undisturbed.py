"""Work on an estate without a search for garbage: trees live until the end, and to look through them takes as long."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

RECURSION_LIMIT = 8_000
"""Locals that refer to locals that refer to locals: each step costs a few frames."""


@contextmanager
def undisturbed() -> Iterator[None]:
    """No garbage collection but where it is asked for, and room for what is nested deeply; inside of itself too."""
    enabled, limit = gc.isenabled(), sys.getrecursionlimit()
    gc.disable()
    sys.setrecursionlimit(max(limit, RECURSION_LIMIT))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)
        if enabled:
            gc.enable()
