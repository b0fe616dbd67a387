"""``shoreup worker``: a process that executes queued runs."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("worker")
@click.option(
    "--config", type=click.Path(path_type=Path), metavar="FILE", help="Settings, instead of PATH/shoreup.toml."
)
@click.option("--at", type=click.Path(path_type=Path), default=Path(), metavar="PATH", help="The repository's folder.")
def command(config: Path | None, at: Path) -> int:
    """Execute queued runs, and go on with those that were interrupted, until it is stopped.

    Any number of workers, on any number of machines, share the queue of a PostgreSQL database ([operations] url). A
    worker that dies loses nothing: others go on with its runs.
    """
    from shoreup.cli.signals import stopped_by_signals, tell
    from shoreup.stages.running.runs import Runner
    from shoreup.stages.running.working import work

    runner = Runner(at, config)
    with stopped_by_signals() as stop:
        work(runner.place, stop, tell, slots=runner.slots)
    return 0
