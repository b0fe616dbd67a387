"""``shoreup runs``: what operations were run, what they are in, and how one goes on or is undone."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from shoreup.cli.listing import Listing

FAILED = 4
_Command = TypeVar("_Command", bound=Callable[..., int])


def _common(command: _Command) -> _Command:
    for option in (
        click.option(
            "--format",
            "form",
            type=click.Choice(["text", "json"]),
            default="text",
            show_default=True,
            help="text for people, json for programs.",
        ),
        click.option(
            "--config", type=click.Path(path_type=Path), metavar="FILE", help="Settings, instead of PATH/shoreup.toml."
        ),
        click.option(
            "--at", type=click.Path(path_type=Path), default=Path(), metavar="PATH", help="The repository's folder."
        ),
    ):
        command = option(command)
    return command


@click.group("runs", cls=Listing, invoke_without_command=True)
@_common
@click.pass_context
def command(context: click.Context, form: str, config: Path | None, at: Path) -> int:
    """List the runs of operations, newest first; show, cancel or resume one.

    A run that was killed is interrupted: it goes on with 'shoreup runs resume ID', with the next worker, or with the
    next run on the same machine. IDs may be shortened.
    """
    if context.invoked_subcommand is not None:
        return 0
    from shoreup.cli.output import say, wants_colour
    from shoreup.report import runs as report
    from shoreup.stages.running.runs import Runner

    runner = Runner(at, config)
    found = runner.all()
    if form == "json":
        say(report.list_json(found, runner.place.shown))
    else:
        say(report.render_list(found, runner.place.shown, colour=wants_colour(sys.stdout, False)))
    return 0


@command.command("show")
@click.argument("run", metavar="ID")
@_common
def show(run: str, form: str, config: Path | None, at: Path) -> int:
    """Show a run: what was asked, each step, and what came of it."""
    from shoreup.stages.running.runs import Runner

    return _told(form, Runner(at, config).one(run), 0)


@command.command("resume")
@click.argument("run", metavar="ID")
@_common
def resume(run: str, form: str, config: Path | None, at: Path) -> int:
    """Go on with a run that was interrupted, to its end. Exits with 4 where it ends otherwise than done."""
    from shoreup.cli.progress import Waiting
    from shoreup.model.run import State
    from shoreup.stages.running.runs import Runner

    with Waiting() as waiting:
        seen = Runner(at, config).resume(run, waiting)
    return _told(form, seen, 0 if seen.state is State.DONE else FAILED)


@command.command("cancel")
@click.argument("run", metavar="ID")
@_common
def cancel(run: str, form: str, config: Path | None, at: Path) -> int:
    """Have a run undone before its next step. Exits with 4 where not everything can be undone."""
    from shoreup.cli.progress import Waiting
    from shoreup.model.run import State
    from shoreup.stages.running.runs import Runner

    with Waiting() as waiting:
        seen = Runner(at, config).cancel(run, waiting)
    return _told(form, seen, FAILED if seen.state in (State.STUCK, State.FAULTY) else 0)


def _told(form: str, seen: object, code: int) -> int:
    from shoreup.cli.output import say, wants_colour
    from shoreup.model.run import RunSeen
    from shoreup.report import runs as report

    assert isinstance(seen, RunSeen)
    colour = wants_colour(sys.stdout, False)
    say(report.one_json(seen) if form == "json" else report.render_one(seen, colour=colour))
    return code
