"""The files that an audit may read, each read once, nothing outside the estate.

A stranger's tree may hold links that leave it, devices that never end, files of gigabytes and files that
are encrypted. All of that is decided here, so that no reader has to think of it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from hashlib import blake2b
from pathlib import Path

from shoreup.model.finding import ReadError

MAX_BYTES = 8 * 1024 * 1024
"""Larger files hold data, not configuration."""

SKIPPED_FOLDERS = frozenset({".git", ".terraform", ".terragrunt-cache", "node_modules", ".venv", "__pycache__"})


class FileTree:
    """The regular files below ``root``.

    ``files`` are paths relative to ``root``, with forward slashes, sorted. ``errors`` collects what could
    not be read; ``skipped`` maps a path to the reason why it is left alone (``encrypted``, ``binary``).
    """

    def __init__(self, root: Path, only: tuple[str, ...] = ()) -> None:
        self.root = root
        self.errors: list[ReadError] = []
        self.skipped: dict[str, str] = {}
        self._contents: dict[str, bytes | None] = {}
        self.files: tuple[str, ...] = tuple(sorted(self._walk(only)))
        self._known = frozenset(self.files)

    def __contains__(self, path: str) -> bool:
        return path in self._known

    def read(self, path: str) -> bytes | None:
        """The bytes of a file, or ``None`` when it is absent, unreadable, encrypted or outside the estate."""
        if path not in self._contents:
            self._contents[path] = self._read(path) if path in self._known else None
        return self._contents[path]

    def text(self, path: str) -> str | None:
        """A file as text, without a byte order mark; ``None`` where it cannot be read or is not UTF-8."""
        content = self.read(path)
        if content is None:
            return None
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as problem:
            self.error(path, content.count(b"\n", 0, problem.start) + 1, "not UTF-8", "the file")
            return None

    @property
    def touched(self) -> tuple[str, ...]:
        """The files that were asked for so far, whether they could be read or not."""
        return tuple(self._contents)

    def digest(self, path: str) -> str:
        """A hash of the file's content; empty for a file that cannot be read."""
        content = self.read(path)
        return "" if content is None else blake2b(content, digest_size=16).hexdigest()

    def error(self, path: str, line: int, cause: str, skipped: str) -> None:
        """Note a problem once."""
        problem = ReadError(path, line, cause, skipped)
        if problem not in self.errors:
            self.errors.append(problem)

    def _walk(self, only: tuple[str, ...]) -> Iterator[str]:
        for folder, names, files in os.walk(self.root, onerror=self._unreadable, followlinks=False):
            names[:] = sorted(name for name in names if name not in SKIPPED_FOLDERS)
            base = Path(folder).relative_to(self.root).as_posix()
            for name in files:
                path = name if base == "." else f"{base}/{name}"
                if not only or any(path == item or path.startswith(f"{item}/") for item in only):
                    yield path

    def _unreadable(self, problem: OSError) -> None:
        path = os.path.relpath(problem.filename, self.root)
        self.error(path, 0, problem.strerror or "unreadable", "the folder")

    def _read(self, path: str) -> bytes | None:
        full = self.root / path
        try:
            resolved = full.resolve(strict=True)
            if not resolved.is_relative_to(self.root.resolve()):
                self.error(path, 0, "a link that leaves the estate", "the file")
                return None
            status = resolved.stat()
            if not stat.S_ISREG(status.st_mode):
                self.error(path, 0, "not a regular file", "the file")
                return None
            if status.st_size > MAX_BYTES:
                self.error(path, 0, f"larger than {MAX_BYTES // 1024 // 1024} MiB", "the file")
                return None
            content = resolved.read_bytes()
        except (OSError, RuntimeError) as problem:
            self.error(path, 0, str(getattr(problem, "strerror", "") or problem), "the file")
            return None
        if content.startswith(b"\0GITCRYPT\0"):
            self.skipped[path] = "encrypted"
            return None
        return content


Reader = Callable[[str], bytes | None]
"""How readers ask for a file by its path relative to the estate."""
