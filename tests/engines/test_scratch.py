"""What an experiment leaves behind, however it ends: nothing. What its programs can reach: nothing of the machine."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shoreup.engines import keeper
from shoreup.engines.jail import Jail, fences
from shoreup.engines.scratch import Limits, Scratch, sweep
from shoreup.ledger.location import state_folder

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="namespaces and /proc are Linux's")

RUN_THAT_WAITS = """\
import subprocess, sys
from shoreup.engines.jail import Jail
from shoreup.engines.scratch import Scratch
with Scratch() as scratch:
    server = Jail(scratch).spawn(["sleep", "600"], scratch.folder / "log")
    print(scratch.folder, scratch._keeper.pid, server.pid, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def a_run() -> Iterator[subprocess.Popen[str]]:
    """A run of its own with an engine in it, which waits until it is killed."""
    run = subprocess.Popen(
        [sys.executable, "-c", RUN_THAT_WAITS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    yield run
    run.kill()
    run.communicate()


def told(run: subprocess.Popen[str]) -> tuple[Path, int, int]:
    """The scratch folder of a run, its keeper and its engine."""
    assert run.stdout is not None
    folder, watcher, server = run.stdout.readline().split()
    return Path(folder), int(watcher), int(server)


def ended(pid: int) -> None:
    """Wait until a process that is not our child has ended."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    assert select.select([handle], [], [], 60)[0], f"process {pid} goes on"
    os.close(handle)


def test_a_scratch_folder_is_private_and_gone_afterwards() -> None:
    with Scratch() as scratch:
        made = scratch.make("data")
        assert made.stat().st_mode & 0o077 == 0
        assert scratch.folder.stat().st_mode & 0o007 == 0
        assert (state_folder() / "scratch" / f"{scratch.folder.name}.json").exists()
    assert not scratch.folder.exists()
    assert not (state_folder() / "scratch" / f"{scratch.folder.name}.json").exists()


def test_an_experiment_that_fails_leaves_nothing_either() -> None:
    with pytest.raises(ZeroDivisionError), Scratch() as scratch:
        engine = Jail(scratch).spawn(["sleep", "600"], scratch.folder / "log")
        _ = 1 / 0
    assert not scratch.folder.exists()
    assert engine.wait(10) != 0


def test_what_a_killed_run_leaves_its_keeper_clears_away(a_run: subprocess.Popen[str]) -> None:
    folder, watcher, server = told(a_run)
    assert keeper.working_in(folder), "the engine did not run, so this would show nothing"
    a_run.kill()
    ended(watcher)
    assert not folder.exists()
    assert keeper.birth(server) == ""


def test_what_a_run_leaves_that_is_killed_with_its_keeper_the_next_start_clears_away(
    a_run: subprocess.Popen[str],
) -> None:
    folder, watcher, server = told(a_run)
    os.kill(watcher, signal.SIGKILL)
    a_run.kill()
    a_run.wait()
    assert folder.exists()
    assert keeper.working_in(folder), "the engine ended by itself, so this would show nothing"
    assert sweep() == (folder,)
    assert not folder.exists()
    assert keeper.birth(server) == ""
    assert sweep() == ()


def test_a_sweep_leaves_the_folders_of_runs_alone_that_go_on(a_run: subprocess.Popen[str]) -> None:
    folder, _, server = told(a_run)
    assert sweep() == ()
    assert folder.exists()
    assert keeper.birth(server)


def test_a_sweep_knows_a_process_by_its_birth_and_not_by_its_number(a_run: subprocess.Popen[str]) -> None:
    folder, watcher, _ = told(a_run)
    os.kill(watcher, signal.SIGKILL)
    record = state_folder() / "scratch" / f"{folder.name}.json"
    content = json.loads(record.read_bytes())
    record.write_text(json.dumps({**content, "born": "another boot 1"}), encoding="utf-8")
    assert sweep() == (folder,), "whoever has that number now is not the run"


def test_a_sweep_removes_nothing_but_scratch_folders(tmp_path: Path) -> None:
    treasure = tmp_path / "photographs"
    treasure.mkdir()
    records = state_folder() / "scratch"
    records.mkdir(parents=True, exist_ok=True)
    for name in ("photographs", f"{keeper.PREFIX}00000000"):
        record = records / f"{name}.json"
        record.write_text(
            json.dumps({"folder": str(treasure), "run": 1, "born": "never", "processes": {}}), encoding="utf-8"
        )
    assert sweep() == ()
    assert treasure.exists()


@pytest.mark.parametrize(
    ("limits", "program", "words"),
    [
        (Limits(memory=64 << 20), "x = b'.' * (256 << 20); import time; time.sleep(60)", "MiB of memory"),
        (Limits(room=8 << 20), "open('big', 'wb').write(b'.' * (32 << 20)); import time; time.sleep(60)", "of disk"),
        (Limits(seconds=0.2), "import time; time.sleep(60)", "longer than the 0.2 s"),
    ],
    ids=["memory", "disk", "time"],
)
def test_what_takes_more_than_it_was_given_is_ended_and_told_why(limits: Limits, program: str, words: str) -> None:
    with Scratch(limits) as scratch:
        finished = Jail(scratch).run(["/usr/bin/env", "python3", "-c", program], seconds=50)
        assert not finished.well
        assert words in scratch.trouble()


def test_what_stays_within_its_limits_is_left_alone() -> None:
    with Scratch(Limits(memory=512 << 20, room=64 << 20, seconds=60)) as scratch:
        finished = Jail(scratch).run(["/usr/bin/env", "python3", "-c", "print(1)"], seconds=50)
        assert (finished.well, finished.output, scratch.trouble()) == (True, b"1\n", "")


def test_a_program_that_does_not_end_is_ended() -> None:
    with Scratch() as scratch:
        finished = Jail(scratch).run(["sleep", "600"], seconds=0.2)
        assert (finished.late, finished.well) == (True, False)
        assert keeper.working_in(scratch.folder) == ()


def python(scratch: Scratch, program: str) -> str:
    """What a Python program says that runs in the jail."""
    finished = Jail(scratch).run(["/usr/bin/env", "python3", "-c", program], seconds=50)
    return finished.output.decode().strip() or finished.said


def test_programs_run_as_a_user_who_owns_nothing_also_when_root_asks() -> None:
    with Scratch() as scratch:
        assert python(scratch, "import os; print(os.getuid() != 0)") == "True"
        assert "Permission" in python(scratch, "open('/etc/shadow')")


def test_programs_do_not_reach_the_network_that_we_reach() -> None:
    with Scratch() as scratch, socket.create_server(("127.0.0.1", 0)) as server:
        if fences().missing:
            pytest.skip(f"not run: {fences().missing[0]}")
        port = server.getsockname()[1]
        program = f"import socket; socket.create_connection(('127.0.0.1', {port}), 5); print('reached')"
        outside = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert outside.stdout == "reached\n", "the control: without the jail it is reached"
        assert "reached" not in python(scratch, program)


def test_programs_start_no_shell_unless_they_must() -> None:
    with Scratch() as scratch:
        if not fences().hides_shell:
            pytest.skip("not run: this machine grants no mount namespace")
        program = ["/usr/bin/env", "python3", "-c", "import os; raise SystemExit(os.system('true') != 0)"]
        jail = Jail(scratch)
        assert jail.run(program, seconds=50, with_shell=True).well, "the control: with a shell it works"
        assert not jail.run(program, seconds=50).well


def test_programs_inherit_nothing_from_whoever_runs_shoreup(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "correct horse")
    with Scratch() as scratch:
        assert python(scratch, "import os; print(os.environ.get('PGPASSWORD'))") == "None"


def test_long_stretches_of_zeros_take_no_room() -> None:
    pieces = [b"x" * (1 << 20), bytes(8 << 20), b"", b"y", bytes(1 << 20)]
    with Scratch(Limits(room=2 << 20)) as scratch:
        kept = scratch.keep_with_holes(scratch.room / "piece", pieces)
        assert kept.read_bytes() == b"".join(pieces)
        assert kept.stat().st_blocks * 512 < 4 << 20
        assert not scratch.trouble()
        with pytest.raises(OSError, match="more than the 2 MiB"):
            scratch.keep_with_holes(scratch.room / "larger", [b"x" * (1 << 20)] * 2)
