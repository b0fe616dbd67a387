"""``shoreup graph``: what hangs on what, and what stops when one of them does."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("graph")
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
@click.option("--without", default="", metavar="NAME", help="List what stops when NAME does; * stands for anything.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "dot", "mermaid", "json"]),
    default="text",
    show_default=True,
    help="dot is for Graphviz.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write it there.")
@click.option(
    "--config", type=click.Path(path_type=Path), metavar="FILE", help="Settings, instead of PATH/shoreup.toml."
)
@click.option("--no-color", is_flag=True, help="No colour, also where the terminal has it.")
def command(
    paths: tuple[Path, ...], without: str, form: str, output: Path | None, config: Path | None, no_color: bool
) -> None:
    """Show the wiring of the repository at PATH (the current folder by default).

    Ways in, the gates before them, services, workloads, databases, volumes and the servers behind these; and of each
    what it needs, with the place that says so.
    """
    import sys

    from shoreup.cli.output import PIPE_WIDTH, save, say, wants_colour, width_of
    from shoreup.cli.progress import Waiting
    from shoreup.report import graph as report
    from shoreup.stages.graph import draw

    with Waiting() as waiting:
        found = draw(paths or (Path(),), without, config, waiting)
    if form == "text":
        colour = output is None and wants_colour(sys.stdout, no_color)
        width = width_of(sys.stdout) if output is None else PIPE_WIDTH
        text = report.render(found.graph, found.loss, width=width, colour=colour)
    elif form == "dot":
        text = report.render_dot(found.graph, found.loss)
    elif form == "mermaid":
        text = report.render_mermaid(found.graph, found.loss)
    else:
        text = report.render_json(found.graph, found.loss)
    if output is None:
        say(text)
    else:
        save(text, output)
