"""``shoreup alerts``: rules for what fails quietly."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("alerts")
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
@click.option(
    "--as",
    "dialect",
    type=click.Choice(["prometheusrule", "vmrule", "helm-values", "rule-file"]),
    help="What holds the rules; by default what the estate uses.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write them there.")
@click.option(
    "--config", type=click.Path(path_type=Path), metavar="FILE", help="Settings, instead of PATH/shoreup.toml."
)
def command(paths: tuple[Path, ...], dialect: str | None, output: Path | None, config: Path | None) -> None:
    """Write Prometheus rules for what the repository at PATH runs, fails quietly, and no rule looks at.

    Backups that are late, storage that does not answer or fills, certificates that end, pools and cards that are full,
    jobs that fail. Thresholds follow from the estate: how late is late comes from the job's schedule. What nothing
    exports gets no rule, and is named.
    """
    from shoreup.cli.output import complain, save, say
    from shoreup.cli.progress import Waiting
    from shoreup.stages.alerts import Dialect, alerts

    with Waiting() as waiting:
        found = alerts(paths or (Path(),), Dialect(dialect) if dialect else None, config, waiting)
    if not found.rules:
        complain(
            "No rule is missing: what fails quietly here is looked at already, or nothing that runs here exports it."
        )
    elif output is None:
        say(found.text)
    else:
        save(found.text, output)
    for one in found.unwritten:
        complain(f"no rule for {one.subject}: {one.why}")
