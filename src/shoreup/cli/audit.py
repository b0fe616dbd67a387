"""``shoreup audit``: read the estate, say what would sink it, and let the exit code say it to machines."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shoreup.cli.catalogue import complete
from shoreup.model.errors import UserError
from shoreup.model.grades import FailOn, Persona, Severity

if TYPE_CHECKING:
    from shoreup.model.account import Account
    from shoreup.report.text import Detail
    from shoreup.stages.own_concerns import OwnCode

SEVERITIES = [severity.value for severity in Severity]
FORMATS = ["text", "concise", "json", "sarif", "junit", "github", "markdown", "html"]
STDOUT = Path("-")


@click.command("audit")
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "forms",
    multiple=True,
    type=click.Choice(FORMATS),
    default=["text"],
    show_default="text",
    help="How to show the account; concise is a line for each finding. Several make several reports, each with its "
    "--output.",
)
@click.option(
    "--select",
    multiple=True,
    metavar="ID",
    shell_complete=complete,
    help="Only these concerns: ids, 'backup-*', commas.",
)
@click.option("--ignore", multiple=True, metavar="ID", shell_complete=complete, help="All but these concerns.")
@click.option("--min-severity", type=click.Choice(SEVERITIES), show_default="low", help="Leave out what is less.")
@click.option(
    "--fail-on",
    type=click.Choice([one.value for one in FailOn]),
    show_default="high",
    help="Exit with 1 when a finding is at least this bad.",
)
@click.option("--fail-on-errors", is_flag=True, help="Exit with 2 when something could not be read.")
@click.option(
    "--persona",
    type=click.Choice([one.value for one in Persona]),
    show_default="regular",
    help="Whom it is for: incident hears of data loss and takeover alone, strict of everything.",
)
@click.option(
    "--baseline", type=click.Path(path_type=Path), metavar="FILE", help="What this file knows is counted, not shown."
)
@click.option(
    "--write-baseline", type=click.Path(path_type=Path), metavar="FILE", help="Write what is found as a baseline."
)
@click.option("--since", default="", metavar="REV", help="Show only what came since this git revision.")
@click.option(
    "--config", type=click.Path(path_type=Path), metavar="FILE", help="Settings, instead of PATH/shoreup.toml."
)
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the report there, whole or not at all. The first belongs to the first --format, and so on.",
)
@click.option("--brief", is_flag=True, help="Text: what to do first, and a line for each kind of the rest.")
@click.option("--full", is_flag=True, help="Text: every finding on its own, nothing folded.")
@click.option(
    "--plan",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What 'terraform show -json' printed; it knows better than the source.",
)
@click.option(
    "--today",
    metavar="YYYY-MM-DD",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Judge what is still supported as of this day.",
)
@click.option(
    "--concerns",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Concerns of your own: a Python file, which is run.",
)
@click.option("--no-cache", is_flag=True, help="Read everything anew.")
@click.option("--no-color", is_flag=True, help="No colour, also where the terminal has it.")
def command(
    paths: tuple[Path, ...],
    forms: tuple[str, ...],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    min_severity: str | None,
    fail_on: str | None,
    fail_on_errors: bool,
    persona: str | None,
    baseline: Path | None,
    write_baseline: Path | None,
    since: str,
    config: Path | None,
    outputs: tuple[Path, ...],
    brief: bool,
    full: bool,
    plan: Path | None,
    today: datetime | None,
    concerns: tuple[Path, ...],
    no_cache: bool,
    no_color: bool,
) -> int:
    """Audit the repository at PATH (the current folder by default).

    Exits with 0 when nothing is at or above --fail-on, 1 when something is, 2 on an error, 3 when there is nothing to
    audit. Findings that --min-severity or --persona leave out, that a baseline knows or that were there at --since do
    not count. Options outrank shoreup.toml.
    """
    from shoreup.cli.catalogue import expand
    from shoreup.cli.output import complain, save, say
    from shoreup.cli.progress import Waiting
    from shoreup.stages.audit import AuditOptions, audit
    from shoreup.stages.opening import estate_root
    from shoreup.stages.own_concerns import own_code
    from shoreup.stages.settings import read_settings

    if brief and full:
        raise UserError("--brief and --full ask for opposite things. Name one of them.")
    reports = paired(forms, outputs)
    root = estate_root(paths)[0]
    selection = read_settings(root, config).settings.selection
    own = own_code(root, concerns)
    day: date | None = today.date() if today else None
    options = AuditOptions(
        select=expand(select, own),
        ignore=expand(ignore, own),
        cache=not no_cache,
        plan=plan,
        today=day,
        config=config,
        persona=Persona(persona) if persona else None,
        baseline=baseline,
        since=since,
        own=own,
    )
    with Waiting() as waiting:
        account = audit(paths or (Path(),), options, waiting)
    if write_baseline is not None:
        from shoreup.stages.auditing.baseline import render_baseline

        save(render_baseline(account), write_baseline)
    account = at_least(account, Severity(min_severity) if min_severity else selection.min_severity)

    printer = _Printer(paths or (Path(),), "brief" if brief else "full" if full else "folded", no_color, own, config)
    for form, target in reports:
        if target is None:
            say(printer.render(account, form, to_file=False))
        else:
            save(printer.render(account, form, to_file=True), target)
    if fail_on_errors and account.errors:
        complain(f"{len(account.errors)} problem(s) kept parts of the estate from being read. The report lists them.")
    return exit_code(account, FailOn(fail_on) if fail_on else selection.fail_on, fail_on_errors)


def paired(forms: tuple[str, ...], outputs: tuple[Path, ...]) -> list[tuple[str, Path | None]]:
    """Each format with the file that it goes to, ``None`` for standard output. Raises :class:`UserError`."""
    if len(outputs) > len(forms):
        raise UserError(f"There are {len(outputs)} --output for {len(forms)} --format. Name a format for each.")
    targets = [None if output == STDOUT else output for output in outputs]
    pairs = list(zip(forms, [*targets, *[None] * (len(forms) - len(targets))], strict=True))
    if sum(target is None for _, target in pairs) > 1:
        raise UserError("Only one report can go to the terminal. Give each --format an --output, '-' for the terminal.")
    files = [target.absolute() for target in targets if target is not None]
    if len(set(files)) < len(files):
        raise UserError("Two reports cannot go to one file. Name another --output.")
    return pairs


def at_least(account: Account, severity: Severity) -> Account:
    """The account without what is less severe. Ranks stay what they were."""
    if severity is Severity.LOW:
        return account
    from msgspec.structs import replace

    return replace(
        account,
        findings=tuple(one for one in account.findings if one.severity.order <= severity.order),
        unproven=tuple(one for one in account.unproven if one.severity.order <= severity.order),
    )


def exit_code(account: Account, fail_on: FailOn, fail_on_errors: bool) -> int:
    """What the process says to whoever started it. An audit that must be whole and is not outranks its findings."""
    if fail_on_errors and account.errors:
        return 2
    deciding = (*account.findings, *account.unproven) if account.ledger else account.findings
    return int(any(fail_on.fails(one.severity) for one in deciding))


def prefix(paths: tuple[Path, ...]) -> str:
    """The way from the top of the git repository to the estate, such as ``infra/``, for readers that start there."""
    from shoreup.stages.opening import estate_root

    estate = estate_root(paths)[0].resolve()
    for top in (estate, *estate.parents):
        if (top / ".git").exists():
            way = estate.relative_to(top).as_posix()
            return "" if way == "." else f"{way}/"
    return ""


@dataclass(frozen=True, slots=True)
class _Printer:
    """Renders reports; loads only the format that is asked for."""

    paths: tuple[Path, ...]
    detail: Detail
    refuse_colour: bool
    own: OwnCode
    config: Path | None

    def render(self, account: Account, form: str, *, to_file: bool) -> str:
        if form == "json":
            from shoreup.report import contract

            return contract.render(account)
        if form == "concise":
            from shoreup.report import concise

            return concise.render(account)
        if form == "sarif":
            from shoreup.cli.catalogue import every
            from shoreup.concerns.registry import page
            from shoreup.report import sarif

            return sarif.render(account, tuple(page(one) for one in every(self.own)), prefix=prefix(self.paths))
        if form == "junit":
            from shoreup.report import junit

            return junit.render(account)
        if form == "github":
            from shoreup.report import github

            return github.render(account, prefix=prefix(self.paths))
        if form == "markdown":
            from shoreup.report import markdown

            return markdown.render(account)
        if form == "html":
            from shoreup.cli.progress import Waiting
            from shoreup.report import html
            from shoreup.stages.dossier import DossierOptions, dossier

            with Waiting() as waiting:
                return html.render(dossier(self.paths, DossierOptions(config=self.config), waiting, account))
        from shoreup.cli.output import PIPE_WIDTH, wants_colour, width_of
        from shoreup.report import text

        width = PIPE_WIDTH if to_file else width_of(sys.stdout)
        colour = wants_colour(sys.stdout, self.refuse_colour or to_file)
        return text.render(account, width=width, colour=colour, detail=self.detail)
