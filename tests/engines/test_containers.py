"""The estate's own image as an engine, with an image that is built here from what Debian's packages installed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from shutil import which

import pytest

from engines_here import chosen
from shoreup.engines.choosing import Choice, Wanted, choose
from shoreup.engines.containers import on_this_machine
from shoreup.engines.postgresql.dumps import Form
from shoreup.engines.postgresql.server import Postgresql
from shoreup.engines.scratch import Scratch, sweep

IMAGE = f"localhost/shoreup-test-postgres:15-{os.getpid()}"  # several may test at once
SERVER = Path("/usr/lib/postgresql/15")
COMMANDS = ("sh", "ls", "dirname", "basename", "locale", "true")

pytestmark = pytest.mark.skipif(
    which("podman") is None or not SERVER.exists(),
    reason="not run: needs podman and PostgreSQL 15; Debian has them in podman, runc and postgresql-15",
)


def of_debian(target: Path) -> None:
    """A root with PostgreSQL 15 in it: the package's files, a shell, and the libraries that they are linked with."""
    programs = [Path(found) for name in COMMANDS if (found := which(name))]
    whole = [
        SERVER,
        Path("/usr/share/postgresql/15"),
        Path("/usr/share/postgresql-common"),
        Path("/usr/share/zoneinfo"),
    ]
    whole += [Path("/usr/lib/locale/C.utf8")]
    linked = [*programs, *(SERVER / "bin").iterdir(), *(SERVER / "lib").glob("*.so")]
    linked = [path for path in linked if "llvm" not in path.name]
    told = subprocess.run(["ldd", *linked], capture_output=True, text=True, check=False).stdout
    libraries = {Path(one) for one in re.findall(r"(/\S+) \(0x", told)}
    with tarfile.open(target, "w") as tar:
        for path in [one for one in whole if one.exists()]:
            tar.add(
                path.resolve(),
                str(path),
                filter=lambda one: None if "llvm" in one.name or "bitcode" in one.name else one,
            )
        for path in sorted({*programs, *libraries}):
            tar.add(path.resolve(), str(path.parent.resolve() / path.name), recursive=False)
        for link in ("bin", "lib", "lib64", "sbin"):
            here = Path("/") / link
            if here.is_symlink():
                one = tarfile.TarInfo(link)
                one.type, one.linkname = tarfile.SYMTYPE, str(here.readlink())
                tar.addfile(one)
        for name in ("tmp", "etc", "proc", "dev", "sys", "run"):
            one = tarfile.TarInfo(name)
            one.type, one.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(one)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image that is on this machine."""
    target = tmp_path_factory.mktemp("image") / "root.tar"
    of_debian(target)
    tool = str(which("podman"))
    brought = subprocess.run([tool, "import", "-q", str(target), IMAGE], capture_output=True, text=True, check=False)
    if brought.returncode:
        pytest.skip(f"not run: podman takes no image here: {brought.stderr.strip()[-200:]}")
    yield IMAGE
    subprocess.run([tool, "rmi", "--force", IMAGE], capture_output=True, check=False)


@pytest.fixture
def own(image: str) -> Choice:
    """The image as an engine."""
    found = choose(Wanted("postgresql", "15.4", image=image))
    assert isinstance(found, Choice)
    if found.installation.provider != "container":
        pytest.skip("not run: podman starts no container on this machine")
    return found


def test_the_estates_own_image_comes_first(own: Choice) -> None:
    assert own.engine.stands_in_for == ""
    assert own.engine.version.startswith("15.")
    assert {"plpgsql", "pgcrypto"} <= own.installation.extensions
    assert str(own.installation).endswith(f"({IMAGE})")


def test_a_server_in_a_container_is_used_like_any_other(own: Choice, tmp_path: Path) -> None:
    with Scratch() as scratch, Postgresql(own, scratch).start() as running:
        running.create("app")
        with running.connect("app") as connection:
            connection.execute("CREATE TABLE account AS SELECT g AS id FROM generate_series(1, 500) g")
        for form in (Form.CUSTOM, Form.PLAIN):
            assert running.dump(tmp_path / form.value, "app", form).well
            running.create(form.value)
            assert running.restore(tmp_path / form.value, form.value).well
            with running.connect(form.value) as connection:
                assert connection.execute("SELECT count(*) FROM account").fetchone() == (500,)
        with running.connect() as connection, pytest.raises(Exception, match=r"could not|failed"):
            connection.execute("COPY (SELECT 1) TO PROGRAM 'true'")
        name = scratch.folder.name
    left = subprocess.run(["podman", "ps", "-aq", f"--filter=label=shoreup={name}"], capture_output=True, check=True)
    assert left.stdout == b""
    assert not scratch.folder.exists()


RUN_THAT_WAITS = f"""\
import os, signal, sys
from shoreup.engines.choosing import Wanted, choose
from shoreup.engines.postgresql.server import Postgresql
from shoreup.engines.scratch import Scratch
with Scratch() as scratch, Postgresql(choose(Wanted("postgresql", "15", image={IMAGE!r})), scratch).start() as running:
    os.kill(scratch._keeper.pid, signal.SIGKILL)
    print(scratch.folder, flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_run_leaves_the_next_start_clears_away(own: Choice) -> None:
    run = subprocess.Popen(
        [sys.executable, "-c", RUN_THAT_WAITS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    folder = Path(run.stdout.readline().strip())
    run.kill()
    run.communicate()
    question = ["podman", "ps", "-aq", f"--filter=label=shoreup={folder.name}"]
    assert subprocess.run(question, capture_output=True, check=True).stdout, "the control: it goes on"
    assert folder in sweep()
    assert subprocess.run(question, capture_output=True, check=True).stdout == b""
    assert not folder.exists()


@pytest.mark.parametrize("name", ["", "--privileged", "postgres 17", "localhost/there-is-none:1"])
def test_an_image_that_is_not_here_is_not_fetched(name: str) -> None:
    assert on_this_machine(name) is None
    chosen("postgresql", "17")
    found = choose(Wanted("postgresql", "17.2", image=name))
    assert isinstance(found, Choice)
    assert found.installation.provider != "container"
