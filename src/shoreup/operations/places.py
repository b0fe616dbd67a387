"""Where the runs of an estate's operations are remembered, and where they keep what they need until they end.

What an operation did must outlive the process that did it, so it stands in a database: a file beside the estate's
ledger by default, or a PostgreSQL server by ``[operations] url``, whose queue any number of workers share. What a run
keeps in files lies in a folder. Whoever shares that folder is at home in one place, and a run that has begun goes on
only there, because only there its files are.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from urllib.parse import unquote
from uuid import uuid4

from msgspec import Struct

from shoreup.ledger.location import Location, estate_key, state_folder

FILE = "operations.sqlite"
FOLDER = "operations"
VARIABLE = "SHOREUP_OPERATIONS_URL"
"""Names the database where the address must not lie in a file, as in a pod that has it from a Secret."""
CLOSED = (
    "a server that the audited tree names is asked only when you name its settings yourself "
    f"(--config shoreup.toml, or {VARIABLE})"
)

_SQLITE = re.compile(r"sqlite(?:\+\w+)?:///(?P<path>[^?]*)")
_POSTGRESQL = re.compile(r"postgres(?:ql)?(?:\+\w+)?://")


class Place(Struct, frozen=True):
    """Where one estate's runs are. ``root`` is the estate's folder on this machine, ``estate`` its key.

    ``url`` is what SQLAlchemy opens, ``file`` the file behind it (``None`` for a server). ``folder`` holds what runs
    keep in files. ``closed`` says why the database is not to be opened, empty where it may be.
    """

    root: Path
    estate: str
    url: str
    file: Path | None
    folder: Path
    closed: str = ""

    @property
    def database(self) -> Location:
        """The database, as everything about a ledger's is known: how it is shown, what its troubles are called."""
        return Location(self.estate, self.url, self.file, configured=True, closed=self.closed)

    @property
    def shown(self) -> str:
        """The database for people: no user, no password, no options."""
        return self.database.shown

    def home(self) -> str:
        """The same for everyone who shares the folder: eight characters, made when they are first asked for."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        mark = self.folder / "home"
        with contextlib.suppress(FileNotFoundError):
            return mark.read_text("ascii").strip()
        draft = self.folder / f"home.{uuid4().hex}"
        draft.write_text(uuid4().hex[:8], "ascii")
        # A link is made only where nothing is, so of two that come at once one is right for both.
        with contextlib.suppress(FileExistsError):
            os.link(draft, mark)
        draft.unlink()
        return mark.read_text("ascii").strip()


def locate(root: Path, url: str = "", folder: str = "", *, asked: bool = False) -> Place:
    """Where the runs of the estate at ``root`` are. ``url`` and ``folder`` are its settings, empty for the defaults.

    A relative path starts at ``root``. ``asked`` says that the settings are the user's own word; a server that only
    stands in the audited tree may be a stranger's, and stays closed.
    """
    estate = estate_key(root)
    base = state_folder() / estate
    own = os.environ.get(VARIABLE, "")
    address = own or url
    kept = root / folder if folder else base / FOLDER
    if not address:
        return Place(root, estate, f"sqlite:///{base / FILE}", base / FILE, kept)
    found = _SQLITE.match(address)
    if found is not None:
        path = root / unquote(found["path"])
        return Place(root, estate, f"sqlite:///{path}", path, kept)
    return Place(
        root=root, estate=estate, url=_driven(address), file=None, folder=kept, closed="" if asked or own else CLOSED
    )


def _driven(url: str) -> str:
    """The address with the driver that we bring, whichever way it was written."""
    return _POSTGRESQL.sub("postgresql+psycopg://", url, count=1)
