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
@click.option(
    "--concerns",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Concerns of your own: a Python file, which is run.",
)
@click.option(
    "--today",
    metavar="YYYY-MM-DD",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Judge what is still supported as of this day.",
)
@click.option("--no-color", is_flag=True, help="No colour, also where the terminal has it.")
def command(
    name: str,
    paths: tuple[Path, ...],
    config: Path | None,
    concerns: tuple[Path, ...],
    today: datetime | None,
    no_color: bool,
) -> None:
    """Say what a concern means, or why a finding is one.

    ID is a concern: what it means, why it matters, and how it is mended. FINGERPRINT is a finding of the estate at PATH
    (the current folder by default): the lines that prove it, the way to it through the wiring, its weight, and its fix.
    The first characters of a fingerprint are enough.
    """
    import re
    import sys

    from shoreup.cli.catalogue import every, unknown
    from shoreup.cli.output import say, wants_colour, width_of
    from shoreup.model.errors import UserError
    from shoreup.stages.opening import estate_root
    from shoreup.stages.own_concerns import own_code

    width, colour = width_of(sys.stdout), wants_colour(sys.stdout, no_color)
    own = own_code(estate_root(paths)[0], concerns)
    pages = {one.id: one for one in every(own)}
    if name in pages:
        from shoreup.concerns.registry import page
        from shoreup.report.page import render

        say(render(page(pages[name]), width=width, colour=colour))
        return
    from shoreup.stages.explanation import FINGERPRINT, Question, explain

    if re.fullmatch("[0-9a-f]{1,3}", name):
        raise UserError(f"{name!r} is too short for a fingerprint. Give at least four characters of it.")
    if not FINGERPRINT.fullmatch(name):
        raise unknown(name, pages)
    from shoreup.cli.progress import Waiting
    from shoreup.report import explanation

    question = Question(name, paths or (Path(),), config, today.date() if today else None, own)
    with Waiting() as waiting:
        found = explain(question, waiting)
    say(explanation.render(found, width=width, colour=colour))
