"""A PostgreSQL that people work with goes to its next major version.

Whatever can be done while it runs is done before: a base backup that is verified, the new cluster made beside it with
the same configuration, pg_upgrade's own check. Then the server stops, the files are carried over, the new cluster takes
the data directory's name in one instant, comes up with the doors shut, is held against what the catalogues said before,
and lets the clients in. That stretch is the downtime.

Killed at any moment, it goes on when it resumes or is undone; at the end either the old cluster stands there or the new
one. What cannot be taken back is said where it begins: once a linked cluster has been started only the backup leads
back, and once clients were let in no way back keeps what they wrote.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from time import time

from msgspec.structs import replace

from shoreup.engines.base import EngineTrouble
from shoreup.engines.postgresql.catalogue import catalogue, different
from shoreup.engines.postgresql.cluster import OwnCluster, own_cluster, programs_of
from shoreup.engines.postgresql.inventory import Cluster, inventory
from shoreup.engines.postgresql.upgrade import Mode, Side, carry_over, check, make_alike, take_back_link
from shoreup.model.upgrade import Weight
from shoreup.operations.steps import Operation, Plain, Run, Step
from shoreup.operations.upgrade.ground import (
    CONFIG,
    bring_configuration,
    halt,
    log_of,
    new_cluster,
    old_cluster,
    only_restore,
    pid_of,
    shut_options,
    started_with,
)
from shoreup.operations.upgrade.ground import (
    sockets as folder_for_sockets,
)
from shoreup.operations.upgrade.places import (
    ACCESS_LISTS,
    KEPT,
    UpgradePlace,
    UpgradeState,
    bring,
    remove,
    settle,
)
from shoreup.operations.upgrade.points import points

NAME = "upgrade postgres run"
_REMOVER = "delete_old_cluster.sh"
_EMPTY = 128 << 20
"""Bytes of a new cluster that holds nothing, with the WAL of its first hour."""
_FRESH = 24 * 3600
"""Seconds for which a backup is good enough to be all that goes back: a killed run may go on much later."""
_PLAIN = re.compile(r"[\w./+@%:,=-]+")


def operation() -> Operation:
    """The operation. ``given``: ``data``, ``to``, ``mode``, and where they are said ``snapshot``, ``old_bin``,
    ``new_bin``, ``hold``.
    """
    back = "the old server is started again"
    return Operation(
        NAME,
        (
            Step("look", _look, "nothing was changed", _forget),
            Step("backup", _backup, "the backup is removed", _no_backup),
            Step("prepare", _prepare, "the new cluster is removed", _unprepare),
            Step("stop", _stop, back, _start_again),
            Step("carry over", _carry, "the old cluster is made startable", _carry_back),
            Step("switch", _switch, "the old cluster takes its name again", _switch_back),
            Step("verify", _verify, "after a start of a linked cluster: shoreup upgrade postgres rollback", _unverify),
            Step("open", _open, "clients were let in: shoreup upgrade postgres rollback"),
            Step("analyze", _analyze, "nothing to take back"),
        ),
    )


# ------------------------------------------------------------------------------------------- while the old one runs


def _look(run: Run) -> Plain:
    place = _place(run)
    state = place.state()
    if state is not None and state.run != run.id and state.phase not in {"done", "back"}:
        raise EngineTrouble(f"an upgrade of it began and did not end (run {state.run}); resume or roll back that one")
    if state is not None and state.run == run.id:
        return {"source": state.source, "target": state.target}
    old = own_cluster(place.data, _folder(run, "old_bin"))
    new = programs_of(_text(run, "to"), _folder(run, "new_bin"))
    source, target = old.programs.version[0], new.version[0]
    if target <= source:
        raise EngineTrouble(f"there is no way from version {source} to {target}")
    pidfile = old.pidfile()
    if pidfile is None:
        raise EngineTrouble("no server runs on it; start it, so that it can be looked into and backed up")
    seen = inventory(old.ask)
    blocking = [one for one in points(seen, source, target, new, own=True) if one.weight is Weight.BLOCKS]
    _refuse(run, old, seen, [one.what for one in blocking])
    if place.folder.exists():
        # What an upgrade before this one left may be all that somebody has of some rows: it is moved, never removed.
        place.folder.rename(place.folder.with_name(f"{place.folder.name}-{state.run if state else 'before'}"))
    place.folder.mkdir(mode=0o700)
    old.owner.give(place.folder)
    place.write(
        UpgradeState(
            run=run.id,
            phase="begun",
            mode=_mode(run).value,
            source=source,
            target=target,
            old_programs=str(old.programs.folder),
            new_programs=str(new.folder),
            superuser=seen.shape.superuser,
            options=started_with(place.data),
            log=log_of(pidfile.pid, place.folder),
            snapshot=_text(run, "snapshot"),
            shape=seen.shape,
        )
    )
    return {"source": source, "target": target}


def _forget(run: Run) -> None:
    place, state = _maybe(run)
    if state is not None and not place.switched(state):
        place.reach(state, "back")


def _refuse(run: Run, old: OwnCluster, seen: Cluster, blocking: Sequence[str]) -> None:
    """Raise :class:`EngineTrouble` for what must not begin at all."""
    place, mode, why = _place(run), _mode(run), list(blocking)
    if not _PLAIN.fullmatch(str(place.data)):
        why.append("its path has characters that pg_upgrade hands to a shell")
    if place.data.stat().st_dev != place.data.parent.stat().st_dev:
        why.append("the data directory is a mounted file system itself; put the data into a folder of it")
    for setting, name in (("hba_file", ACCESS_LISTS[0]), ("ident_file", ACCESS_LISTS[1]), ("config_file", CONFIG)):
        if Path(old.tell("postgres", f"SHOW {setting}").decode().strip()).resolve() != (place.data / name).resolve():
            why.append(f"its {setting} lies outside of the data directory, and would stay behind")
    if mode is Mode.LINK and any(one.logical for one in seen.slots):
        why.append("it has logical replication slots; with them the new server starts before it is looked at: use copy")
    room = shutil.disk_usage(place.data.parent).free
    needs = seen.size * ((mode is Mode.COPY) + (not _text(run, "snapshot"))) + _EMPTY
    if needs > room:
        why.append(f"it needs {needs >> 20} MiB beside the data directory, and {room >> 20} MiB are free")
    if why:
        raise EngineTrouble("; ".join(why))


def _backup(run: Run) -> Plain:
    place, state = _known(run)
    if state.snapshot:
        return {"snapshot": state.snapshot}
    if not state.backup:
        old = old_cluster(place, state)
        remove(place.backup)
        words: list[str | Path] = ["-D", place.backup, "--wal-method=stream", "--checkpoint=fast", "--no-password"]
        old.tool("pg_basebackup", words, 24 * 3600.0)
        old.tool("pg_verifybackup", ["--quiet", place.backup], 24 * 3600.0)
        state = place.write(replace(state, backup=str(place.backup), backed=time()))
    return {"backup": state.backup}


def _no_backup(run: Run) -> None:
    place, state = _maybe(run)
    if state is not None and not place.switched(state) and not state.shared:
        remove(place.backup)
        place.write(replace(state, backup=""))


def _prepare(run: Run) -> Plain:
    place, state = _known(run)
    if state.phase != "begun":
        return None
    _make_new(place, state, checked=True)
    place.reach(state, "prepared")
    return None


def _make_new(place: UpgradePlace, state: UpgradeState, *, checked: bool) -> None:
    """The new cluster, empty, with the old one's configuration and the doors shut."""
    old, target = old_cluster(place, state), programs_of(str(state.target), Path(state.new_programs))
    remove(place.new)
    place.new.mkdir(mode=0o700)
    old.owner.give(place.new)
    side = Side(target.folder, place.new)
    assert state.shape is not None
    make_alike(state.shape, side, state.target, old.owner)
    bring_configuration(place, old.owner)
    accepted = old.owner.run([target.folder / "postgres", "-C", "config_file", "-D", place.new], seconds=60)
    if not accepted.well:
        lines = [line for line in accepted.said.splitlines() if "parameter" in line or "FATAL" in line]
        raise EngineTrouble(f"version {state.target} does not take the configuration: {'; '.join(lines)[:600]}")
    if checked:
        with folder_for_sockets(old.owner) as sockets:
            check(Side(Path(state.old_programs), place.data), side, state.superuser, sockets, old.owner)


