"""``shoreup check``: a written audit held against the code."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("check")
@click.argument("document", metavar="FILE.md", type=click.Path(path_type=Path))
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="text for people, json for programs.",
)
@click.option("--brief", is_flag=True, help="Only the lines that claim something.")
@click.option(
    "--config", type=click.Path(path_type=Path), metavar="FILE", help="Settings, instead of PATH/shoreup.toml."
)
@click.option("--no-color", is_flag=True, help="No colour, also where the terminal has it.")
def command(
    document: Path, paths: tuple[Path, ...], form: str, brief: bool, config: Path | None, no_color: bool
) -> int:
    """Hold a document of concerns, FILE.md, against the repository at PATH (the current folder by default).

    Understood are places (file:line, with or without what should stand there), counts, quoted code, properties of what
    is named, and what is said to be nowhere. Each claim is confirmed, partly right (with the true number), wrong (with
    the evidence), moved, undecided or not understood; a place may be found and what is said of it left unchecked.
    Exits with 1 where one is wrong, partly right or moved.
    """
    import sys

    from shoreup.cli.output import say, wants_colour, width_of
    from shoreup.cli.progress import Waiting
    from shoreup.model.claim import Answer
    from shoreup.report import checked as report
    from shoreup.stages.check import check

    with Waiting() as waiting:
        done = check(document, paths or (Path(),), config, waiting)
    if form == "json":
        say(report.render_json(done))
    else:
        colour = wants_colour(sys.stdout, no_color)
        say(report.render(done, width=width_of(sys.stdout), colour=colour, full=not brief))
    return int(any(one.answer in (Answer.WRONG, Answer.PARTLY, Answer.MOVED) for one in done.checked))
