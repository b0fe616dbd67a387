"""``shoreup images``: what the estate's images really are."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from shoreup.cli.listing import Listing


@click.group("images", cls=Listing)
def command() -> None:
    """Write down what runs, so that 'shoreup fix' can pin it."""


@command.command("lock")
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
@click.option(
    "--pods", type=click.Path(path_type=Path), metavar="FILE", help="What 'kubectl get pods -A -o json' printed."
)
@click.option("--cluster", is_flag=True, help="Ask the cluster of the current kubectl context for its pods.")
@click.option("--charts", type=click.Path(path_type=Path), metavar="FILE", help="What 'helm list -A -o json' printed.")
@click.option("--insecure", multiple=True, metavar="HOST", help="Speak plain HTTP with this registry.")
@click.option("--dry-run", is_flag=True, help="Print the file instead of writing it.")
@click.option("--today", metavar="YYYY-MM-DD", type=click.DateTime(["%Y-%m-%d"]), help="The day that entries bear.")
def lock(
    paths: tuple[Path, ...],
    pods: Path | None,
    cluster: bool,
    charts: Path | None,
    insecure: tuple[str, ...],
    dry_run: bool,
    today: datetime | None,
) -> int:
    """Write shoreup.lock: for each moving image reference the version and digest that it stands for.

    Registries are asked for what a tag names today; with --pods or --cluster the digest is the one that runs. Exits
    with 0 when every reference was resolved, 1 when some were not (each is named), 2 on an error.
    """
    from datetime import date

    from shoreup.cli.output import complain, save, say
    from shoreup.cli.progress import Waiting
    from shoreup.live.cluster_images import running_images
    from shoreup.model.errors import UserError
    from shoreup.stages.images import installed_charts
    from shoreup.stages.images import lock as resolve

    if pods is not None and cluster:
        raise UserError("Give --pods or --cluster, not both.")
    day = today.date() if today else date.today()  # noqa: DTZ011  # the day where the person is
    running = running_images(kubectl_pods() if cluster else _bytes(pods)) if cluster or pods else None
    held = installed_charts(_bytes(charts), charts.name, day) if charts else ()
    with Waiting() as waiting:
        locked = resolve(
            paths or (Path(),),
            running=running,
            source="cluster" if cluster else pods.name if pods else "registry",
            charts=held,
            insecure=insecure,
            today=day,
            say=waiting,
        )
    if dry_run:
        say(locked.text)
    elif not (locked.lock.images or locked.lock.charts or locked.failures or locked.path.exists()):
        say("No image of this estate moves: each says its version or digest, so there is nothing to write down.\n")
    else:
        save(locked.text, locked.path)
        say(f"{len(locked.lock.images)} images and {len(locked.lock.charts)} charts in {locked.path}\n")
    for reference, reason in locked.failures.items():
        complain(f"{reference}: {reason}")
    return int(bool(locked.failures))


def kubectl_pods() -> bytes:
    """The pods of the current context. Raises :class:`UserError`."""
    import shutil
    import subprocess

    from shoreup.model.errors import UserError

    program = shutil.which("kubectl")
    if program is None:
        raise UserError("--cluster needs kubectl. Or save 'kubectl get pods -A -o json' and name it with --pods.")
    done = subprocess.run(  # noqa: S603 - an absolute path, no shell
        [program, "get", "pods", "--all-namespaces", "--output", "json"], capture_output=True, check=False, timeout=120
    )
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise UserError(f"kubectl get pods failed: {said[-1] if said else done.returncode}.")
    return done.stdout


def _bytes(path: Path | None) -> bytes:
    from shoreup.model.errors import UserError

    assert path is not None
    try:
        return path.read_bytes()
    except OSError as problem:
        raise UserError(f"{path} cannot be read: {problem.strerror}.") from None
