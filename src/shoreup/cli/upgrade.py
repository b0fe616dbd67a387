"""``shoreup upgrade``: a database goes to its next major version, rehearsed first, with a way back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from shoreup.cli.listing import Listing

if TYPE_CHECKING:
    from shoreup.cli.progress import Waiting
    from shoreup.drills.base import Wishes
    from shoreup.model.proof import Proof
    from shoreup.operations.outcomes import Outcome
    from shoreup.report.drilled import Left
    from shoreup.stages.upgrading.plans import PlanOptions

FAILED = 4
UNVERIFIED = 5
_Command = TypeVar("_Command", bound=Callable[..., object])
_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.group("upgrade", cls=Listing)
def command() -> None:
    """Move a database to its next major version: planned, rehearsed on a copy, with a way back."""


@command.group("postgres", cls=Listing)
def postgres() -> None:
    """PostgreSQL, by pg_upgrade."""


@command.group("mysql", cls=Listing)
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
            click.option(
                "--format",
                "form",
                type=click.Choice(["text", "json"]),
                default="text",
                show_default=True,
                help="text for people, json for programs.",
            ),
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
    from shoreup.stages.upgrading.plans import PlanOptions

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
    from shoreup.stages.upgrading.plans import PlanOptions

    options = PlanOptions("mysql", subject, to, config=config, ledger=ledger)
    return _planned(paths, options, form, no_color=no_color)


@postgres.command("rehearse")
@_common
@click.option("--from", "copy", type=click.Path(path_type=Path, exists=True), metavar="COPY", help="Use this copy.")
@click.option("--data", type=_FOLDER, metavar="DIR", help="Use a copy of this data directory; its server may run.")
@click.option("--new-bin", "programs", type=_FOLDER, metavar="DIR", help="The new version's programs.")
@click.option("--old-bin", "old", type=_FOLDER, metavar="DIR", help="The old version's programs.")
def rehearse_postgres(
    paths: tuple[Path, ...],
    subject: str,
    to: str,
    copy: Path | None,
    data: Path | None,
    programs: Path | None,
    old: Path | None,
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
    from shoreup.model.errors import UserError
    from shoreup.stages.upgrading.runs import RunOptions, rehearse_data

    if data is not None:
        if copy is not None:
            raise UserError("--data and --from are two copies. Name one.")
        options = RunOptions(data, to, subject, old=old, programs=programs, config=config, ledger=ledger)
        with _waiting() as waiting:
            done = rehearse_data(paths or (Path(),), options, waiting)
        return _proven([done.proof], [], done.ledger, form, no_color=no_color)
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


def _on_data(function: _Command) -> _Command:
    """What the commands have in common that change a cluster."""
    for option in reversed(
        (
            click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path)),
            click.option("--data", type=_FOLDER, metavar="DIR", required=True, help="The data directory."),
            click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="Its settings."),
            click.option(
                "--format",
                "form",
                type=click.Choice(["text", "json"]),
                default="text",
                show_default=True,
                help="text for people, json for programs.",
            ),
        )
    ):
        function = option(function)
    return function


@postgres.command("run")
@_on_data
@click.option("--subject", default="", metavar="NAMESPACE/NAME", help="The database of the repository that it is.")
@click.option("--to", default="", metavar="VERSION", help="The version to go to, instead of the newest.")
@click.option(
    "--mode", type=click.Choice(["copy", "link"]), default="copy", show_default=True, help="How files go over."
)
@click.option("--snapshot", default="", metavar="WORDS", help="A snapshot that you have made, instead of a backup.")
@click.option("--hold", is_flag=True, help="Leave the new server shut, to look at it: then open, or rollback.")
@click.option("--unrehearsed", is_flag=True, help="Go without a rehearsal that counts today.")
@click.option("--new-bin", "programs", type=_FOLDER, metavar="DIR", help="The new version's programs.")
@click.option("--old-bin", "old", type=_FOLDER, metavar="DIR", help="The old version's programs.")
@click.option("--ledger", default="", metavar="URL", help="The ledger of proofs.")
def run_postgres(
    paths: tuple[Path, ...],
    data: Path,
    config: Path | None,
    form: str,
    subject: str,
    to: str,
    mode: str,
    snapshot: str,
    hold: bool,
    unrehearsed: bool,
    programs: Path | None,
    old: Path | None,
    ledger: str,
) -> int:
    """Upgrade the PostgreSQL in the data directory DIR: backup, stop, pg_upgrade, verify, start.

    Its server has to run, started by pg_ctl and not held by a service manager. A base backup is made and verified
    first. The downtime is measured from the order to stop until clients are let in. By link it is short, and once the
    new server has started only the backup goes back; by copy the old directory stays as it was. A run that was killed
    goes on with the next command, or by 'shoreup runs resume'.
    """
    from shoreup.engines.postgresql.upgrade import Mode
    from shoreup.stages.upgrading.runs import RunOptions, run_upgrade

    options = RunOptions(
        data, to, subject, Mode(mode), snapshot, old, programs, hold, unrehearsed, config=config, ledger=ledger
    )
    with _waiting() as waiting:
        done = run_upgrade(paths or (Path(),), options, waiting)
    return _done(done, form)


@postgres.command("open")
@_on_data
def open_postgres(paths: tuple[Path, ...], data: Path, config: Path | None, form: str) -> int:
    """Let clients in to a new server that was held shut by 'run --hold'."""
    from shoreup.stages.upgrading.runs import RunOptions, open_upgrade

    with _waiting() as waiting:
        done = open_upgrade(paths or (Path(),), RunOptions(data, config=config), waiting)
    return _done(done, form)


@postgres.command("rollback")
@_on_data
@click.option("--consent", default="", metavar="WORDS", help="'lose later writes', where going back loses them.")
def rollback_postgres(paths: tuple[Path, ...], data: Path, config: Path | None, form: str, consent: str) -> int:
    """Go back to the old version.

    Before the new server let anybody in nothing is lost. Afterwards what was written since is, and after a start by
    link everything since the backup: both need --consent. The new cluster is kept beside the data directory.
    """
    from shoreup.stages.upgrading.runs import RunOptions, roll_back

    with _waiting() as waiting:
        done = roll_back(paths or (Path(),), RunOptions(data, config=config), consent, waiting)
    return _done(done, form)


@command.command("gate")
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
@click.option("--since", required=True, metavar="REV", help="The revision that runs: origin/main, a tag, a commit.")
@click.option("--ledger", default="", metavar="URL", help="The ledger of proofs.")
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="Its settings.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="text for people, json for programs.",
)
@click.option("--no-color", is_flag=True, help="No colour, also where the terminal has it.")
def gate(paths: tuple[Path, ...], since: str, ledger: str, config: Path | None, form: str, no_color: bool) -> int:
    """Let another image under data through only with a fresh proof, in the ledger or in .shoreup/proofs.

    Another major of a database needs a rehearsal of that very step; any other change of what keeps data needs a restore
    that was seen to work. Exits with 0 where every change has its proof, 4 where a proof failed or the step goes back,
    5 where none counts, 2 on an error.
    """
    from shoreup.cli.output import say, wants_colour, width_of
    from shoreup.model.proof import Verdict
    from shoreup.report import upgrading as report
    from shoreup.stages.upgrading.gate import gate as held

    with _waiting() as waiting:
        found = held(paths or (Path(),), since, waiting, config=config, ledger=ledger)
    if form == "json":
        say(report.gated_json(found.changes, found.since, found.verdict))
    else:
        width, colour = width_of(sys.stdout), wants_colour(sys.stdout, no_color)
        say(report.gated(found.changes, found.since, width=width, colour=colour))
    return {Verdict.PASS: 0, Verdict.FAIL: FAILED}.get(found.verdict, UNVERIFIED)


def _waiting() -> Waiting:
    from shoreup.cli.progress import Waiting

    return Waiting()


def _done(outcome: Outcome, form: str) -> int:
    from shoreup.cli.output import say
    from shoreup.report import upgrading as report

    results = dict(outcome.results)
    say(report.done_json(outcome.run, results) if form == "json" else report.done(outcome.run, results))
    return 0


def _planned(paths: tuple[Path, ...], options: PlanOptions, form: str, *, no_color: bool) -> int:
    from shoreup.cli.output import say, wants_colour, width_of
    from shoreup.report import upgrading as report
    from shoreup.stages.upgrading.plans import plan

    with _waiting() as waiting:
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
    from shoreup.report import drilled as report
    from shoreup.stages.drill import DrillOptions, drill

    options = DrillOptions(name="upgrade", subject=subject, wishes=wishes, config=config, ledger=ledger)
    with _waiting() as waiting:
        done = drill(paths or (Path(),), options, waiting)
    left = [report.Left(str(one.subject), one.drill, one.reason) for one in done.untried]
    return _proven(done.proofs, left, done.ledger, form, no_color=no_color)


def _proven(proofs: Sequence[Proof], left: Sequence[Left], ledger: str, form: str, *, no_color: bool) -> int:
    from shoreup.cli.output import say, wants_colour, width_of
    from shoreup.model.proof import Verdict
    from shoreup.report import drilled as report

    if form == "json":
        say(report.render_json(proofs, left, ledger))
    else:
        width, colour = width_of(sys.stdout), wants_colour(sys.stdout, no_color)
        say(report.render(proofs, left, ledger, width=width, colour=colour))
    if any(one.verdict is Verdict.FAIL for one in proofs):
        return FAILED
    return UNVERIFIED if left or any(one.verdict is not Verdict.PASS for one in proofs) else 0
