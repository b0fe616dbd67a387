"""``shoreup fix``: the edits that cure findings, as a diff or written, and the reason for each finding left alone."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shoreup.cli.catalogue import complete

if TYPE_CHECKING:
    from shoreup.model.amendment import Applied, Change

FAILED = 6
"""Some edit failed a check and was dropped."""


@click.command("fix")
@click.argument("paths", nargs=-1, metavar="[PATH|FINGERPRINT]...", type=click.Path(path_type=Path))
@click.option("--unsafe", is_flag=True, help="Also fixes that restart or change behaviour, each with its impact.")
@click.option("--select", multiple=True, metavar="ID", shell_complete=complete, help="Only these concerns.")
@click.option("--ignore", multiple=True, metavar="ID", shell_complete=complete, help="All but these concerns.")
@click.option("--fingerprint", "fingerprints", multiple=True, metavar="F", help="Only this finding; may be repeated.")
@click.option("--prometheus", default="", metavar="URL", help="Take requests and limits from what it has measured.")
@click.option("--window", default="", metavar="TIME", help="How far it is asked back, such as 7d (the default).")
@click.option("--audit-log", type=click.Path(path_type=Path), metavar="FILE", help="Bind roles by what it shows used.")
@click.option("--allow", multiple=True, metavar="VERB/RESOURCE", help="Learn this too, though it leads to more rights.")
@click.option("--into-modules", is_flag=True, help="With module-oversized: a module for each subject of a long file.")
@click.option("--write", is_flag=True, help="Write the files. Without it nothing is written.")
@click.option("--interactive", "-i", is_flag=True, help="Ask for each fix, with its finding and diff.")
@click.option("--branch", default="", metavar="NAME", help="Commit on a new branch, one commit for each concern.")
@click.option("--patch", type=click.Path(path_type=Path), metavar="FILE", help="Write the diff there, for git apply.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="text for people, json for programs.",
)
@click.option(
    "--config", type=click.Path(path_type=Path), metavar="FILE", help="Settings, instead of PATH/shoreup.toml."
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
@click.option("--no-color", is_flag=True, help="No colour, also where the terminal has it.")
def command(
    paths: tuple[Path, ...],
    unsafe: bool,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    fingerprints: tuple[str, ...],
    prometheus: str,
    window: str,
    audit_log: Path | None,
    allow: tuple[str, ...],
    into_modules: bool,
    write: bool,
    interactive: bool,
    branch: str,
    patch: Path | None,
    form: str,
    config: Path | None,
    today: datetime | None,
    concerns: tuple[Path, ...],
    no_color: bool,
) -> int:
    """Fix what code can cure in the repository at PATH (the current folder by default).

    Shows the unified diff of all safe fixes and writes nothing, unless --write is given. Every edit is first made in
    memory and the edited estate read again: the finding must be gone, no other may come, and nothing but the intended
    fields may change. With --prometheus, credentials are read from SHOREUP_PROMETHEUS_TOKEN, _TOKEN_FILE, or _USER and
    _PASSWORD. Exits with 0 when done, 2 on an error, 6 when some edit failed a check and was dropped.
    """
    from shoreup.cli.catalogue import expand
    from shoreup.cli.output import save_bytes, say, wants_colour, width_of
    from shoreup.cli.progress import Waiting
    from shoreup.report import amendment as report
    from shoreup.report.patch import render as render_patch
    from shoreup.stages.fix import FixOptions, branch_out, fix, write_out
    from shoreup.stages.opening import estate_root
    from shoreup.stages.own_concerns import own_code

    folders = tuple(one for one in paths if not is_mark(one))
    marks = (*fingerprints, *(str(one) for one in paths if is_mark(one)))
    width, colour = width_of(sys.stdout), wants_colour(sys.stdout, no_color)
    if branch:
        from shoreup.sources.git_branch import refuse_branch

        refuse_branch(estate_root(folders or (Path(),))[0], branch)
    own = own_code(estate_root(folders or (Path(),))[0], concerns)
    options = FixOptions(
        select=expand(select, own),
        ignore=expand(ignore, own),
        fingerprints=marks,
        unsafe=unsafe,
        today=today.date() if today else None,
        config=config,
        prometheus=prometheus,
        window=_time(window),
        into_modules=into_modules,
        audit_log=audit_log,
        allow=allow,
        own=own,
        choose=Questions(width, colour) if interactive else None,
        shown=form == "text" and not interactive,
    )
    with Waiting(quiet=interactive) as waiting:
        fixed = fix(folders or (Path(),), options, waiting)
    if patch is not None:
        save_bytes(render_patch(fixed.amendment.changes), patch)
    amendment = branch_out(fixed, branch) if branch else write_out(fixed) if write else fixed.amendment
    if form == "json":
        say(report.render_json(amendment))
    else:
        say(report.render(amendment, width=width, colour=colour, diff=not interactive))
    return FAILED if amendment.dropped else 0


class Questions:
    """Asks a person for each fix; remembers a yes or no for all that follow."""

    def __init__(self, width: int, colour: bool) -> None:
        self._width = width
        self._colour = colour
        self._settled: bool | None = None

    def __call__(self, offer: Applied, changes: Sequence[Change]) -> bool:
        """Whether the fix is taken."""
        if self._settled is not None:
            return self._settled
        from shoreup.cli.output import say
        from shoreup.report.amendment import render_offer

        say(render_offer(offer, changes, width=self._width, colour=self._colour))
        answer = click.prompt(
            "Fix this? [y]es, [n]o, [a]ll that follow, [q]uit asking", type=_ANSWERS, show_choices=False
        )
        if answer in ("a", "q"):
            self._settled = answer == "a"
        return answer in ("y", "a")


def _time(window: str) -> timedelta | None:
    from shoreup.stages.settings import duration

    if not window:
        return None
    found = duration(window)
    if found is None:
        raise click.BadParameter(f"{window!r} is no time such as '36h', '7d' or '2w'", param_hint="--window")
    return found


_ANSWERS = click.Choice(["y", "n", "a", "q"])


def is_mark(path: Path) -> bool:
    """Whether an argument is a fingerprint and not the name of something that is there."""
    from shoreup.stages.explanation import FINGERPRINT

    return bool(FINGERPRINT.fullmatch(str(path))) and not path.exists()
