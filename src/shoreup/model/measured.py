"""What containers used, as something that watches them recorded it, with where and when that was asked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from msgspec import Struct, field

WEEK = timedelta(days=7)
Name = tuple[str, str, str, str]
"""Namespace, kind and name of a workload, and the name of the container."""


class Use(Struct, frozen=True):
    """What one container used. Processor in cores, memory in bytes; ``None`` where nothing was recorded.

    ``hours`` is how much of the window was recorded. ``throttled`` is the share of the processor's periods in which the
    limit stopped it.
    """

    hours: float
    cpu_median: float | None = None
    memory_median: float | None = None
    memory_high: float | None = None
    """The 99th percentile."""
    memory_most: float | None = None
    throttled: float | None = None


class Measured(Struct, frozen=True):
    """What a Prometheus was asked: which one, on which day, over how long; and what it said, by container."""

    source: str
    taken: date
    window: timedelta
    containers: Mapping[Name, Use] = field(default_factory=dict)
    trouble: str = ""
    """Why nothing was measured."""

    def said(self) -> str:
        """Where a number comes from, as part of a sentence."""
        return f"measured by {self.source} over {spoken(self.window)} up to {self.taken.isoformat()}"


def spoken(window: timedelta) -> str:
    """A time for people: ``7 days``."""
    hours = window.total_seconds() / 3600
    if hours >= 48:
        return f"{hours / 24:g} days"
    return f"{hours:g} hours"
