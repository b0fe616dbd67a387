"""A PostgreSQL that somebody lives on: its data directory as it lies, its server started and stopped in its own way.

Nothing here is a scratch copy. Programs run as the owner of the data directory, because PostgreSQL accepts nobody else
and what they write must stay the owner's; the server keeps its own configuration. What an operation needs beside it (to
let nobody in for a moment) is an option of one start, or a file that is put back.

Passwords are the caller's own: ``PGPASSWORD``, ``PGPASSFILE`` and ``PGUSER`` are handed on as they are.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from shutil import which
from time import monotonic, sleep
from typing import LiteralString

from msgspec import Struct

from shoreup.engines.base import EngineTrouble
from shoreup.engines.jail import Finished
from shoreup.engines.providers import Installation, installed, lying_in

PRODUCT = "postgresql"
START_SECONDS = 600
_HANDED_ON = ("PGPASSWORD", "PGPASSFILE", "PGUSER", "PGSSLMODE")
_QUOTED = 4000
_PAUSE = 0.05
_TRIES = 400
_PIDFILE = "postmaster.pid"


class Pidfile(Struct, frozen=True):
    """What a server that runs says of itself in its data directory."""

    pid: int
    port: int
    socket: str
    listens: str


class Owner:
    """Runs programs as the owner of a data directory, in a folder that they may write to."""

    def __init__(self, data: Path, work: Path) -> None:
        status = data.stat()
        self.user, self.group = status.st_uid, status.st_gid
        self._work = work
        if os.geteuid() not in (0, self.user):
            raise EngineTrouble(f"{data} belongs to another user: run this as its owner, or as root")

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        seconds: float,
        environment: Mapping[str, str] | None = None,
        with_shell: bool = False,
    ) -> Finished:
        """Run a program to its end, at most ``seconds``. It ends when we end, whatever ends us.

        ``with_shell`` is for those that start others through a shell; nothing hides one here.
        """
        del with_shell
        began = monotonic()
        process = subprocess.Popen(  # noqa: S603 (PostgreSQL's own programs)
            self.command(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self._work,
            env=self._environment(environment),
            start_new_session=True,
        )
        late = False
        try:
            output, said = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            late = True
            process.kill()
            output, said = process.communicate()
        except BaseException:
            process.kill()
            raise
        words = said.decode("utf-8", "replace").strip()[-_QUOTED:]
        return Finished(Path(argv[0]).name, process.returncode, words, monotonic() - began, output, late)

    def give(self, path: Path) -> Path:
        """Let a file or folder belong to the owner."""
        if os.geteuid() == 0:
            os.chown(path, self.user, self.group, follow_symlinks=False)
        return path

    def command(self, argv: Sequence[str | Path]) -> list[str]:
        """The whole command. The kernel ends the program with us where it can (Linux)."""
        setpriv, words = which("setpriv"), [str(one) for one in argv]
        if os.geteuid() == self.user:
            return [setpriv, "--pdeathsig=KILL", "--", *words] if setpriv else words
        if setpriv is None:
            raise EngineTrouble("to run programs as the owner of the data, root needs setpriv (util-linux)")
        who = [f"--reuid={self.user}", f"--regid={self.group}", "--clear-groups"]
        return [setpriv, *who, "--pdeathsig=KILL", "--", *words]

    def _environment(self, more: Mapping[str, str] | None) -> dict[str, str]:
        # A locale of whoever calls would change the words that are looked for in answers.
        own = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self._work), "LC_ALL": "C.UTF-8"}
        return {**own, **{name: os.environ[name] for name in _HANDED_ON if name in os.environ}, **(more or {})}


class OwnCluster:
    """A data directory with the programs of its version."""

    def __init__(self, data: Path, programs: Installation, owner: Owner, user: str = "") -> None:
        self.data = data
        self.programs = programs
        self.owner = owner
        self._user = user or os.environ.get("PGUSER", "postgres")

    def program(self, name: str) -> Path:
        """Where one of the programs lies. Raises :class:`EngineTrouble`."""
        found = self.programs.folder / name
        if not found.exists():
            raise EngineTrouble(f"{self.programs} has no {name}; name a folder that has it")
        return found

    def pidfile(self) -> Pidfile | None:
        """The server that runs on the directory; ``None`` where none does."""
        try:
            lines = (self.data / _PIDFILE).read_text(encoding="utf-8", errors="replace").splitlines()
            found = Pidfile(int(lines[0]), int(lines[3]), lines[4].strip(), lines[5].strip() if len(lines) > 5 else "")
        except (OSError, ValueError, IndexError):
            return None
        with suppress(PermissionError):
            try:
                os.kill(found.pid, 0)
            except ProcessLookupError:
                return None
        return found

    def control(self) -> dict[str, str]:
        """What pg_controldata tells, by its own titles."""
        asked = self._needed([self.program("pg_controldata"), "-D", self.data], 60)
        lines = asked.output.decode("utf-8", "replace").splitlines()
        return {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def start(self, log: Path, options: str = "") -> None:
        """Start the server where none runs, and wait until it answers. Raises :class:`EngineTrouble`."""
        if self.pidfile() is None:
            command: list[str | Path] = [self.program("pg_ctl"), "start", "-D", self.data, "-l", log, "-w"]
            command += ["-t", str(START_SECONDS), *(["-o", options] if options else [])]
            finished = self.owner.run(command, seconds=START_SECONDS + 10)
            if finished.well:
                return
            if self.pidfile() is None:
                raise EngineTrouble(f"PostgreSQL did not start: {_last_of(log) or finished.said or 'no word'}")
        # Somebody who was killed has begun to start it.
        until = monotonic() + START_SECONDS
        while not self.owner.run([self.program("pg_isready"), "-q"], seconds=60, environment=self.reached()).well:
            if monotonic() > until:
                raise EngineTrouble(f"PostgreSQL does not answer: {_last_of(log)}")
            sleep(_PAUSE)

    def stop(self, how: str = "fast") -> None:
        """Stop the server, if one runs. Raises :class:`EngineTrouble`."""
        if self.pidfile() is None:
            return
        self._needed([self.program("pg_ctl"), "stop", "-D", self.data, "-m", how, "-w", "-t", "3600"], 3700)

    def reread(self, script: Path) -> None:
        """Let the server read its access lists again, and come back when it has. ``script`` is a file for ``psql``.

        One session asks for it and sees it happen: it was let in by the old lists, and the new ones need not know it.
        """
        look = "SELECT pg_conf_load_time() >= :'asked' AS known \\gset\n\\if :known\n\\q\n\\endif\n"
        words = "SELECT clock_timestamp() AS asked \\gset\nSELECT pg_reload_conf() AS told \\gset\n"
        script.write_text(words + f"{look}SELECT pg_sleep(0.002) AS slept \\gset\n" * _TRIES, encoding="utf-8")
        self.owner.give(script)
        self.tool("psql", ["--no-psqlrc", "--no-password", "--quiet", "--set=ON_ERROR_STOP=1", "--file", script], 60)

    def ask(self, database: str, question: LiteralString) -> bytes:
        """The answer to a question that gives one value of JSON. The server has to run."""
        return self.tell(database, question).strip()

    def tell(self, database: str, words: str) -> bytes:
        """Let ``psql`` say something to the server; what it printed, without frames. Raises :class:`EngineTrouble`."""
        options = ["--no-psqlrc", "--no-password", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"]
        command: list[str | Path] = [self.program("psql"), *options, f"--dbname={database}", "--command", words]
        return self._needed(command, 3600, self.reached()).output

    def tool(self, name: str, arguments: Sequence[str | Path], seconds: float) -> Finished:
        """Run one of PostgreSQL's programs against the server. Raises :class:`EngineTrouble` where it fails."""
        return self._needed([self.program(name), *arguments], seconds, self.reached())

    def reached(self) -> dict[str, str]:
        """The variables that lead clients to the server. Raises :class:`EngineTrouble` where none runs."""
        found = self.pidfile()
        if found is None:
            raise EngineTrouble(f"no server runs on {self.data}")
        host = found.socket or (found.listens if found.listens not in {"", "*"} else "127.0.0.1")
        variables = {"PGHOST": host, "PGPORT": str(found.port), "PGDATABASE": "postgres"}
        return {**variables, "PGUSER": self._user}

    def _needed(
        self, command: Sequence[str | Path], seconds: float, environment: Mapping[str, str] | None = None
    ) -> Finished:
        finished = self.owner.run(command, seconds=seconds, environment=environment)
        if finished.well:
            return finished
        lines = [line for line in finished.said.splitlines() if line.strip()]
        # Behind the error comes the place in the statement, with an arrow below it.
        words = ([line for line in lines if "ERROR: " in line or "FATAL: " in line] or lines or ["no word"])[-1:]
        late = "took too long and was ended" if finished.late else f"ended with {finished.code}"
        raise EngineTrouble(f"{finished.program} {late}: {words[0]}{_way_in(words[0])}")


