"""``shoreup explain``: one concern's page, or one finding with everything that speaks for it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from shoreup.cli.catalogue import complete


@click.command("explain")
@click.argument("name", metavar="ID|FINGERPRINT", shell_complete=complete)
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
@click.option(
    "--config", type=click.Path(path_type=Path), metavar="FILE", help="Settings, instead of PATH/shoreup.toml."
)
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), help="Judge what is still supported as of this day.")
@click.option("--no-color", is_flag=True, help="No colour, also where the terminal has it.")
def command(name: str, paths: tuple[Path, ...], config: Path | None, today: datetime | None, no_color: bool) -> None:
    """Say what a concern means, or why a finding is one.

    ID is a concern: what it means, why it matters, and how it is mended. FINGERPRINT is a finding of the estate at PATH
    (the current folder by default): the lines that prove it, the way to it through the wiring, its weight, and its fix.
    The first characters of a fingerprint are enough.
    """
    import sys

    from shoreup.cli.catalogue import known_ids, unknown
    from shoreup.cli.output import say, wants_colour, width_of

    width, colour = width_of(sys.stdout), wants_colour(sys.stdout, no_color)
    if name in known_ids():
        from shoreup.concerns.registry import all_concerns, page
        from shoreup.report.page import render

        pages = {one.id: one for one in all_concerns()}
        say(render(page(pages[name]), width=width, colour=colour))
        return
    from shoreup.stages.explanation import FINGERPRINT, Question, explain

    if not FINGERPRINT.fullmatch(name):
        raise unknown(name, known_ids())
    from shoreup.cli.progress import Waiting
    from shoreup.report import explanation

    question = Question(name, paths or (Path(),), config, today.date() if today else None)
    with Waiting() as waiting:
        found = explain(question, waiting)
    say(explanation.render(found, width=width, colour=colour))
