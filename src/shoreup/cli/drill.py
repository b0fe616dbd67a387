"""``shoreup drill``: experiments on real engines that prove, or refute, what the estate promises."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

FAILED = 4
UNVERIFIED = 5


@click.command("drill")
@click.argument("name", required=False, metavar="[NAME]")
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
@click.option("--subject", default="", metavar="NAMESPACE/NAME", help="Only this; * stands for anything.")
@click.option("--from", "copy", type=click.Path(path_type=Path), metavar="FILE", help="Restore this copy.")
@click.option("--with", "against", default="", metavar="NAMESPACE/NAME", help="Compare with this database.")
@click.option("--at", "moment", metavar="TIME", help="Come back to this moment (2027-01-31T04:00Z), by archived WAL.")
@click.option("--due", is_flag=True, help="Only what has no proof that counts today.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="text for people, json for programs.",
)
@click.option("--ledger", default="", metavar="URL", help="Keep the proofs there.")
@click.option(
    "--config", type=click.Path(path_type=Path), metavar="FILE", help="Settings, instead of PATH/shoreup.toml."
)
@click.option("--no-color", is_flag=True, help="No colour, also where the terminal has it.")
def command(
    name: str | None,
    paths: tuple[Path, ...],
    subject: str,
    copy: Path | None,
    against: str,
    moment: str | None,
    due: bool,
    form: str,
    ledger: str,
    config: Path | None,
    no_color: bool,
) -> int:
    """Run the drills of the repository at PATH (the current folder by default), or the one called NAME.

    restore: the newest copy of each backup comes back into a scratch server that reaches no network, and every table
    is compared. A copy that lost its end must be refused first. Only when they are named: compare (a dump of one
    database into the version of another), pool (every connection that clients may open), probe (the probes of
    databases, on servers that start, are full or hang). Exits with 0 when all passed, 4 when one failed, 5 when one
    could not be verified or tried, 2 on an error.
    """
    from shoreup.cli.output import say, wants_colour, width_of
    from shoreup.cli.progress import Waiting
    from shoreup.drills.base import Wishes
    from shoreup.model.errors import UserError
    from shoreup.model.proof import Verdict
    from shoreup.report import drilled as report
    from shoreup.stages.drill import DrillOptions, drill, names

    if name is not None and name not in names():
        if not Path(name).exists():
            raise UserError(f"There is no drill and no folder called {name!r}. Drills are {', '.join(names())}.")
        paths, name = (Path(name), *paths), None
    wishes = Wishes(copy, against, until=_moment(moment) if moment else None)
    options = DrillOptions(name=name or "", subject=subject, wishes=wishes, due=due, config=config, ledger=ledger)
    with Waiting() as waiting:
        done = drill(paths or (Path(),), options, waiting)
    left = [report.Left(str(one.subject), one.drill, one.reason) for one in done.untried]
    if form == "json":
        say(report.render_json(done.proofs, left, done.ledger))
    else:
        width, colour = width_of(sys.stdout), wants_colour(sys.stdout, no_color)
        say(report.render(done.proofs, left, done.ledger, width=width, colour=colour))
    if any(one.verdict is Verdict.FAIL for one in done.proofs):
        return FAILED
    return UNVERIFIED if left or any(one.verdict is not Verdict.PASS for one in done.proofs) else 0


def _moment(text: str) -> datetime:
    from shoreup.model.errors import UserError

    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UserError(f"--at {text!r} is no moment such as 2027-01-31T04:00:00Z.") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
