"""A sandbox on this machine: what a program of a stranger can reach from inside of it, and what it cannot."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest

from engines_here import sandboxed
from shoreup.engines.base import EngineTrouble
from shoreup.engines.sandbox import Ended, Layout, Sandbox, Step
from shoreup.engines.sandbox_ground import VOLUMES, Ceilings, Ground, Mounted
from shoreup.engines.scratch import Scratch
from shoreup.engines.userlands import BUSYBOX, GNU, userland

SMALL = Ceilings(room=8 << 20, files=500, processes=40, memory=128 << 20, together=256 << 20)


@contextmanager
def sandbox(*programs: str, kind: str = GNU, ceilings: Ceilings = SMALL) -> Iterator[Sandbox]:
    """A sandbox with one writable volume at ``/copies`` and a read-only one at ``/data``."""
    commands = sandboxed(kind)
    steps = {f"s{number}": Step(("/bin/sh", "-c", text), {"PATH": "/bin"}) for number, text in enumerate(programs)}
    mounts = (Mounted("copies", "/copies"), Mounted("data", "/data", read_only=True))
    files = {f"{VOLUMES}/data/one": "made up\n"}
    with Scratch() as scratch:
        layout = Layout(commands, steps, files=files, ground=Ground(mounts, ceilings=ceilings))
        with Sandbox(scratch, layout) as made:
            yield made


@pytest.mark.parametrize("kind", [GNU, BUSYBOX])
def test_a_program_runs_with_the_commands_of_its_image_and_leaves_its_files(kind: str) -> None:
    with sandbox("cat /data/one >/copies/two && ls -t /copies && exit 3", kind=kind) as made:
        ended = made.run("s0", 20)
        assert (ended.code, ended.said) == (3, "two")
        assert made.inside("/copies").read("two", 100) == b"made up\n"


@pytest.mark.parametrize(("kind", "shell"), [(GNU, "/bin/sh"), (GNU, "/bin/bash"), (BUSYBOX, "/bin/sh")])
def test_what_a_fork_of_the_shell_runs_leaves_the_next_one_as_it_was(kind: str, shell: str) -> None:
    def of(program: str) -> Step:
        return Step((shell,), {"PATH": "/bin", "OWN": "yes"}, program=program)

    asking = 'echo "${step-none} ${code-none} ${left-none} $OWN $-"'
    steps = {
        "asks": of(asking),
        "stops": of("set -eu; left=1; OWN=no; cd /tmp; false; echo after"),
        "breaks": of("if"),
    }
    with Scratch() as scratch, Sandbox(scratch, Layout(sandboxed(kind), steps, shell=shell)) as made:
        first = made.run("asks", 20)
        assert first.code == 0
        assert first.said.startswith("none none none yes")
        assert made.run("stops", 20) == Ended(1, "")
        assert made.run("breaks", 20).code != 0
        assert made.run("asks", 20) == first


def test_it_sees_nothing_of_the_machine_and_of_whoever_runs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOREUP_TEST_SECRET", "hunter2")
    own = Path(__file__).resolve()
    looking = (
        f"for one in /etc/shadow {own} {own.anchor}home/* /var/lib /proc/1/cwd/etc/shadow; do "
        'if [ -e "$one" ]; then echo "sees $one"; fi; done; ls -A /root; env; hostname; '
        f"cat /proc/{os.getpid()}/environ"
    )
    with sandbox(looking) as made:
        said = made.run("s0", 20).said
    assert "sees" not in said
    assert "hunter2" not in said
    assert socket.gethostname() not in said.splitlines()


def test_nothing_of_the_machine_can_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    writing = (
        f"for one in {tmp_path}/x /usr/lib/x /.tools/x /bin/x /etc/x /data/x /dev/sda; do "
        "(echo pwned >$one) 2>/dev/null; done; ls /usr/lib/x /.tools/x /bin/x /data/x 2>/dev/null | wc -l"
    )
    with sandbox(writing) as made:
        assert made.run("s0", 20).said.splitlines()[-1] == "0"
    assert not (tmp_path / "x").exists()
    assert not any(Path(one).exists() for one in ("/usr/lib/x", "/usr/bin/x", "/etc/x", "/data/x"))


def test_there_is_no_network_not_even_to_the_machine_itself() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        calling = f"exec 3<>/dev/tcp/127.0.0.1/{port} && echo reached; cat /proc/net/route; ls /sys/class/net"
        commands = sandboxed(GNU)
        step = Step(("/bin/bash", "-c", calling), {"PATH": "/bin"})
        with Scratch() as scratch, Sandbox(scratch, Layout(commands, {"call": step})) as made:
            said = made.run("call", 20).said
    assert "reached" not in said
    assert "eth" not in said


def test_it_gains_no_privilege_and_makes_no_namespace_of_its_own() -> None:
    asking = (
        "grep -E '^(Cap(Eff|Prm|Bnd)|NoNewPrivs)' /proc/self/status; "
        "/.tools/unshare --user --map-root-user true && echo nested; "
        "/.tools/mount -t tmpfs none /copies && echo mounted; /.tools/su -c id && echo switched"
    )
    with sandbox(asking) as made:
        said = made.run("s0", 20).said
    assert "0000000000000001" not in said and said.count("0000000000000000") == 3
    assert "NoNewPrivs:\t1" in said
    assert not {"nested", "mounted", "switched"} & set(said.split())


def test_a_fork_bomb_a_massacre_and_a_daemon_end_with_their_run() -> None:
    bomb = "bomb() { bomb | bomb & }; bomb; i=0; while [ $i -lt 2000 ]; do i=$((i + 1)); done; exit 0"
    with sandbox(bomb, "kill -9 -1; exit 0", "(sleep 1000 &) ; setsid sleep 1000 & exit 5", "echo still here") as made:
        made.run("s0", 30)
        made.run("s1", 30)
        assert made.run("s2", 30).code == 5
        assert made.run("s3", 30).said == "still here"
        until = monotonic() + 10
        while len(left := [Path(f"/proc/{one}/cmdline").read_bytes() for one in made.processes()]) > 1:
            assert monotonic() < until, left
    assert not made.processes()


@pytest.mark.parametrize(
    ("program", "seconds", "why"),
    [
        ("while :; do :; done", 1.0, "had not ended after 1 s"),
        ("sleep 100", 0.5, "had not ended"),
        ("exec tail -c 400000000 /dev/zero", 20.0, ""),
    ],
)
def test_a_program_that_does_not_end_or_eats_memory_is_ended(program: str, seconds: float, why: str) -> None:
    began = monotonic()
    with sandbox(program, ceilings=SMALL) as made:
        if why:
            with pytest.raises(EngineTrouble, match=why):
                made.run("s0", seconds)
            assert not made.processes()
        else:
            assert made.run("s0", seconds).code != 0
    assert monotonic() - began < 20


def test_a_full_disk_is_the_sandboxs_own() -> None:
    filling = "cat /dev/zero >/copies/big; i=0; while [ $i -lt 2000 ]; do : >/copies/f$i || exit; i=$((i + 1)); done"
    with sandbox(filling) as made:
        assert made.run("s0", 30).code != 0
        assert sum(one.size for one in made.inside("/copies").walk()) <= SMALL.room


def test_links_and_pipes_lead_nobody_out_who_looks_in() -> None:
    trap = (
        "ln -s /etc/passwd /copies/link; ln -s / /copies/root; mkfifo /copies/pipe; "
        "rm -rf /.state/said; ln -s /etc/hostname /.state/said; exit 0"
    )
    with sandbox(trap) as made:
        assert made.run("s0", 20).said == ""
        inside = made.inside("/copies")
        assert [one.path for one in inside.walk(86_400)] == []
        for path in ("link", "pipe", "root/bin/sh", "../../bin/sh"):
            with pytest.raises(OSError):
                inside.read(path, 10)
            with pytest.raises(OSError):
                inside.write(path, b"pwned")


def test_what_is_inside_can_be_made_older() -> None:
    young = "find /copies -mtime -1 -type f"
    with sandbox("mkdir -p /copies/a/b && echo x >/copies/a/b/c", young) as made:
        made.run("s0", 20)
        assert made.run("s1", 20).said == "/copies/a/b/c"
        assert [one.path for one in made.inside("/copies").walk(2 * 86_400) if not one.folder] == ["a/b/c"]
        assert made.run("s1", 20).said == ""


def test_what_cannot_be_made_is_said() -> None:
    with Scratch() as scratch, pytest.raises(EngineTrouble, match="climbs"):
        Sandbox(scratch, Layout(sandboxed(GNU), {}, files={"/../../etc/x": ""})).__enter__()


def test_commands_that_this_machine_lacks_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from shoreup.engines import userlands

    monkeypatch.setattr(userlands, "_PATH", str(tmp_path))
    userlands._busybox.cache_clear()
    found = userland(BUSYBOX)
    userlands._busybox.cache_clear()
    assert isinstance(found, str) and "busybox-static" in found
