"""``shoreup report``: everything about an estate as one page."""

from __future__ import annotations

from pathlib import Path

import click

PAGE = Path("shoreup-report.html")


@click.command("report")
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    default=PAGE,
    show_default=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the page there, whole or not at all; - for standard output.",
)
@click.option("--open", "opened", is_flag=True, help="Show it in the browser.")
@click.option("--safe-only", is_flag=True, help="Show only fixes that restart nothing.")
@click.option("--persona", type=click.Choice(["regular", "strict", "incident"]), help="How much to say.")
@click.option(
    "--config", type=click.Path(path_type=Path), metavar="FILE", help="Settings, instead of PATH/shoreup.toml."
)
def command(
    paths: tuple[Path, ...],
    output: Path,
    opened: bool,
    safe_only: bool,
    persona: str | None,
    config: Path | None,
) -> None:
    """Write what would sink the repository at PATH (the current folder by default) as one HTML file.

    What to do first, how ready each service is, what hangs on what, every finding, the diffs of fixes that were
    checked, and what drills have proven. The file reaches no network and can be mailed or kept.
    """
    import webbrowser

    from shoreup.cli.output import complain, save, say
    from shoreup.cli.progress import Waiting
    from shoreup.model.errors import UserError
    from shoreup.model.grades import Persona
    from shoreup.report.html import render
    from shoreup.stages.dossier import DossierOptions, dossier

    if opened and str(output) == "-":
        raise UserError("A browser opens a file. Name one with --output, or leave --open away.")
    options = DossierOptions(unsafe=not safe_only, config=config, persona=Persona(persona) if persona else None)
    with Waiting() as waiting:
        page = render(dossier(paths or (Path(),), options, waiting))
    if str(output) == "-":
        say(page)
    else:
        save(page, output)
        complain(f"Written to {output}.")
        if opened and not webbrowser.open(output.resolve().as_uri()):
            complain(f"No browser could be started; open {output} in one.")
