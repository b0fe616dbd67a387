"""``shoreup audit``: read the estate, say what would sink it, and let the exit code say it to machines."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shoreup.cli.catalogue import complete
from shoreup.model.finding import Severity

if TYPE_CHECKING:
    from shoreup.model.account import Account

SEVERITIES = [severity.value for severity in Severity]
NEVER = "never"
STDOUT = Path("-")


@click.command("audit")
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["text", "json", "sarif"]), default="text", show_default=True)
@click.option(
    "--select",
    multiple=True,
    metavar="ID",
    shell_complete=complete,
    help="Only these concerns: ids, 'backup-*', commas.",
)
@click.option("--ignore", multiple=True, metavar="ID", shell_complete=complete, help="All but these concerns.")
@click.option(
    "--min-severity", type=click.Choice(SEVERITIES), default="low", show_default=True, help="Leave out what is less."
)
@click.option(
    "--fail-on",
    type=click.Choice([*SEVERITIES, NEVER]),
    default="high",
    show_default=True,
    help="Exit with 1 when a finding is at least this bad.",
)
@click.option("--fail-on-errors", is_flag=True, help="Exit with 2 when something could not be read.")
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write the report there, whole or not at all."
)
@click.option("--full", is_flag=True, help="Text: every finding on its own, nothing folded.")
@click.option(
    "--plan",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What 'terraform show -json' printed; it knows better than the source.",
)
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), help="Judge what is still supported as of this day.")
@click.option("--no-cache", is_flag=True, help="Read everything anew.")
@click.option("--no-color", is_flag=True, help="No colour, also where the terminal has it.")
def command(
    paths: tuple[Path, ...],
    form: str,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    min_severity: str,
    fail_on: str,
    fail_on_errors: bool,
    output: Path | None,
    full: bool,
    plan: Path | None,
    today: datetime | None,
    no_cache: bool,
    no_color: bool,
) -> int:
    """Audit the repository at PATH (the current folder by default).

    Exits with 0 when nothing is at or above --fail-on, 1 when something is, 2 on an error, 3 when there is nothing to
    audit. Findings that --min-severity leaves out do not count.
    """
    from shoreup.cli.catalogue import expand
    from shoreup.cli.output import complain, save, say
    from shoreup.cli.progress import Waiting
    from shoreup.stages.audit import AuditOptions, audit

    day: date | None = today.date() if today else None
    options = AuditOptions(select=expand(select), ignore=expand(ignore), cache=not no_cache, plan=plan, today=day)
    with Waiting() as waiting:
        account = audit(paths or (Path(),), options, waiting)
    account = at_least(account, Severity(min_severity))

    to_file = output is not None and output != STDOUT
    text = _render(account, paths, form, full=full, refuse_colour=no_color or to_file, to_file=to_file)
    if output is not None and to_file:
        save(text, output)
    else:
        say(text)
    if fail_on_errors and account.errors:
        complain(f"{len(account.errors)} problem(s) kept parts of the estate from being read. The report lists them.")
    return exit_code(account, fail_on, fail_on_errors)


def at_least(account: Account, severity: Severity) -> Account:
    """The account without what is less severe. Ranks stay what they were."""
    if severity is Severity.LOW:
        return account
    return replace(
        account,
        findings=tuple(one for one in account.findings if one.severity.order <= severity.order),
        unproven=tuple(one for one in account.unproven if one.severity.order <= severity.order),
    )


def exit_code(account: Account, fail_on: str, fail_on_errors: bool) -> int:
    """What the process says to whoever started it. An audit that must be whole and is not outranks its findings."""
    if fail_on_errors and account.errors:
        return 2
    if fail_on == NEVER:
        return 0
    deciding = (*account.findings, *account.unproven) if account.ledger else account.findings
    return int(any(one.severity.order <= Severity(fail_on).order for one in deciding))


def prefix(paths: tuple[Path, ...]) -> str:
    """The way from the top of the git repository to the estate, such as ``infra/``, for readers that start there."""
    from shoreup.stages.audit import estate_root

    estate = estate_root(paths)[0].resolve()
    for top in (estate, *estate.parents):
        if (top / ".git").exists():
            way = estate.relative_to(top).as_posix()
            return "" if way == "." else f"{way}/"
    return ""


def _render(
    account: Account, paths: tuple[Path, ...], form: str, *, full: bool, refuse_colour: bool, to_file: bool
) -> str:
    if form == "json":
        from shoreup.report import contract

        return contract.render(account)
    if form == "sarif":
        from shoreup.concerns.registry import all_concerns, page
        from shoreup.report import sarif

        return sarif.render(account, tuple(page(one) for one in all_concerns()), prefix=prefix(paths))
    from shoreup.cli.output import PIPE_WIDTH, wants_colour, width_of
    from shoreup.report import text

    width = PIPE_WIDTH if to_file else width_of(sys.stdout)
    return text.render(account, width=width, colour=wants_colour(sys.stdout, refuse_colour), full=full)
