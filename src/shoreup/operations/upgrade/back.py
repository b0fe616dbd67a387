"""The way back from an upgrade, and the doors that were held shut.

How far back it goes is read from what was done. Before the new server let anybody in, the old directory takes its name
again and nothing is lost. Afterwards whatever was written since would be, and after a start of a linked cluster the old
directory is of no use at all: its backup is restored in its place. Neither is done without a typed word for it.

What the new cluster holds stays beside the data directory, so that what was written there can still be looked up.
"""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

from shoreup.engines.base import EngineTrouble
from shoreup.engines.postgresql.cluster import OwnCluster
from shoreup.engines.postgresql.upgrade import take_back_link
from shoreup.operations.steps import Operation, Plain, Run, Step
from shoreup.operations.upgrade.ground import halt, new_cluster, old_cluster, only_restore, owner_of
from shoreup.operations.upgrade.places import UpgradePlace, UpgradeState, bring, remove, settle
from shoreup.operations.upgrade.run import analyzed, let_in

NAME = "upgrade postgres rollback"
OPEN = "upgrade postgres open"
CONSENT = "lose later writes"
"""What has to be typed where going back loses what was written since."""
_UNDECIDED = "run it again: it goes on where it stopped"


def rollback() -> Operation:
    """The way back. ``given``: ``data``, and ``consent`` where it is needed."""
    return Operation(
        NAME,
        (
            Step("judge", _judge, "nothing was changed"),
            Step("restore", _restore, _UNDECIDED),
            Step("bring back", _bring_back, _UNDECIDED),
            Step("start", _start, _UNDECIDED),
        ),
    )


def opening() -> Operation:
    """Let clients in to a new server that was held shut. ``given``: ``data``."""
    return Operation(
        OPEN,
        (
            Step("open", _open, f"clients were let in: shoreup {NAME}"),
            Step("analyze", _analyze, "nothing to take back"),
        ),
    )


def loss(place: UpgradePlace, state: UpgradeState) -> str:
    """What going back would lose, as a sentence; empty where it loses nothing."""
    stopped = datetime.fromtimestamp(state.stopped, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    if state.shared:
        if not state.backup:
            return f"The clusters share their files, and {only_restore(state)}, which is yours to do."
        return (
            f"The clusters share their files, and {only_restore(state)}: everything written since it was made is lost."
        )
    if place.opened(state):
        return f"Clients were let in: everything written since the old server stopped ({stopped}) is lost."
    return ""


def _judge(run: Run) -> Plain:
    place, state = _known(run)
    lost = loss(place, state)
    if not lost:
        return "nothing is lost"
    if state.shared and not state.backup:
        raise EngineTrouble(lost)
    if str(run.given.get("consent") or "") != CONSENT:
        raise EngineTrouble(f"{lost} Say --consent '{CONSENT}' if that is what you want.")
    return lost


def _restore(run: Run) -> Plain:
    """A copy of the backup as the old cluster, where the old directory is of no use any more."""
    place, state = _known(run)
    if not state.shared:
        return None
    spent, coming = place.folder / "spent", place.folder / "restored"
    if not spent.exists():
        if place.major(place.data) == state.source:
            return None
        remove(coming)
        shutil.copytree(state.backup, coming, symlinks=True)
        owner = owner_of(place)
        for one in (coming, *coming.rglob("*")):
            owner.give(one)
        os.sync()
        place.old.rename(spent)
        settle(place.folder)
    if coming.exists():
        coming.rename(place.old)
        settle(place.folder)
    return state.backup


def _bring_back(run: Run) -> Plain:
    place, state = _known(run)
    if place.switched(state):
        new = new_cluster(place, state)
        new.stop()
    elif not state.shared and state.phase in {"carrying", "carried", "switching"} and place.data.exists():
        halt(place, state)
    bring(place, state, state.source)
    remove(place.folder / "spent")
    return None


def _start(run: Run) -> Plain:
    place, state = _known(run)
    take_back_link(place.data)
    old = old_cluster(place, state)
    old.start(Path(state.log), state.options)
    place.reach(state, "back")
    return _version(old)


def _open(run: Run) -> Plain:
    place, state = _known(run)
    if not place.switched(state) or state.phase not in {"started", "done"}:
        raise EngineTrouble("there is no new server that was held shut")
    return let_in(place, state)


def _analyze(run: Run) -> Plain:
    place, state = _known(run)
    return analyzed(place, state)


def _version(cluster: OwnCluster) -> str:
    return ".".join(str(part) for part in cluster.programs.version)


def _known(run: Run) -> tuple[UpgradePlace, UpgradeState]:
    place = UpgradePlace(Path(str(run.given.get("data"))))
    state = place.state()
    if state is None:
        raise EngineTrouble(f"no upgrade of {place.data} was begun, so there is nothing to go back from")
    return place, state
