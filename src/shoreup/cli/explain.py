"""``shoreup explain``: one concern's page."""

from __future__ import annotations

import click

from shoreup.cli.catalogue import complete


@click.command("explain")
@click.argument("concern", metavar="ID", shell_complete=complete)
@click.option("--no-color", is_flag=True, help="No colour, also where the terminal has it.")
def command(concern: str, no_color: bool) -> None:
    """Say what a concern means, why it matters, and how it is mended."""
    import sys

    from shoreup.cli.catalogue import unknown
    from shoreup.cli.output import say, wants_colour, width_of
    from shoreup.concerns.registry import all_concerns, page
    from shoreup.report.page import render

    pages = {one.id: one for one in all_concerns()}
    if concern not in pages:
        raise unknown(concern, pages)
    say(render(page(pages[concern]), width=width_of(sys.stdout), colour=wants_colour(sys.stdout, no_color)))