def _unprepare(run: Run) -> None:
    place, state = _maybe(run)
    if state is None or place.switched(state):
        return
    remove(place.new)
    if state.phase == "prepared":
        place.reach(state, "begun")


# ------------------------------------------------------------------------------------------- while nothing answers


def _stop(run: Run) -> Plain:
    place, state = _known(run)
    if state.phase == "prepared":
        if state.mode == Mode.LINK and state.backup and time() - state.backed > _FRESH:
            hours = int(time() - state.backed) // 3600
            raise EngineTrouble(f"the backup is {hours} hours old, and by link it is all that goes back; begin anew")
        old = old_cluster(place, state)
        databases = [one.name for one in inventory(old.ask).databases if one.connects and one.name != "template1"]
        seen = catalogue(old, databases, place.script)
        # What is on disk already need not be written while everybody waits.
        old.tell("postgres", "CHECKPOINT")
        state = place.write(replace(state, phase="stopping", catalogue=seen, stopped=time()))
    if state.phase == "stopping":
        old_cluster(place, state).stop()
    return {"stopped": state.stopped}


def _start_again(run: Run) -> None:
    """Whatever cluster lies under the data directory's name is started, if it is the old one."""
    place, state = _maybe(run)
    if state is None or place.switched(state):
        return
    old = old_cluster(place, state)
    if old.pidfile() is None:
        take_back_link(place.data)
        old.start(Path(state.log), state.options)


