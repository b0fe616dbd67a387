"""The files of a MariaDB or MySQL server: what mariadb-backup copied, or what somebody copied from under a server.

mariadb-backup copies files while they change and keeps a log of the changes; its own ``--prepare`` puts the two
together. Files that were just copied have no such log. The server tries to recover them as after a power cut, and what
it makes of them has to be looked at table by table.
"""

from __future__ import annotations

import re
from pathlib import Path

from msgspec import Struct

from shoreup.engines.archives import is_tar, unpack
from shoreup.engines.base import EngineTrouble
from shoreup.engines.jail import Jail
from shoreup.engines.mysql.server import Mysql
from shoreup.engines.packing import BrokenCopy, beginning_of, packing_of, unpacked

_CHECKPOINTS = ("mariadb_backup_checkpoints", "xtrabackup_checkpoints")
_INFOS = ("mariadb_backup_info", "xtrabackup_info")
_SPACE = "ibdata1"
_STREAM = b"XBSTCK01"
_SETTINGS = "backup-my.cnf"
_SETTING = re.compile(
    r"^(innodb_(?:page_size|data_file_path|undo_tablespaces|log_file_size|checksum_algorithm))=([\w:;.]+)$",
    re.MULTILINE,
)
"""Settings that the files were made with and that a server needs to read them."""
_VERSION = re.compile(r"^server_version = (\d+\.\d+\.\d+)", re.MULTILINE)
_SECONDS = 6 * 3600.0
_DEEP = 3


class ServerFiles(Struct, frozen=True):
    """A data directory for a server. ``prepared`` says that mariadb-backup made one state of the files."""

    data: Path
    settings: dict[str, str]
    prepared: bool


def are_files(path: Path) -> bool:
    """Whether something is the files of a server, and no dump. Raises :class:`BrokenCopy`."""
    if path.is_dir():
        return _found(path) is not None
    if beginning_of(path, packing_of(path), len(_STREAM)).startswith(_STREAM):
        return True
    return is_tar(path)


def version_in(path: Path) -> str:
    """The version that the files say they are of, empty where they do not."""
    folder = _found(path) if path.is_dir() else None
    for name in _INFOS if folder is not None else ():
        assert folder is not None
        if (folder / name).is_file():
            found = _VERSION.search((folder / name).read_text(encoding="utf-8", errors="replace"))
            return found.group(1) if found is not None else ""
    return ""


def bring(path: Path, server: Mysql, name: str) -> ServerFiles:
    """Bring the files into the scratch folder, as a data directory. Raises :class:`BrokenCopy`."""
    jail = server.jail
    scratch = jail.scratch
    whole = scratch.make(name) / "files"
    if path.is_dir():
        scratch.keep_tree(path, whole)
    elif beginning_of(path, packing_of(path), len(_STREAM)).startswith(_STREAM):
        _unstream(path, scratch.make(f"{name}/files"), server)
    else:
        unpack(path, scratch.make(f"{name}/files"), scratch)
    data = _found(whole)
    if data is None:
        raise BrokenCopy(f"there are no files of a server in it: {_SPACE} is missing")
    if any(one.is_symlink() for one in data.rglob("*")):
        raise BrokenCopy("it has a link that leads out of it, which a drill does not follow")
    settings: dict[str, str] = {}
    if (data / _SETTINGS).is_file():
        text = (data / _SETTINGS).read_text(encoding="utf-8", errors="replace")
        settings = {found.group(1).replace("_", "-"): found.group(2) for found in _SETTING.finditer(text)}
    made_by_backup = any((data / one).is_file() for one in _CHECKPOINTS)
    if made_by_backup:
        done = jail.run([_tool(server, "backup"), "--prepare", f"--target-dir={data}"], seconds=_SECONDS)
        if not done.well:
            said = [line for line in done.said.splitlines() if "ERROR" in line or "error" in line]
            raise BrokenCopy(f"mariadb-backup cannot prepare it: {(said or ['no word'])[-1][:200]}")
    return ServerFiles(data, settings, made_by_backup)


def _unstream(path: Path, target: Path, server: Mysql) -> None:
    jail: Jail = server.jail
    done = jail.run(
        [_tool(server, "stream"), "-x", "-C", target],
        seconds=_SECONDS,
        feed=jail.scratch.within(unpacked(path, packing_of(path))),
    )
    if not done.well:
        raise BrokenCopy("the stream of mariadb-backup is damaged or ends too early")


def _tool(server: Mysql, name: str) -> Path:
    tool = server.entry.tools.get(name)
    if tool is None:
        raise EngineTrouble(f"no tool is known that makes files of {server.entry.title} whole again")
    try:
        return server.choice.installation.program(tool)
    except FileNotFoundError:
        raise EngineTrouble(f"this copy needs {tool}, which is not here; install mariadb-backup (Debian)") from None


def _found(folder: Path) -> Path | None:
    """The folder in which a server's files lie: this one or a little below."""
    here = [folder]
    for _ in range(_DEEP):
        for one in here:
            if (one / _SPACE).is_file():
                return one
        here = [below for one in here for below in sorted(one.iterdir()) if below.is_dir() and not below.is_symlink()]
    return None
