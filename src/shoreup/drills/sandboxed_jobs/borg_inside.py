"""Runs inside of a sandbox, as its first process, by this machine's own Python: the steps of a job, and Borg.

Borg is written in Python, and starting it costs more than what it does to a small repository. So it is loaded once, and
each command of the job's is a fork of this process, which begins in Borg's own ``main``. In the fork the clock says the
simulated day, the host has the pod's name, and whichever repository the words name is the scratch one. All else, what
``prune`` keeps above all, is Borg's. Nothing of Shoreup can be imported here.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from datetime import UTC, datetime, tzinfo
from importlib import import_module
from pathlib import Path

JOBS, STATE, AT = "/.job", "/.state", "/.volumes/repository"
_MODULES = "archiver archive repository locking cache helpers helpers.manifest helpers.misc helpers.parseformat".split()
_now = time.time
_shift = 0.0


def _moved() -> float:
    return _now() + _shift


class Moved(datetime):
    """A ``datetime`` whose clock says the simulated day."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Moved:
        """The simulated moment."""
        return cls.fromtimestamp(_moved(), tz)

    @classmethod
    def utcnow(cls) -> Moved:
        """The simulated moment in UTC, without a zone."""
        return cls.fromtimestamp(_moved(), UTC).replace(tzinfo=None)


def main() -> None:
    """Say that all is ready, and run each step that is named, until nobody names one any more."""
    words, answers = os.dup(0), os.dup(1)
    nothing = os.open("/dev/null", os.O_RDWR)
    for name in _MODULES:
        import_module(f"borg.{name}")
    for name, module in list(sys.modules.items()):
        if name.startswith("borg") and getattr(module, "datetime", None) is datetime:
            module.datetime = Moved  # type: ignore[attr-defined]  # a module's own name for the class
    time.time = _moved
    archiver = import_module("borg.archiver")
    built = archiver.Archiver()
    parser = built.build_parser()
    built.build_parser = lambda *_: parser
    # The words that it knows, and what it tries of itself on each start, are the same in each fork.
    archiver.Archiver = lambda *_: built  # type: ignore[attr-defined]  # a module's own name for the class
    archiver.selftest = lambda *_: None  # type: ignore[attr-defined]  # likewise
    for name in ("ask", "answer"):
        os.mkfifo(f"{STATE}/{name}")
    ask, answer = (os.open(f"{STATE}/{name}", os.O_RDWR | os.O_NONBLOCK) for name in ("ask", "answer"))
    woken, waking = os.pipe()
    for one in (woken, waking):
        os.set_blocking(one, False)
    signal.set_wakeup_fd(waking)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for one in (0, 1, 2):
        os.dup2(nothing, one)
    os.write(answers, b"ready\n")
    with os.fdopen(words) as steps:
        for step in steps:
            code = _run(step.strip(), ask, answer, woken)
            os.write(answers, f"{code}\n".encode())


def _run(step: str, ask: int, answer: int, woken: int) -> int:
    child = os.fork()
    if not child:
        said = os.open(f"{STATE}/said", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(said, 1)
        os.dup2(said, 2)
        signal.set_wakeup_fd(-1)
        os.execv("/bin/sh", ["/bin/sh", f"{JOBS}/{step}"])  # noqa: S606 (a file of the sandbox's own)
    while True:
        ready = select.select([ask, woken], [], [])[0]
        if ask in ready:
            os.read(ask, 4096)
            os.write(answer, f"{_borg()}\n".encode())
        if woken in ready:
            os.read(woken, 4096)
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                break
    _end_the_rest()
    return os.waitstatus_to_exitcode(status) & 255


def _end_the_rest() -> None:
    """What the step has left running ends, as it does with a pod."""
    try:
        os.kill(-1, signal.SIGKILL)
        while True:
            os.waitpid(-1, 0)
    except (ProcessLookupError, ChildProcessError):
        pass


def _borg() -> int:
    """Run Borg with the words that the job's stand-in has left, and say how it ended."""
    child = os.fork()
    if not child:
        code = 2
        try:
            code = _become_borg()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 255


def _become_borg() -> int:
    global _shift  # the clock of this fork alone
    day = _read("day").split()
    pod = day[-1] if day else "job"
    _shift = float(day[2]) - _now() if day else 0.0
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(os.open(f"{STATE}/in", os.O_RDONLY), 0)
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(f"{STATE}/{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), number)
    os.chdir(_read("folder").rstrip("\n"))
    os.environ.update(
        BORG_REPO=f"{AT}/borg", BORG_BASE_DIR=f"{AT}/base", HOME=f"{AT}/base", TZ="UTC",
        BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK="yes", BORG_RELOCATED_REPO_ACCESS_IS_OK="yes",
        BORG_CHECK_I_KNOW_WHAT_I_AM_DOING="YES", BORG_DELETE_I_KNOW_WHAT_I_AM_DOING="YES",
    )  # fmt: skip
    platform = import_module("borg.platform")
    platform.hostname, platform.fqdn = pod, pod  # type: ignore[attr-defined]  # what {hostname} stands for
    archiver, location = import_module("borg.archiver"), import_module("borg.helpers").Location
    built = archiver.Archiver()
    plain = built.get_args

    def led_here(argv: list[str], command: str | None) -> object:
        args = plain(argv, command)
        for name, value in vars(args).items():
            if isinstance(value, location) and getattr(value, "proto", None):
                archive = f"::{value.archive}" if value.archive else ""
                setattr(args, name, location(f"{AT}/borg{archive}"))
        return args

    built.get_args = led_here
    sys.argv = ["borg", *(_read("words").split("\0")[:-1])]
    try:
        archiver.main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 2 if ended.code else 0
    return 0


def _read(name: str) -> str:
    return Path(STATE, name).read_text(encoding="utf-8", errors="surrogateescape")


if __name__ == "__main__":
    main()
