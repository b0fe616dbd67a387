"""What watches over a scratch folder, and clears it away when nobody else does.

A run that is killed cannot tidy up, so somebody outside of it has to. This file is also a program: each scratch folder
has one keeper, which holds the reading end of a pipe. When the run ends, however it ends, the pipe closes, and the
keeper ends every process that works in the folder and removes it. While the run lasts, it ends those processes when
they use more memory, room or time than they were given, and leaves the reason in the folder.

A process belongs to a folder when its working directory lies inside: that finds what a server forked, in whatever
session or namespace, and can hit nobody else. Where there is no ``/proc``, the recorded processes alone are ended.

Nothing but the standard library is imported, because the program runs without site packages.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

PREFIX = "shoreup-scratch-"
"""What every scratch folder's name begins with; nothing else is ever removed."""
REASON = "ended-because"
"""The file in a folder that says why its processes were ended."""
_PROC = Path("/proc")
_BEAT = 0.5
_ROOM_BEATS = 4
_GIVEN_UP_AFTER = 10.0


def birth(pid: int) -> str:
    """When a process began, in whatever unit the system counts; ``""`` where there is no such process.

    Together with the number it names one process: numbers are used again, and no two with one number begin at once.
    """
    if _PROC.joinpath("self").exists():
        try:
            after_name = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
        except OSError:
            return ""
        fields = after_name.split()
        # A zombie has ended; only its parent has not asked yet.
        return "" if fields[0] in "ZX" else f"{_boot()} {fields[19]}"
    done = subprocess.run(  # noqa: S603 (a fixed command)
        ["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def _boot() -> str:
    with contextlib.suppress(OSError):
        return (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return ""


def working_in(folder: Path) -> tuple[int, ...]:
    """The processes whose working directory is ``folder`` or lies in it; this one is never among them."""
    inside, found = f"{folder}/", []
    for entry in _entries(_PROC):
        if entry.isdigit() and int(entry) != os.getpid():
            with contextlib.suppress(OSError):
                # A removed directory keeps its name, with a remark behind it.
                where = str((_PROC / entry / "cwd").readlink()).removesuffix(" (deleted)")
                if f"{where}/".startswith(inside):
                    found.append(int(entry))
    return tuple(found)


def parent_of(pid: int) -> int:
    """The process that started another one; 0 where that cannot be seen."""
    try:
        return int(
            (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1]
        )
    except (OSError, IndexError, ValueError):
        return 0


def end(folder: Path, recorded: dict[int, str], patience: float = _GIVEN_UP_AFTER) -> bool:
    """End every process of a folder, at once and for good; whether none is left after ``patience`` seconds."""
    until = time.monotonic() + patience
    while True:
        known = {pid for pid, born in recorded.items() if born and birth(pid) == born}
        here = {pid for pid in (*working_in(folder), *known) if birth(pid)}
        if not here:
            return True
        for pid in here:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > until:
            return False
        time.sleep(0.01)


def remove(folder: Path) -> None:
    """Remove a scratch folder, and nothing that is none."""
    if not folder.name.startswith(PREFIX) or folder.is_symlink():
        return
    for _ in range(3):  # a process that is just dying may still have added a file
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return


def memory(folder: Path) -> int:
    """The bytes of memory that the processes of a folder hold; what they share counts once."""
    page = os.sysconf("SC_PAGE_SIZE")
    own, shared = 0, 0
    for pid in working_in(folder):
        with contextlib.suppress(OSError, ValueError, IndexError):
            words = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()
            own += int(words[1]) - int(words[2])
            shared = max(shared, int(words[2]))
    return (own + shared) * page


def room(folder: Path) -> int:
    """The bytes on disk that a folder takes."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(f"{parent}/{name}").st_blocks * 512
    return total


def remove_containers(record: Path) -> None:
    """Run what a record says removes the containers of its folder."""
    try:
        commands = json.loads(record.read_bytes()).get("removals", [])
    except (OSError, ValueError, AttributeError):
        return
    for command in commands:
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            subprocess.run(command, capture_output=True, check=False, timeout=60, cwd="/")  # noqa: S603 (ours)


def recorded(record: Path) -> dict[int, str]:
    """The processes that a record names, with their births."""
    try:
        told = json.loads(record.read_bytes())
        return {int(pid): str(born) for pid, born in told["processes"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _entries(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in folder.iterdir()]
    except OSError:
        return []


def _breach(folder: Path, most_memory: int, most_room: int, beat: int) -> str:
    if most_memory and memory(folder) > most_memory:
        return f"it used more than the {most_memory >> 20} MiB of memory that it was given"
    if most_room and beat % _ROOM_BEATS == 0 and room(folder) > most_room:
        return f"it used more than the {most_room >> 20} MiB of disk that it was given"
    return ""


def main(folder: Path, record: Path, most_memory: int, most_room: int, most_seconds: float) -> None:
    """Keep watch until the pipe on standard input closes."""
    until = time.monotonic() + most_seconds if most_seconds else None
    beat, ended = 0, False
    while not select.select([sys.stdin], [], [], _BEAT)[0]:
        beat += 1
        if ended:
            continue
        why = _breach(folder, most_memory, most_room, beat)
        if not why and until is not None and time.monotonic() > until:
            why = f"it took longer than the {most_seconds:g} s that it was given"
        if why:
            ended = True
            with contextlib.suppress(OSError):
                (folder / REASON).write_text(why, encoding="utf-8")
            end(folder, recorded(record))
    remove_containers(record)
    if end(folder, recorded(record)):
        remove(folder)
    if not folder.exists():
        record.unlink(missing_ok=True)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # whoever stops the run means the run; the pipe will tell
    os.chdir("/")
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))
