"""What the steps of an upgrade stand on: the two clusters by their programs, and doors that can be shut.

A cluster is shut by its access lists: ours let in nobody but the owner of the data directory, through the socket, as
the first role. The owner's lists lie beside them until they are put back.
"""

from __future__ import annotations

import pwd
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from shoreup.engines.base import EngineTrouble
from shoreup.engines.postgresql.cluster import OwnCluster, Owner, own_cluster, programs_of
from shoreup.engines.postgresql.upgrade import take_back_link
from shoreup.operations.upgrade.places import ACCESS_LISTS, KEPT, UpgradePlace, UpgradeState

CONFIG = "postgresql.conf"
_RUNTIME = frozenset(
    "postmaster.pid postmaster.opts standby.signal recovery.signal backup_label tablespace_map backup_manifest "
    "current_logfiles log logfile pg_log PG_VERSION base global".split()
)
"""What lies in a data directory and is no configuration."""


def bring_configuration(place: UpgradePlace, owner: Owner) -> None:
    """The old cluster's configuration in the new one, and its access lists beside ours, which let in its owner only."""
    fresh = {one.name for one in place.new.iterdir()} - {CONFIG, "postgresql.auto.conf", *ACCESS_LISTS}
    for one in place.data.iterdir():
        if one.name in fresh | _RUNTIME or (one.name.startswith("pg_") and one.name not in ACCESS_LISTS):
            continue
        target = place.new / (f"{one.name}{KEPT}" if one.name in ACCESS_LISTS else one.name)
        if one.is_dir() and not one.is_symlink():
            shutil.copytree(one, target, symlinks=True)
        else:
            shutil.copy2(one, target, follow_symlinks=False)
        for each in (target, *(target.rglob("*") if target.is_dir() else ())):
            owner.give(each)
    for name, text in shut(owner, place.state()).items():
        (place.new / name).write_text(text, encoding="utf-8")
        owner.give(place.new / name)


def shut(owner: Owner, state: UpgradeState | None) -> dict[str, str]:
    """Access lists that let in nobody but the owner of the data, as the first role."""
    assert state is not None
    person = pwd.getpwuid(owner.user).pw_name
    first, second = ACCESS_LISTS
    return {first: "local all all peer map=shoreup\n", second: f'shoreup {person} "{state.superuser}"\n'}


def shut_options(place: UpgradePlace, state: UpgradeState, owner: Owner) -> str:
    """Options with which the old server lets in nobody else, whatever its own lists say."""
    words: list[str] = []
    for (name, text), setting in zip(shut(owner, state).items(), ("hba_file", "ident_file"), strict=True):
        (place.folder / name).write_text(text, encoding="utf-8")
        words += ["-c", f"{setting}={owner.give(place.folder / name)}"]
    return " ".join(words)


@contextmanager
def sockets(owner: Owner) -> Iterator[Path]:
    """A folder whose path is short enough for a socket, for the owner alone."""
    folder = Path(tempfile.mkdtemp(prefix="shoreup-"))
    try:
        yield owner.give(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def halt(place: UpgradePlace, state: UpgradeState) -> None:
    """Stop what a killed pg_upgrade has left running, and make the old cluster one that was stopped in order."""
    for data, programs in ((place.new, state.new_programs), (place.data, state.old_programs)):
        if (data / "PG_VERSION").exists():
            with suppress(EngineTrouble):
                OwnCluster(data, programs_of(str(place.major(data)), Path(programs)), owner_of(place)).stop()
    take_back_link(place.data)
    old = old_cluster(place, state)
    if old.control().get("Database cluster state") != "shut down":
        with sockets(old.owner) as folder:
            lists = shut_options(place, state, old.owner)
            old.start(place.folder / "recovery.log", f"-c listen_addresses='' -k {folder} {lists}")
            old.stop()


def started_with(data: Path) -> str:
    """The options that the server was started with, beside its data directory."""
    try:
        words = shlex.split((data / "postmaster.opts").read_text(encoding="utf-8"))[1:]
    except (OSError, ValueError):
        return ""
    while "-D" in words:
        at = words.index("-D")
        del words[at : at + 2]
    return shlex.join(words)


def log_of(pid: int, folder: Path) -> str:
    """Where the server's words go now, so that they go on there; a file beside it where they go to no file."""
    with suppress(OSError):
        found = Path(f"/proc/{pid}/fd/2").readlink()
        if found.is_file():
            return str(found)
    return str(folder / "server.log")


def pid_of(cluster: OwnCluster) -> int:
    found = cluster.pidfile()
    if found is None:
        raise EngineTrouble("the new server does not run any more")
    return found.pid


def old_cluster(place: UpgradePlace, state: UpgradeState) -> OwnCluster:
    return own_cluster(place.data, Path(state.old_programs), place.folder, state.superuser)


def new_cluster(place: UpgradePlace, state: UpgradeState) -> OwnCluster:
    return own_cluster(place.data, Path(state.new_programs), place.folder, state.superuser)


def owner_of(place: UpgradePlace) -> Owner:
    return Owner(place.data, place.folder)


def only_restore(state: UpgradeState) -> str:
    held = f"the backup {state.backup}" if state.backup else f"your snapshot ({state.snapshot})"
    return f"only {held} goes back now"
