"""Where what we say goes: the terminal, a pipe, or a file that is written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from pathlib import Path
from typing import TextIO

from shoreup.model.errors import UserError

PIPE_WIDTH = 100
"""Columns where nothing says how wide the reader is."""

PLAIN_TYPE = str.maketrans(
    {
        "×": "x",
        "…": "...",
        "─": "-",
        "→": "->",
        "·": "-",
        "—": "-",
        "’": "'",
        **dict(zip("▁▂▃▄▅▆▇█", "_.,-=+*#", strict=True)),
    }
)


def complain(message: str) -> None:
    """Say what went wrong on standard error, in one line that names us."""
    text = f"shoreup: {' '.join(message.split())}\n"
    with contextlib.suppress(OSError, ValueError):  # nobody left to tell
        sys.stderr.write(text.encode(sys.stderr.encoding or "utf-8", "backslashreplace").decode(errors="replace"))
        sys.stderr.flush()


def wants_colour(stream: TextIO, refused: bool) -> bool:
    """Whether colour is welcome: see no-color.org and force-color.org."""
    if refused or os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def width_of(stream: TextIO) -> int:
    """How many columns the reader has."""
    if stream.isatty() or os.environ.get("COLUMNS"):
        import shutil

        return shutil.get_terminal_size((PIPE_WIDTH, 24)).columns
    return PIPE_WIDTH


def say(text: str) -> None:
    """Write to standard output. A reader who left (``| head``) is no error; a full disk is.

    Raises :class:`UserError`.
    """
    stream = sys.stdout
    encoding = (stream.encoding or "utf-8").lower()
    if "utf" not in encoding:
        text = text.translate(PLAIN_TYPE)
    content = text.encode(encoding, "backslashreplace")
    try:
        stream.flush()
        buffer = getattr(stream, "buffer", None)
        if buffer is None:
            stream.write(content.decode(encoding))
            stream.flush()
        else:
            buffer.write(content)
            buffer.flush()
    except BrokenPipeError:
        _discard_stdout()
    except OSError as problem:
        _discard_stdout()
        raise UserError(_unwritable("standard output", problem)) from problem


def save(text: str, target: Path) -> None:
    """Write a report to a file, whole or not at all; devices and pipes are written as they are.

    Raises :class:`UserError`.
    """
    save_bytes(text.encode("utf-8", "backslashreplace"), target)


def save_bytes(content: bytes, target: Path) -> None:
    """The same for bytes: a diff holds whatever the files hold."""
    try:
        if target.exists() and not stat.S_ISREG(target.stat().st_mode):
            target.write_bytes(content)
        else:
            _replace(target.resolve(), content)
    except OSError as problem:
        raise UserError(_unwritable(str(target), problem)) from problem


def _replace(target: Path, content: bytes) -> None:
    import tempfile

    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.chmod(_mode(target))
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _mode(target: Path) -> int:
    """The permissions that the file has, or that a new one would get."""
    with contextlib.suppress(OSError):
        return stat.S_IMODE(target.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _unwritable(where: str, problem: OSError) -> str:
    advice = {
        errno.ENOSPC: "Free some space there or name another place with --output.",
        errno.EDQUOT: "Free some space there or name another place with --output.",
        errno.ENOENT: "Make its folder first.",
        errno.EISDIR: "Name a file, not a folder.",
    }.get(problem.errno or 0, "Name another place with --output.")
    return f"Cannot write the report to {where}: {problem.strerror or problem}. {advice}"


def _discard_stdout() -> None:
    """Keep the interpreter from flushing to a dead stream at exit, which would print a traceback."""
    with contextlib.suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
