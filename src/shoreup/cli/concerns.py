"""``shoreup concerns``: what can be found."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("concerns")
@click.option(
    "--concerns",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Concerns of your own: a Python file, which is run.",
)
def command(concerns: tuple[Path, ...]) -> None:
    """List every concern with its severity and what it costs."""
    from shoreup.cli.catalogue import every
    from shoreup.cli.output import say
    from shoreup.stages.own_concerns import own_code

    rows = [
        (one.id, one.severity.value, one.consequence_class.value, one.title)
        for one in every(own_code(Path(), concerns))
    ]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    lines = ("  ".join([*(cell.ljust(size) for cell, size in zip(row, widths, strict=False)), row[3]]) for row in rows)
    say("".join(f"{line}\n" for line in lines))
