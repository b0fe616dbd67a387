"""``shoreup proofs``: what was proven, how it stands today, and where its numbers go."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command("proofs")
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="text for people, json for programs.",
)
@click.option(
    "--metrics", type=click.Path(path_type=Path), metavar="FILE", help="Write it for Prometheus, whole or not at all."
)
@click.option("--alert-rules", is_flag=True, help="Print alert rules for those metrics, and nothing else.")
@click.option("--ledger", default="", metavar="URL", help="The ledger there.")
@click.option(
    "--config", type=click.Path(path_type=Path), metavar="FILE", help="Settings, instead of PATH/shoreup.toml."
)
@click.option("--no-color", is_flag=True, help="No colour, also where the terminal has it.")
def command(
    paths: tuple[Path, ...],
    form: str,
    metrics: Path | None,
    alert_rules: bool,
    ledger: str,
    config: Path | None,
    no_color: bool,
) -> int:
    """List what drills could prove of the repository at PATH, how it stands today, and how RTO and RPO go.

    Each with its objective, where the owner named one, and the last twenty measurements as bars. --metrics writes the
    same for Prometheus (a file of the node exporter's textfile collector), with age and size of the newest backup of
    each [backup.NAME] in shoreup.toml. Exits with 0, or with 2 on an error.
    """
    from shoreup.cli.metrics import exposed
    from shoreup.cli.output import save, say, wants_colour, width_of
    from shoreup.cli.progress import Waiting
    from shoreup.report import exposition, remembered
    from shoreup.stages.recall import recall

    if alert_rules:
        say(exposition.alert_rules())
        return 0
    with Waiting() as waiting:
        found = recall(paths or (Path(),), waiting, config=config, ledger=ledger)
    if metrics is not None:
        save(exposed(found, config), metrics)
    if form == "json":
        say(remembered.render_json(found.claims, found.ledger, found.errors))
    elif metrics is None:
        width, colour = width_of(sys.stdout), wants_colour(sys.stdout, no_color)
        say(remembered.render(found.claims, found.ledger, found.errors, width=width, colour=colour))
    return 0
