"""``shoreup schedule``: what runs when."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command("schedule")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="text for people, json for programs.",
)
@click.option("--manifests", is_flag=True, help="Print CronJobs instead, for the cluster's own scheduler.")
@click.option("--image", default="", metavar="IMAGE", help="With --manifests: the image that has shoreup in it.")
@click.option("--namespace", default="shoreup", show_default=True, metavar="NAME", help="With --manifests: where.")
@click.option(
    "--repository", default="", metavar="URL", help="With --manifests: what drills clone; without it, there are none."
)
@click.option(
    "--scratch",
    default="20Gi",
    show_default=True,
    metavar="SIZE",
    help="With --manifests: room for what drills restore.",
)
@click.option(
    "--config", type=click.Path(path_type=Path), metavar="FILE", help="Settings, instead of PATH/shoreup.toml."
)
@click.option("--at", type=click.Path(path_type=Path), default=Path(), metavar="PATH", help="The repository's folder.")
def command(
    form: str,
    manifests: bool,
    image: str,
    namespace: str,
    repository: str,
    scratch: str,
    config: Path | None,
    at: Path,
) -> int:
    """Say what runs when, as [schedule.NAME] in shoreup.toml has it. 'shoreup serve' runs it.

    The CronJobs of --manifests keep their state in the volume claim shoreup-state and take passwords from the Secret
    shoreup; both are yours to make. Drills clone the repository, by what the Secret shoreup-git holds as 'config' for
    git where that is there, and find copies on the exports and claims of [storage].
    """
    from datetime import UTC, datetime

    from shoreup.cli.output import complain, say, wants_colour
    from shoreup.model.errors import UserError
    from shoreup.report import schedules as report
    from shoreup.stages.running.cron_jobs import Pods, fits, unmounted
    from shoreup.stages.running.cron_jobs import manifests as written
    from shoreup.stages.running.runs import Runner
    from shoreup.stages.running.schedules import listed, scheduled

    runner = Runner(at, config)
    if manifests:
        if not image:
            raise UserError("CronJobs need an image: --image registry.example.org/shoreup:1.2.3@sha256:...")
        found = scheduled(runner)
        storage = runner.given.settings.storage
        pods = Pods(image, namespace, repository=repository, storage=storage, scratch=scratch)
        say(written(found, runner.settings_text, pods))
        for one in found:
            if not fits(one, pods):
                complain(f"{one.name}: {one.words!r} reads the repository: say --repository URL, and pods clone it.")
        for name in unmounted(found, pods):
            complain(f"[storage] {name!r} is no export of NFS and no claim in {namespace}: its copies are not tried.")
        return 0
    seen = listed(runner, datetime.now(UTC))
    say(report.render_json(seen) if form == "json" else report.render(seen, colour=wants_colour(sys.stdout, False)))
    return 0
