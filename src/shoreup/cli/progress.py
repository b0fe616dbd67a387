"""What a person sees while they wait, and only if they wait: nothing in the first second, nothing in a pipe."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

PATIENCE = 1.0
"""Seconds before anything is shown."""


class Waiting:
    """A progress line on a terminal's standard error. Call it with what is done, how much, and of how much."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._started = time.monotonic()
        self._shown: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._silent = quiet or not sys.stderr.isatty()

    def __call__(self, what: str, done: int, total: int) -> None:
        if self._silent or (self._shown is None and time.monotonic() - self._started < PATIENCE):
            return
        shown = self._shown or self._show()
        if what not in self._tasks:
            self._tasks[what] = shown.add_task(what, total=total or None)
        shown.update(self._tasks[what], completed=done, total=total or None)

    def __enter__(self) -> Waiting:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown is not None:
            self._shown.stop()

    def _show(self) -> Progress:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

        self._shown = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._shown.start()
        return self._shown
