"""``shoreup upgrade``: a database goes to its next major version, rehearsed first, with a way back."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from shoreup.drills.base import Wishes
    from shoreup.stages.upgrades import PlanOptions

FAILED = 4
UNVERIFIED = 5
_Command = TypeVar("_Command", bound=Callable[..., object])
_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.group("upgrade")
def command() -> None:
    """Move a database to its next major version: planned, rehearsed on a copy, with a way back."""


@command.group("postgres")
def postgres() -> None:
    """PostgreSQL, by pg_upgrade."""


@command.group("mysql")
def mysql() -> None:
    """MySQL and MariaDB, by a dump into a new server."""


def _common(function: _Command) -> _Command:
    """What planning and rehearsing have in common."""
    for option in reversed(
        (
            click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path)),
            click.option("--subject", default="", metavar="NAMESPACE/NAME", help="Only this database."),
            click.option("--to", default="", metavar="VERSION", help="The version to go to, instead of the newest."),
            click.option("--ledger", default="", metavar="URL", help="The ledger of proofs."),
            click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="Its settings."),
            click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True),
            click.option("--no-color", is_flag=True, help="No colour, also where the terminal has it."),
        )
    ):
        function = option(function)
    return function


@postgres.command("plan")
@_common
@click.option("--data", type=_FOLDER, metavar="DIR", help="A data directory here, to look into.")
@click.option("--new-bin", "programs", type=_FOLDER, metavar="DIR", help="The new version's programs.")
@click.option("--old-bin", "old", type=_FOLDER, metavar="DIR", help="The old version's programs.")
def plan_postgres(
    paths: tuple[Path, ...],
    subject: str,
    to: str,
    data: Path | None,
    programs: Path | None,
    old: Path | None,
    form: str,
    ledger: str,
    config: Path | None,
    no_color: bool,
) -> int:
    """Say what an upgrade of each PostgreSQL in the repository at PATH takes, or of the cluster in --data.

    From which version to which, until when each is supported, what stands in the way, what to do before and after,
    how much room it needs, and how long the newest rehearsal was away. Nothing is changed. Exits with 0, with 4 where
    something stands in the way, with 2 on an error.
    """
    from shoreup.stages.upgrades import PlanOptions

    return _planned(
        paths, PlanOptions("postgresql", subject, to, data, programs, old, config, ledger), form, no_color=no_color
    )


@mysql.command("plan")
@_common
def plan_mysql(
    paths: tuple[Path, ...],
    subject: str,
    to: str,
    form: str,
    ledger: str,
    config: Path | None,
    no_color: bool,
) -> int:
    """Say what an upgrade of each MySQL and MariaDB in the repository at PATH takes. Nothing is changed."""
    from shoreup.stages.upgrades import PlanOptions

    options = PlanOptions("mysql", subject, to, config=config, ledger=ledger)
    return _planned(paths, options, form, no_color=no_color)


@postgres.command("rehearse")
@_common
@click.option("--from", "copy", type=click.Path(path_type=Path, exists=True), metavar="COPY", help="Use this copy.")
@click.option("--new-bin", "programs", type=_FOLDER, metavar="DIR", help="The new version's programs.")
def rehearse_postgres(
    paths: tuple[Path, ...],
    subject: str,
    to: str,
    copy: Path | None,
    programs: Path | None,
    form: str,
    ledger: str,
    config: Path | None,
    no_color: bool,
) -> int:
    """Upgrade the newest copy of each PostgreSQL in the repository at PATH, by copying and by linking, and back.

    The copy (a dump, a base backup, or the data directory of a stopped server) comes up in a scratch server. Every
    table is compared afterwards, and a column that cannot be carried over has to be refused first. The proof with the
    downtime goes into the ledger. Exits with 0 when all passed, 4 when one failed, 5 when one could not be verified,
    2 on an error.
    """
    from shoreup.drills.base import Wishes

    wishes = Wishes(copy=copy, to=to, programs=programs, product="postgresql")
    return _rehearsed(paths, wishes, subject, form, ledger, config, no_color=no_color)


@mysql.command("rehearse")
@_common
@click.option("--from", "copy", type=click.Path(path_type=Path, exists=True), metavar="COPY", help="Use this dump.")
def rehearse_mysql(
    paths: tuple[Path, ...],
    subject: str,
    to: str,
    copy: Path | None,
    form: str,
    ledger: str,
    config: Path | None,
    no_color: bool,
) -> int:
    """Restore the newest dump of each MySQL and MariaDB at PATH into a scratch server of the version to go to."""
    from shoreup.drills.base import Wishes

    wishes = Wishes(copy=copy, to=to, product="mysql")
    return _rehearsed(paths, wishes, subject, form, ledger, config, no_color=no_color)


def _planned(paths: tuple[Path, ...], options: PlanOptions, form: str, *, no_color: bool) -> int:
    from shoreup.cli.output import say, wants_colour, width_of
    from shoreup.cli.progress import Waiting
    from shoreup.report import upgrading as report
    from shoreup.stages.upgrades import plan

    with Waiting() as waiting:
        plans = plan(paths or (Path(),), options, waiting)
    if form == "json":
        say(report.render_json(plans))
    else:
        say(report.render(plans, width=width_of(sys.stdout), colour=wants_colour(sys.stdout, no_color)))
    return FAILED if any(one.blocked for one in plans) else 0


def _rehearsed(
    paths: tuple[Path, ...],
    wishes: Wishes,
    subject: str,
    form: str,
    ledger: str,
    config: Path | None,
    *,
    no_color: bool,
) -> int:
    from shoreup.cli.output import say, wants_colour, width_of
    from shoreup.cli.progress import Waiting
    from shoreup.model.proof import Verdict
    from shoreup.report import drilled as report
    from shoreup.stages.drill import DrillOptions, drill

    options = DrillOptions(name="upgrade", subject=subject, wishes=wishes, config=config, ledger=ledger)
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