def _carry(run: Run) -> Plain:
    place, state = _known(run)
    if state.phase == "carrying":
        # Killed in its middle: whatever servers it had started go, and it begins anew.
        halt(place, state)
        _make_new(place, state, checked=False)
    elif state.phase != "stopping":
        return None
    state, old = place.reach(state, "carrying"), old_cluster(place, state)
    with folder_for_sockets(old.owner) as sockets:
        options = shut_options(place, state, old.owner)
        sides = Side(Path(state.old_programs), place.data, options), Side(Path(state.new_programs), place.new)
        jobs = min(4, os.cpu_count() or 1)
        done = carry_over(*sides, state.superuser, sockets, old.owner, Mode(state.mode), jobs)
    # It would remove what lies under the data directory's name, and that is the new cluster from now on.
    (place.folder / _REMOVER).unlink(missing_ok=True)
    place.reach(state, "carried")
    return {"seconds": round(done.seconds, 3)}


def _carry_back(run: Run) -> None:
    place, state = _maybe(run)
    if state is None or place.switched(state) or state.shared:
        return
    if state.phase in {"carrying", "carried", "switching"}:
        halt(place, state)


def _switch(run: Run) -> Plain:
    place, state = _known(run)
    if state.phase in {"carried", "switching"}:
        bring(place, place.reach(state, "switching"), state.target)
    return None


def _switch_back(run: Run) -> None:
    place, state = _maybe(run)
    if state is not None and not state.shared and not place.opened(state) and state.phase != "begun":
        bring(place, state, state.source)


def _verify(run: Run) -> Plain:
    place, state = _known(run)
    if state.phase == "switching":
        state = place.reach(state, "started")
    new = new_cluster(place, state)
    if new.pidfile() is None:
        new.start(Path(state.log), state.options)
    if place.opened(state):
        return None
    databases = [name for name in state.catalogue if name]
    wrong = different(state.catalogue, catalogue(new, databases, place.script))
    if wrong:
        raise EngineTrouble("; ".join(wrong[:5]))
    return None


def _unverify(run: Run) -> None:
    place, state = _maybe(run)
    if state is None or not place.switched(state) or place.opened(state):
        return
    if state.shared:
        raise EngineTrouble(f"the new server has run on the files that both share; {only_restore(state)}")
    new_cluster(place, state).stop()


def _open(run: Run) -> Plain:
    place, state = _known(run)
    if run.given.get("hold"):
        return {"held": True, "linked": state.shared}
    return let_in(place, state)


def let_in(place: UpgradePlace, state: UpgradeState) -> dict[str, Plain]:
    """Put the owner's access lists in place and see that the server has read them."""
    new = new_cluster(place, state)
    for name in reversed(ACCESS_LISTS):
        with suppress(FileNotFoundError):
            (place.data / f"{name}{KEPT}").rename(place.data / name)
    settle(place.data)
    try:
        new.reread(place.script)
    except EngineTrouble:
        # Killed between the two, it is let in by the owner's list or by none; the server need not know us any more.
        os.kill(pid_of(new), signal.SIGHUP)
    return {"downtime": round(time() - state.stopped, 3), "linked": state.shared}


def _analyze(run: Run) -> Plain:
    place, state = _known(run)
    if run.given.get("hold"):
        return "the new server is shut: shoreup upgrade postgres open, or rollback"
    return analyzed(place, state)


def analyzed(place: UpgradePlace, state: UpgradeState) -> str:
    """Statistics, which an upgrade leaves behind. Nothing that happens here takes the upgrade back."""
    words = "done"
    try:
        missing = ["--missing-stats-only"] if state.target >= 18 and state.source >= 14 else []
        options = ["--all", "--analyze-in-stages", "--quiet", "--no-password", *missing]
        new_cluster(place, state).tool("vacuumdb", options, 24 * 3600.0)
    except EngineTrouble as trouble:
        words = f"the planner has no statistics yet: run vacuumdb --all --analyze-in-stages ({trouble})"
    place.reach(state, "done")
    return words


def _place(run: Run) -> UpgradePlace:
    return UpgradePlace(Path(_text(run, "data")))


def _known(run: Run) -> tuple[UpgradePlace, UpgradeState]:
    place = _place(run)
    state = place.state()
    if state is None or state.run != run.id:
        raise EngineTrouble(f"the folder {place.folder} is not this run's any more")
    return place, state


def _maybe(run: Run) -> tuple[UpgradePlace, UpgradeState | None]:
    """For ways back: nothing is touched that is another run's, or that was let in to."""
    place = _place(run)
    state = place.state()
    return place, state if state is not None and state.run == run.id else None


def _mode(run: Run) -> Mode:
    return Mode(_text(run, "mode") or Mode.COPY.value)


def _text(run: Run, name: str) -> str:
    return str(run.given.get(name) or "")


def _folder(run: Run, name: str) -> Path | None:
    return Path(_text(run, name)) if _text(run, name) else None