def _way_in(words: str) -> str:
    """What to do where the server did not let us in; empty where that was not it."""
    shut = re.search(
        r"no password supplied|authentication failed|role \"[^\"]*\" does not exist|no pg_hba.conf entry", words
    )
    return "; say who asks, as a superuser, by PGUSER and PGPASSWORD or PGPASSFILE" if shut else ""


def own_cluster(data: Path, programs: Path | None = None, work: Path | None = None, user: str = "") -> OwnCluster:
    """The cluster in a data directory. ``programs`` is their folder, where it is not to be looked for; ``work`` a
    folder that its owner may write to; ``user`` the role to speak as, where it is not ``PGUSER`` or ``postgres``.

    Raises :class:`EngineTrouble` where it is none, or its programs are not here.
    """
    try:
        version = (data / "PG_VERSION").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        raise EngineTrouble(f"{data} is no data directory of PostgreSQL that can be read") from None
    return OwnCluster(data, programs_of(version, programs), Owner(data, work or Path("/")), user)


def programs_of(version: str, folder: Path | None = None) -> Installation:
    """The programs of a major version, in a folder or wherever this machine has them.

    Raises :class:`EngineTrouble`.
    """
    major = int(version.partition(".")[0]) if version.partition(".")[0].isdigit() else 0
    if folder is not None:
        own = lying_in(PRODUCT, folder)
        if own is None or own.version[:1] != (major,):
            raise EngineTrouble(f"{folder} holds no programs of PostgreSQL {version} that run")
        return own
    here = [one for one in installed(PRODUCT) if one.version[:1] == (major,) and (one.folder / "pg_upgrade").exists()]
    if not here:
        raise EngineTrouble(
            f"this machine has no programs of PostgreSQL {version}; install postgresql-{version} (Debian) "
            "or name their folder"
        )
    return max(here, key=lambda one: (one.provider == "system", one.version))


def _last_of(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return ""
    telling = [line for line in lines if "FATAL" in line or "PANIC" in line]
    return (telling or lines or [""])[-1][:500]
