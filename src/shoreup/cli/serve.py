"""``shoreup serve``: a process that runs what is scheduled, and tells Prometheus how it stands."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("serve")
@click.option("--no-web", is_flag=True, help="Without a dashboard.")
@click.option(
    "--metrics",
    "address",
    default="127.0.0.1:9817",
    show_default=True,
    metavar="HOST:PORT",
    help="Answer at /metrics there; 'none' for nowhere.",
)
@click.option(
    "--config", type=click.Path(path_type=Path), metavar="FILE", help="Settings, instead of PATH/shoreup.toml."
)
@click.option("--at", type=click.Path(path_type=Path), default=Path(), metavar="PATH", help="The repository's folder.")
def command(no_web: bool, address: str, config: Path | None, at: Path) -> int:
    """Run what [schedule.NAME] in shoreup.toml says when it is due, until it is stopped.

    What was due while nobody served runs once. Several may serve one database: nothing runs twice. Meanwhile /metrics
    says for Prometheus what 'shoreup proofs --metrics' writes into a file, to this machine alone unless told otherwise.
    """
    from shoreup.cli.metrics import metrics
    from shoreup.cli.scraping import scraped
    from shoreup.cli.signals import stopped_by_signals, tell
    from shoreup.model.errors import UserError
    from shoreup.stages.running.runs import Runner
    from shoreup.stages.running.schedules import serve

    if not no_web:
        raise UserError("There is no dashboard yet. Serve without it: shoreup serve --no-web")
    runner = Runner(at, config)
    with stopped_by_signals() as stop, scraped(address, lambda: metrics(runner.place.root, config), tell):
        serve(runner, stop, tell)
    return 0
