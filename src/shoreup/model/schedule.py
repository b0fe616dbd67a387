"""A schedule, as people and programs hear of it."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class ScheduleSeen(Struct, frozen=True):
    """Something that runs again and again. ``next`` are the times to come, ``last`` when its run was last queued.

    All times are in UTC. ``last_run`` is that run's id and ``state`` what it is in, empty where there was none.
    """

    name: str
    run: str
    when: str
    time_zone: str
    next: tuple[datetime, ...]
    last: datetime | None = None
    last_run: str = ""
    state: str = ""
