"""``shoreup concerns``: what can be found."""

from __future__ import annotations

import click


@click.command("concerns")
def command() -> None:
    """List every concern with its severity and what it costs."""
    from shoreup.cli.output import say
    from shoreup.concerns.registry import all_concerns

    rows = [(one.id, one.severity.value, one.consequence_class.value, one.title) for one in all_concerns()]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    lines = ("  ".join([*(cell.ljust(size) for cell, size in zip(row, widths, strict=False)), row[3]]) for row in rows)
    say("".join(f"{line}\n" for line in lines))
