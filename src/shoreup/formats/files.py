"""The files that an audit may read, each read once, nothing outside the estate.

A stranger's tree may hold links that leave it, links in a circle, pipes and devices that never end, files of
gigabytes and files that are encrypted. All of that is decided here, so that no reader has to think of it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from hashlib import blake2b
from pathlib import Path
from typing import TypeVar, cast

from shoreup.model.finding import ReadError

T = TypeVar("T")

MAX_BYTES = 8 * 1024 * 1024
"""Larger files hold data, not configuration."""

SKIPPED_FOLDERS = frozenset({".git", ".terraform", ".terragrunt-cache", "node_modules", ".venv", "__pycache__"})

_LOOKED_AT = 8192
"""Bytes at the start of a file that tell whether it is text."""

_MAX_LINKS = 40
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class FileTree:
    """The files below ``root``, or those of them that ``only`` names (files or folders, relative).

    ``files`` are paths relative to ``root``, with forward slashes, sorted. ``listed``, when given, are the files
    that git does not ignore (:func:`shoreup.sources.git.listed`); others are left alone. ``links`` are the links
    to files and folders of the estate, with what they lead to; a link to a file is among ``files`` too, and
    reading it gives the same bytes as its target, read once. ``errors`` collects what could not be read; ``skipped``
    maps a path to the reason why it is left alone (``encrypted``, ``binary``, ``template``, ``not applied``).
    ``templates`` are files that were filled in on behalf of others, and mean nothing as they stand.
    """

    def __init__(self, root: Path, only: tuple[str, ...] = (), listed: Collection[str] | None = None) -> None:
        self.root = root
        self.only = only
        self._given: dict[str, bytes] = {}
        self.errors: list[ReadError] = []
        self.skipped: dict[str, str] = {}
        self.templates: set[str] = set()
        self.links: dict[str, str] = {}
        self._noted: set[ReadError] = set()
        self._contents: dict[str, bytes | None] = {}
        self._digests: dict[str, str] = {}
        self._made: dict[tuple[str, object], object] = {}
        self._real_root = os.path.realpath(root)
        self.files: tuple[str, ...] = tuple(sorted(self._walk(only, _Listed(listed))))
        self._known = frozenset(self.files)
        self._seen = tuple(self.errors)

    def amended(self, contents: Mapping[str, bytes]) -> FileTree:
        """The same tree as if these files held these contents, new files among them. Nothing is written.

        Paths are those that :meth:`real` gives. What was read is kept; what was noted of files is noted anew.
        """
        tree = copy(self)
        tree._given = {**self._given, **contents}
        tree.files = tuple(sorted({*self.files, *contents}))
        tree._known = frozenset(tree.files)
        tree.errors, tree._noted, tree.skipped, tree.templates = list(self._seen), set(self._seen), {}, set()
        tree._contents = {
            path: content
            for path, content in self._contents.items()
            if content is not None and self.real(path) not in contents
        }
        tree._digests = {}
        tree._made = {key: made for key, made in self._made.items() if self.real(key[0]) not in contents}
        return tree

    def __contains__(self, path: str) -> bool:
        return path in self._known or self.real(path) in self._known

    def real(self, path: str) -> str:
        """The path with links inside the estate followed; the path itself where they lead in a circle."""
        if not self.links:
            return path
        found = path
        for _ in range(_MAX_LINKS):
            parts = found.split("/")
            for count in range(1, len(parts) + 1):
                target = self.links.get("/".join(parts[:count]))
                if target is not None:
                    found = "/".join([*([] if target == "." else [target]), *parts[count:]]) or "."
                    break
            else:
                return found
        return path

    def read(self, path: str) -> bytes | None:
        """The bytes of a file, or ``None`` when it is absent, unreadable, encrypted, binary or outside the estate."""
        if path not in self._contents:
            target = self.real(path)
            if target != path and target in self._known:
                return self.read(target) if target not in self.links else None
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
        return tuple({**self._digests, **self._contents})

    def digest(self, path: str) -> str:
        """A hash of the file's content; empty for a file that cannot be read."""
        if path not in self._digests:
            content = self.read(path)
            self._digests[path] = "" if content is None else blake2b(content, digest_size=16).hexdigest()
        return self._digests[path]

    def once(self, path: str, make: Callable[[str, bytes], T]) -> T | None:
        """What ``make`` makes of a file's path and bytes; ``None`` for a file that cannot be read.

        It is made on first use, and kept where the tree is amended, unless this file is.
        """
        content = self.read(path)
        if content is None:
            return None
        if (path, make) not in self._made:
            self._made[(path, make)] = make(path, content)
        return cast(T, self._made[(path, make)])

    def forget(self) -> None:
        """Release the contents that were read. Files are read again when they are asked for; what was noted stays.

        Their digests stay too: what is concluded from a content must never be taken for another's.
        """
        for path in self._contents:
            self.digest(path)
        self._contents.clear()

    def not_applied(self, path: str) -> None:
        """Leave a file alone because nothing applies it; a reason that is known already stays."""
        self.skipped.setdefault(path, "not applied")

    @contextmanager
    def unheard(self) -> Iterator[None]:
        """Read without noting problems: what is wrong in a file that nothing applies troubles nobody."""
        heard = len(self.errors)
        try:
            yield
        finally:
            self._noted.difference_update(self.errors[heard:])
            del self.errors[heard:]

    def error(self, path: str, line: int, cause: str, skipped: str) -> None:
        """Note a problem once. A path may hold any bytes but 0; those that are no text are shown as ``\\xNN``."""
        shown = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        problem = ReadError(shown, line, cause, skipped)
        if problem not in self._noted:
            self._noted.add(problem)
            self.errors.append(problem)

    def _walk(self, only: tuple[str, ...], listed: _Listed) -> Iterator[str]:
        folders = [""]
        while folders:
            folder = folders.pop()
            try:
                with os.scandir(self.root / folder) as found:
                    entries = list(found)
            except OSError as problem:
                self.error(folder.rstrip("/") or ".", 0, problem.strerror or "unreadable", "the folder")
                continue
            for entry in entries:
                path = folder + entry.name
                if entry.is_dir(follow_symlinks=False):
                    inside = not only or _related(path, only)
                    if inside and entry.name not in SKIPPED_FOLDERS and listed.has_folder(path):
                        folders.append(f"{path}/")
                elif (not only or _within(path, only)) and listed.has_file(path):
                    if entry.is_symlink():
                        if self._is_file_link(path):
                            yield path
                    elif entry.is_file(follow_symlinks=False):
                        yield path
                    else:
                        kind = _KINDS.get(stat.S_IFMT(entry.stat(follow_symlinks=False).st_mode), "no regular file")
                        self.error(path, 0, kind, "the file")

    def _is_file_link(self, path: str) -> bool:
        """Note where a link leads. One to nowhere or outside counts as a file: reading it says why it cannot be."""
        full = self.root / path
        target = os.path.realpath(full)
        inside = _below(target, self._real_root)
        if inside is None:
            if Path(target).is_dir():
                self.error(path, 0, "a link that leaves the estate", "the folder")
                return False
            return True
        try:
            mode = os.lstat(target).st_mode
        except OSError:
            return True
        if stat.S_ISDIR(mode):
            self.links[path] = inside
            return False
        if stat.S_ISREG(mode):
            self.links[path] = inside
        return True

    def _read(self, path: str) -> bytes | None:
        if path in self._given:
            return self._text_or_nothing(path, self._given[path])
        full = f"{self._real_root}/{path}"
        try:
            status = os.lstat(full)
            if stat.S_ISLNK(status.st_mode):
                full = os.path.realpath(full, strict=True)
                if _below(full, self._real_root) is None:
                    self.error(path, 0, "a link that leaves the estate", "the file")
                    return None
                status = os.lstat(full)
            if not stat.S_ISREG(status.st_mode):
                self.error(path, 0, _KINDS.get(stat.S_IFMT(status.st_mode), "not a regular file"), "the file")
                return None
            if status.st_size > MAX_BYTES:
                self.error(path, 0, f"larger than {MAX_BYTES // 1024 // 1024} MiB", "the file")
                return None
            content = _slurp(full)
        except (OSError, ValueError) as problem:
            self.error(path, 0, str(getattr(problem, "strerror", "") or problem), "the file")
            return None
        if len(content) > MAX_BYTES:
            self.error(path, 0, f"larger than {MAX_BYTES // 1024 // 1024} MiB", "the file")
            return None
        return self._text_or_nothing(path, content)

    def _text_or_nothing(self, path: str, content: bytes) -> bytes | None:
        if content.startswith(b"\0GITCRYPT\0"):
            self.skipped[path] = "encrypted"
            return None
        if content.startswith(_UTF_16):
            self.error(path, 1, "UTF-16, not UTF-8", "the file")
            return None
        start = content[:_LOOKED_AT]
        if b"\0" in start and not _is_text(start):
            self.skipped[path] = "binary"
            return None
        return content


