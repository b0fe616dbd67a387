"""Where an estate's ledger lies, found without opening it.

By default it is a file in the user's state directory, in a folder named after the estate: two clones of a repository
are one estate and share it. ``[ledger] url`` puts it elsewhere, also on a server that several estates share.
"""

from __future__ import annotations

import os
import re
from hashlib import blake2b
from pathlib import Path
from urllib.parse import unquote

from msgspec import Struct

from shoreup.sources.git import first_commit, origin_url

FILE = "ledger.sqlite"

_SQLITE = re.compile(r"sqlite(?:\+\w+)?:///(?P<path>[^?]*)")
_POSTGRESQL = re.compile(r"\Apostgres(?:ql)?://")
"""A server whose driver is not named: SQLAlchemy would take one that Shoreup does not bring, or none."""
_SCP_STYLE = re.compile(r"(?:[^@/\s]+@)?(?P<host>[^:/\s]{2,}):(?P<path>(?!//).+)")
_URL_STYLE = re.compile(r"[a-z][a-z0-9+.-]*://(?:[^@/]*@)?(?P<host>[^/:]+)(?::\d+)?/(?P<path>.+)", re.IGNORECASE)
_UNPLAIN = re.compile(r"[^a-z0-9]+")


class Location(Struct, frozen=True):
    """Where the ledger of one estate is.

    ``estate`` is the estate's key, ``url`` what SQLAlchemy opens, ``file`` the file behind it (``None`` for a
    server). ``configured`` says that the owner asked for it, so that what is unproven may decide an exit code.
    ``closed`` says why it is not to be opened, empty where it may be.
    """

    estate: str
    url: str
    file: Path | None
    configured: bool
    closed: str = ""

    @property
    def shown(self) -> str:
        """The ledger for people: no password, and the way to it from the home directory."""
        if self.file is None:
            scheme, _, rest = self.url.partition("://")
            place, _, query = rest.partition("?")
            # A password that was not quoted may hold any sign. With a @ behind the ? nobody can tell where it ends.
            return scheme if "@" in query else f"{scheme}://{place.rpartition('@')[2]}"
        home = Path("~").expanduser()
        return f"~/{self.file.relative_to(home).as_posix()}" if self.file.is_relative_to(home) else str(self.file)

    def state(self) -> str:
        """What changes whenever something is written to a ledger that is a file; empty where there is no file."""
        if self.file is None:
            return ""
        # A reader leaves an empty log beside the file, which says nothing.
        return " ".join(_stamp(Path(f"{self.file}{end}")) for end in ("", "-wal")).strip()


def state_folder() -> Path:
    """Where ledgers lie: ``$XDG_STATE_HOME/shoreup``, by default ``~/.local/state/shoreup``."""
    base = os.environ.get("XDG_STATE_HOME", "")
    # The specification says that a relative path there is to be ignored.
    return (Path(base) if base.startswith("/") else Path("~").expanduser() / ".local" / "state") / "shoreup"


def locate(root: Path, url: str = "") -> Location | None:
    """The ledger of the estate at ``root``; ``None`` where none is configured and none has been written yet.

    A relative path in ``url`` (``sqlite:///ledger.sqlite``) starts at ``root``; PostgreSQL without a driver gets ours.
    """
    if url:
        found = _SQLITE.match(url)
        if found is None:
            return Location(estate_key(root), _POSTGRESQL.sub("postgresql+psycopg://", url, count=1), None, True)
        path = root / unquote(found["path"])
        return Location(estate_key(root), _sqlite_url(path), path, True)
    if not state_folder().is_dir():
        return None
    default = default_location(root)
    return default if default.file is not None and default.file.exists() else None


def default_location(root: Path) -> Location:
    """Where the ledger of the estate at ``root`` is when nobody says otherwise, whether it is there or not."""
    estate = estate_key(root)
    path = state_folder() / estate / FILE
    return Location(estate, _sqlite_url(path), path, False)


def estate_key(root: Path) -> str:
    """The same for every clone of a repository: a readable name and a hash.

    It comes from the address that the repository was cloned from, else from its first commit, else from where it lies.
    """
    origin = origin_url(root)
    if origin:
        name = _address(origin)
        return _key(name.rpartition("/")[2], f"origin {name}")
    commit = first_commit(root)
    if commit:
        return _key("", f"commit {commit}")
    where = root.resolve()
    return _key(where.name, f"path {where}")


def cloned_key(root: Path) -> str:
    """The estate's key where it comes from the address of a clone, which a copy does not have; else empty."""
    return estate_key(root) if origin_url(root) else ""


def _key(name: str, text: str) -> str:
    plain = _UNPLAIN.sub("-", name.lower()).strip("-")[:40] or "estate"
    return f"{plain}-{blake2b(text.encode('utf-8', 'surrogateescape'), digest_size=8).hexdigest()}"


def _address(origin: str) -> str:
    """An address without what differs between clones of one repository: protocol, user, password, ``.git``."""
    found = _URL_STYLE.fullmatch(origin) or _SCP_STYLE.fullmatch(origin)
    name = f"{found['host'].lower()}/{found['path']}" if found else origin
    return name.strip("/").removesuffix(".git").rstrip("/")


def _sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"


def _stamp(path: Path) -> str:
    try:
        status = path.stat()
    except OSError:
        return ""
    return f"{status.st_ino}:{status.st_size}:{status.st_mtime_ns}" if status.st_size else ""
