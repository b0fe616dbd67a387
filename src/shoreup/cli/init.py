"""``shoreup init``: an estate's first settings, a check of its changes, tests of it, from what is seen in it."""

from __future__ import annotations

from pathlib import Path

import click

KINDS = ("settings", "ci", "tests")


@click.command("init")
@click.argument("kind", required=False, metavar="[ci|tests]")
@click.argument("path", required=False, type=click.Path(path_type=Path), metavar="[PATH]")
@click.option(
    "--for",
    "forge",
    type=click.Choice(["github", "gitlab", "woodpecker", "pre-commit"]),
    help="ci: what runs it; by default what the repository uses.",
)
@click.option("--from", "source", default="", metavar="SOURCE", help="ci: what pip installs Shoreup from.")
@click.option(
    "--image", default="", metavar="IMAGE", help="tests: an image with kubectl, for a Job that asks Services."
)
@click.option("--print", "shown", is_flag=True, help="Print it, write nothing.")
def command(kind: str | None, path: Path | None, forge: str | None, source: str, image: str, shown: bool) -> None:
    """Write shoreup.toml for the repository at PATH (the current folder by default).

    What only you can know is written out with the names of the estate and commented. A file that is there stays as it
    is.

    With ci it writes a check of changes for the pipelines that the repository uses: what a change would add is found
    before it is merged, no latest gets in, and what keeps data moves only with a fresh proof.

    With tests it writes tests of the estate itself: assertions for Terraform of what its wiring makes certain, and
    smoke checks of the running platform as a script and a Job.
    """
    from shoreup.cli.output import complain, save, say
    from shoreup.cli.progress import Waiting

    folder = path or Path()
    if kind is not None and kind not in KINDS:
        folder = Path(kind)
    if kind == "ci":
        from shoreup.stages.init.ci_checks import Forge, draw_check

        with Waiting() as waiting:
            drawn = draw_check(folder, Forge(forge) if forge else None, source, waiting)
        _write(drawn.target, drawn.text, "", there=drawn.there, shown=shown)
        for scanner in drawn.replaces:
            complain(f"it could take the place of {scanner}")
        return
    if kind == "tests":
        from shoreup.stages.init.estate_tests import draw_tests

        with Waiting() as waiting:
            tests = draw_tests(folder, image, waiting)
        for one in tests.files:
            holds = f": {one.holds} {'check' if one.holds == 1 else 'checks'}"
            _write(one.target, one.text, holds, there=one.there, shown=shown)
        for reason in tests.untested:
            complain(f"no test for {reason}")
        return
    from shoreup.stages.init.first_settings import first_settings

    with Waiting() as waiting:
        target, text = first_settings(folder, waiting, shown=shown)
    if shown:
        say(text)
        return
    save(text, target)
    say(f"Wrote {target}. Read it, take the signs away where you agree, then run 'shoreup audit'.\n")


def _write(target: Path, text: str, holds: str, *, there: bool, shown: bool) -> None:
    """Write a file that is not there yet; one that is there stays, and the text is printed."""
    from shoreup.cli.output import complain, save, say

    if not shown and not there:
        target.parent.mkdir(parents=True, exist_ok=True)
        save(text, target)
        say(f"Wrote {target}{holds}.\n")
        return
    say(text)
    if not shown:
        complain(f"{target} is there already and stays as it is; this is what would stand in it.")