class _Listed:
    """What git lists, asked by file and by folder. Repositories inside are listed as themselves, so all of them is."""

    def __init__(self, paths: Collection[str] | None) -> None:
        self._all = paths is None
        self._paths = frozenset(path.rstrip("/") for path in paths or ())
        self._folders = {""}
        for path in self._paths:
            folder = path
            while (folder := folder.rpartition("/")[0]) and folder not in self._folders:
                self._folders.add(folder)
        self._inner: set[str] = set()

    def has_file(self, path: str) -> bool:
        return self._all or path in self._paths or path.rpartition("/")[0] in self._inner

    def has_folder(self, path: str) -> bool:
        if self._all or path in self._folders:
            return True
        if path in self._paths or path.rpartition("/")[0] in self._inner:
            self._inner.add(path)
            return True
        return False


def _slurp(path: str) -> bytes:
    """The content of a regular file; never waits, whatever the file has become since it was looked at."""
    descriptor = os.open(path, os.O_RDONLY | _NO_FOLLOW)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError("no regular file any more")
        parts: list[bytes] = []
        left = MAX_BYTES + 1
        while left > 0 and (part := file.read(min(left, status.st_size + 1))):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)


def _is_text(start: bytes) -> bool:
    """Whether bytes with NUL among them are still text with a few stray NULs, which its reader can point at."""
    try:
        start.decode()
    except UnicodeDecodeError as problem:
        if problem.start < len(start) - 3:
            return False
    return start.count(b"\0") * 50 <= len(start) or start.count(b"\0") == 1


def _below(path: str, root: str) -> str | None:
    if path == root:
        return "."
    base = root.rstrip("/") + "/"
    return path[len(base) :] if path.startswith(base) else None


def _within(path: str, only: tuple[str, ...]) -> bool:
    return any(item in (".", path) or path.startswith(f"{item}/") for item in only)


def _related(path: str, only: tuple[str, ...]) -> bool:
    return _within(path, only) or any(item.startswith(f"{path}/") for item in only)


Reader = Callable[[str], bytes | None]
"""How readers ask for a file by its path relative to the estate."""
