"""``shoreup init``: the first settings of an estate, from what is seen in it."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("init")
@click.argument("path", default=Path(), type=click.Path(path_type=Path), metavar="[PATH]")
def command(path: Path) -> None:
    """Write shoreup.toml for the repository at PATH (the current folder by default).

    What only you can know is written out with the names of the estate and commented. A file that is there stays as it
    is.
    """
    from shoreup.cli.output import save, say
    from shoreup.cli.progress import Waiting
    from shoreup.stages.beginning import first_settings

    with Waiting() as waiting:
        target, text = first_settings(path, waiting)
    save(text, target)
    say(f"Wrote {target}. Read it, take the signs away where you agree, then run 'shoreup audit'.\n")
