"""``shoreup rbac``: which rights are used, as the API server's audit log shows it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from shoreup.cli.listing import Listing


@click.group("rbac", cls=Listing)
def command() -> None:
    """Learn the least roles from what was really asked of the cluster."""


@command.command("learn")
@click.argument("log", type=click.Path(path_type=Path))
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
@click.option("--account", "accounts", multiple=True, metavar="NAMESPACE/NAME", help="Only this ServiceAccount.")
@click.option("--allow", multiple=True, metavar="VERB/RESOURCE", help="Learn this too, though it leads to more rights.")
@click.option("--format", "form", type=click.Choice(["yaml", "terraform", "json"]), default="yaml", show_default=True)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write what was learned, for 'shoreup fix'."
)
def learn(
    log: Path,
    paths: tuple[Path, ...],
    accounts: tuple[str, ...],
    allow: tuple[str, ...],
    form: str,
    output: Path | None,
) -> int:
    """Print the least roles that allow what an API audit log (JSON lines, .gz too) shows to be used.

    With PATH only the accounts that the repository grants something are learned, and what they have and never used is
    named. Rights that lead to more (escalate, bind, impersonate, Secrets of the whole cluster, pods/exec, nodes/proxy)
    are left out and named, unless --allow takes them up. With --output shoreup.rbac.json at the repository's top,
    'shoreup fix --unsafe' binds those roles. Exits with 0, with 1 where something was left out, with 2 on an error.
    """
    from shoreup.cli.output import complain, save, say
    from shoreup.cli.progress import Waiting
    from shoreup.formats.learned_file import render
    from shoreup.stages.learning import as_terraform, as_yaml
    from shoreup.stages.learning import learn as learned_from

    with Waiting() as waiting:
        lesson = learned_from(log, paths, accounts, allow, waiting)
    found = lesson.learned
    if output is not None:
        save(render(found), output)
    else:
        written = {"yaml": as_yaml, "terraform": as_terraform, "json": render}[form](found)
        say(written)
        sys.stdout.flush()
    for (namespace, name), unused in lesson.unused.items():
        for line in unused:
            complain(f"{namespace}/{name} never used {line}")
    if lesson.unread:
        complain(f"passed over in {log}, for they are no events: {lesson.unread} of its lines")
    for one in found.accounts:
        for refused in one.refused:
            complain(f"{one.namespace}/{one.name} used {refused}, which leads to more rights; it was left out")
    return int(any(one.refused for one in found.accounts))


@command.command("report")
@click.argument("log", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="text for people, json for programs.",
)
@click.option("--no-color", is_flag=True, help="No colour, also where the terminal has it.")
def report(log: Path, form: str, no_color: bool) -> None:
    """Say who was denied what, and who read which Secrets, in an API audit log (JSON lines, .gz too)."""
    from shoreup.cli.output import complain, say, wants_colour
    from shoreup.cli.progress import Waiting
    from shoreup.live.api_watch import read_access
    from shoreup.report import access

    with Waiting() as waiting:
        found = read_access(log, waiting)
    if not found.events:
        from shoreup.model.errors import UserError

        raise UserError(f"{log} holds no event of audit.k8s.io: {found.unread} lines are something else.")
    say(
        access.render_json(found) if form == "json" else access.render(found, colour=wants_colour(sys.stdout, no_color))
    )
    if found.unread:
        complain(f"passed over in {log}, for they are no events: {found.unread} of its lines")
