"""Which cluster has the data directory's name, whenever the process that changes it is killed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from shoreup.operations.upgrade import places as upgrade_places
from shoreup.operations.upgrade.places import UpgradePlace, UpgradeState, bring


class Killed(BaseException):
    """The process is gone."""


def begun(root: Path) -> tuple[UpgradePlace, UpgradeState]:
    """An old cluster in its place and a new one beside it."""
    place = UpgradePlace(root / "data")
    place.folder.mkdir()
    for folder, version in ((place.data, 15), (place.new, 17)):
        folder.mkdir()
        (folder / "PG_VERSION").write_text(f"{version}\n")
    state = UpgradeState("r", "switching", "copy", 15, 17, "/old", "/new", "postgres")
    return place, place.write(state)


@pytest.mark.parametrize("exchange", [True, False], ids=["at once", "one after the other"])
@pytest.mark.parametrize("goal", [17, 15], ids=["there", "back"])
def test_a_kill_between_any_two_renames_is_made_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchange: bool, goal: int
) -> None:
    if not exchange:
        monkeypatch.setattr(upgrade_places, "_exchanged", lambda one, other: False)
    renamed = Path.rename
    for dies_at in range(4):
        (tmp_path / str(dies_at)).mkdir()
        place, state = begun(tmp_path / str(dies_at))
        if goal == 15:
            bring(place, state, 17)
        done = 0

        def rename(self: Path, target: Path, at: int = dies_at) -> Path:
            nonlocal done
            if done == at:
                raise Killed
            done += 1
            return renamed(self, target)

        with monkeypatch.context() as patched:
            patched.setattr(Path, "rename", rename)
            with suppress(Killed):
                bring(place, state, goal)
        bring(place, state, goal)
        assert place.major(place.data) == goal
        beside = place.old if goal == 17 else place.new
        assert place.major(beside) == 32 - goal
        assert not (place.new if goal == 17 else place.old).exists()


def test_the_state_is_replaced_whole(tmp_path: Path) -> None:
    place, state = begun(tmp_path)
    assert place.reach(state, "started") == place.state()
    assert not place.opened(state)
    assert UpgradePlace(tmp_path / "other").state() is None


def test_a_server_that_ran_on_shared_files_is_known_from_before_its_start(tmp_path: Path) -> None:
    _, copied = begun(tmp_path)
    place = UpgradePlace(tmp_path / "data")
    linked = UpgradeState("r", "started", "link", 15, 17, "/old", "/new", "postgres")
    assert place.write(linked).shared
    assert not place.reach(copied, "started").shared
