"""``shoreup backup``: take backups, list them, verify them, remove old ones, and bring one back."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from shoreup.cli.listing import Listing

if TYPE_CHECKING:
    from shoreup.stages.backups import Where

FAILED = 4
UNVERIFIED = 5
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
            "--at",
            "root",
            type=click.Path(path_type=Path),
            default=Path(),
            metavar="PATH",
            help="The folder with shoreup.toml.",
        ),
    ):
        command = option(command)
    return command


@click.group("backup", cls=Listing, context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Backups of your own, as [backup.NAME] in shoreup.toml says.

    A backup counts when the store has given back every byte of it. Exits with 2 on an error, and then nothing half is
    listed.
    """


@command.command("run")
@click.argument("name")
@click.option("--prune", is_flag=True, help="Then remove what the policy does not keep.")
@_common
def run(name: str, prune: bool, form: str, config: Path | None, root: Path) -> int:
    """Take the backup NAME."""
    from shoreup.cli.backup_rows import row_of_record
    from shoreup.cli.output import say
    from shoreup.cli.progress import Waiting
    from shoreup.report import backups as report
    from shoreup.stages.backups import prune_backups, run_backup, store_of

    where = _where(root, config)
    with Waiting() as waiting:
        record = run_backup(where, name, waiting)
        if prune:
            prune_backups(where, name, waiting, dry_run=False)
    row, (width, colour) = row_of_record(record), _terminal()
    store = store_of(where, name)
    text = report.taken(name, store, row, width=width, colour=colour)
    say(report.taken_json(name, store, row) if form == "json" else text)
    return 0


@command.command("list")
@click.argument("name", required=False, default="")
@_common
def list_(name: str, form: str, config: Path | None, root: Path) -> int:
    """List the backups of NAME, or of every name. What is damaged or lost is called so."""
    from shoreup.cli.backup_rows import group_of
    from shoreup.cli.output import say
    from shoreup.report import backups as report
    from shoreup.stages.backups import list_backups

    groups = [group_of(one) for one in list_backups(_where(root, config), name)]
    width, colour = _terminal()
    say(report.listed_json(groups) if form == "json" else report.listed(groups, width=width, colour=colour))
    return UNVERIFIED if any(one.trouble for one in groups) else 0


@command.command("verify")
@click.argument("name")
@click.argument("id_", metavar="[ID]", required=False, default="")
@click.option("--all", "all_", is_flag=True, help="Every backup of the name, not only the newest.")
@click.option("--drill", is_flag=True, help="Restore it into a scratch engine too, compare, and keep the proof.")
@click.option("--ledger", default="", metavar="URL", help="Keep the proof there.")
@_common
def verify(
    name: str, id_: str, all_: bool, drill: bool, ledger: str, form: str, config: Path | None, root: Path
) -> int:
    """Read a backup of NAME again, byte by byte: the newest, or the one of ID (its beginning is enough).

    Exits with 4 when one is damaged, with 5 when a drill could not be carried out.
    """
    from shoreup.cli.backup_rows import seen_of
    from shoreup.cli.output import say
    from shoreup.cli.progress import Waiting
    from shoreup.report import backups as report
    from shoreup.stages.backups import verify_backups

    with Waiting() as waiting:
        looked = verify_backups(_where(root, config, ledger), name, id_, every=all_, drill=drill, say=waiting)
    seen, (width, colour) = [seen_of(one) for one in looked], _terminal()
    say(report.looked_json(name, seen) if form == "json" else report.looked(seen, width=width, colour=colour))
    if not all(one.good for one in seen):
        return FAILED
    return UNVERIFIED if drill and not all(one.proof and one.proof["verdict"] == "pass" for one in seen) else 0


@command.command("prune")
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Remove nothing; say what would go, and why.")
@_common
def prune(name: str, dry_run: bool, form: str, config: Path | None, root: Path) -> int:
    """Remove the backups of NAME that its policy does not keep.

    The newest good one stays whatever the policy says, and so does the newest that a drill restored.
    """
    from shoreup.cli.output import say
    from shoreup.cli.progress import Waiting
    from shoreup.report import backups as report
    from shoreup.stages.backups import prune_backups

    with Waiting() as waiting:
        decided = prune_backups(_where(root, config), name, waiting, dry_run=dry_run)
    choices, (width, colour) = [report.Choice(one.id, one.stays, one.reason) for one in decided], _terminal()
    text = report.chosen(choices, dry_run=dry_run, width=width, colour=colour)
    say(report.chosen_json(name, choices, dry_run=dry_run) if form == "json" else text)
    return 0


@command.command("restore")
@click.argument("name")
@click.argument("id_", metavar="[ID]", required=False, default="")
@click.option("--to", "folder", type=click.Path(path_type=Path), metavar="FOLDER", help="Into a new folder.")
@click.option("--into", "database", default="", metavar="DATABASE", help="Into a new database of the same server.")
@click.option("--over", is_flag=True, help="In the place of what is there, which is kept beside.")
@click.option("--confirm", default="", metavar="NAME", help="For --over: NAME, typed once more.")
@_common
def restore(
    name: str,
    id_: str,
    folder: Path | None,
    database: str,
    over: bool,
    confirm: str,
    form: str,
    config: Path | None,
    root: Path,
) -> int:
    """Bring a backup of NAME back: the newest good one, or the one of ID (its beginning is enough).

    It is brought beside the place and compared with what it was of; only then it gets the name. What had the name
    before --over is kept under another.
    """
    from shoreup.cli.output import say
    from shoreup.cli.progress import Waiting
    from shoreup.model.errors import UserError
    from shoreup.operations.backup.restoring import Wish
    from shoreup.report import backups as report
    from shoreup.stages.backups import restore_backup

    if over and not confirm and sys.stdin.isatty():
        confirm = click.prompt(
            f"This takes the place of what {name} is of. Stop what uses it, and type {name}", err=True
        )
    if over and confirm != name:
        raise UserError(f"--over takes the place of what {name} is of now: say --confirm {name}, or restore elsewhere.")
    wish = Wish(id_, str(folder.resolve()) if folder is not None else "", database, over)
    with Waiting() as waiting:
        done = restore_backup(_where(root, config), name, wish, waiting)
    width, colour = _terminal()
    text = report.restored(name, done.id, done.place, done.compared, width=width, colour=colour)
    say(report.restored_json(name, done.id, done.place, done.compared) if form == "json" else text)
    return 0


def _where(root: Path, config: Path | None, ledger: str = "") -> Where:
    from shoreup.stages.backups import Where

    return Where(root, config, ledger)


def _terminal() -> tuple[int, bool]:
    from shoreup.cli.output import wants_colour, width_of

    return width_of(sys.stdout), wants_colour(sys.stdout, False)
