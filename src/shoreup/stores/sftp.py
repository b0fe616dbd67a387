"""A folder on a server that speaks SFTP, as every one with OpenSSH does.

As in a folder here, a file is written beside its name, flushed by the server (OpenSSH can be asked to), and renamed.
The server has to be known: one whose key is not in the file of known hosts is refused, because whoever answers in its
place would be given the backups.
"""

from __future__ import annotations

import asyncio
import posixpath
import weakref
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, TypeVar, cast
from urllib.parse import SplitResult, unquote

from shoreup.stores.base import PIECE, Entry, NotThere, StoreTrouble, checked

if TYPE_CHECKING:
    from asyncssh import SFTPClient, SFTPClientFile, SSHClientConnection

_T = TypeVar("_T")
_PATIENCE = 30


class Sftp:
    """A store in a folder of a server, which has to be there."""

    packs = False

    def __init__(
        self, address: SplitResult, *, secret: Callable[[], str], identity: Path | None, known_hosts: Path
    ) -> None:
        self._host = address.hostname or ""
        self._port = address.port or 22
        self._user = unquote(address.username or "")
        if not self._host or address.password is not None:
            raise StoreTrouble("an SFTP store is written sftp://USER@HOST/FOLDER, without a password")
        path = unquote(address.path)
        self._root = path.removeprefix("/~/") if path.startswith("/~/") else path or "."
        self._secret, self._identity, self._known_hosts = secret, identity, known_hosts
        self._session: _Session | None = None

    @property
    def shown(self) -> str:
        """The address, without the user."""
        port = "" if self._port == 22 else f":{self._port}"
        return f"sftp://{self._host}{port}/{self._root.lstrip('/')}"

    def put(self, name: str, pieces: Iterable[bytes]) -> None:
        """Write a file beside its name, have it flushed, and give it the name."""
        target, session = self._at(name), self._open()
        beside = _beside(target)
        try:
            session.do(_make(session.sftp, self._root, posixpath.dirname(target)))
            file = session.do(_opened(session.sftp, beside, "wb"))
        except _errors() as problem:
            raise self._trouble(problem) from None
        try:
            for piece in pieces:
                self._do(session, file.write(piece))
            self._do(session, _flushed(file.fsync()))
            self._do(session, file.close())
            self._do(session, session.sftp.posix_rename(beside, target))
        except BaseException:
            self._forget(session, beside)
            raise

    def get(self, name: str) -> Iterator[bytes]:
        """Read a file."""
        session = self._open()
        try:
            file = session.do(_opened(session.sftp, self._at(name), "rb"))
        except _errors() as problem:
            raise self._trouble(problem, name) from None
        try:
            while piece := self._do(session, file.read(PIECE)):
                yield cast("bytes", piece)  # typed for text and bytes alike
        finally:
            session.quietly(file.close())

    def entries(self, folder: str) -> tuple[Entry, ...]:
        """The files of a folder, without those that are being written."""
        from asyncssh import SFTPNoSuchFile
        from asyncssh.constants import FILEXFER_TYPE_REGULAR

        session = self._open()
        try:
            session.do(_is_there(session.sftp, self._root))
            found = session.do(session.sftp.readdir(self._at(folder)))
        except SFTPNoSuchFile:
            return ()
        except _errors() as problem:
            raise self._trouble(problem) from None
        files = [
            (name, one.attrs.size)
            for one in found
            if (name := str(one.filename))[:1] != "." and one.attrs.type == FILEXFER_TYPE_REGULAR
        ]
        return tuple(Entry(f"{folder}/{name}", size) for name, size in sorted(files))

    def remove(self, name: str) -> None:
        """Remove a file."""
        from asyncssh import SFTPNoSuchFile

        session, target = self._open(), self._at(name)
        for path in (_beside(target), target):
            try:
                session.do(session.sftp.remove(path))
            except SFTPNoSuchFile:
                continue
            except _errors() as problem:
                raise self._trouble(problem) from None

    def tidy(self) -> None:
        """Nothing is left to do: what is removed is gone."""

    def _at(self, name: str) -> str:
        return posixpath.join(self._root, checked(name))

    def _open(self) -> _Session:
        if self._session is None:
            try:
                self._session = _Session(self._connected())
            except _errors() as problem:
                raise self._trouble(problem) from None
        return self._session

    async def _connected(self) -> tuple[SSHClientConnection, SFTPClient]:
        import asyncssh

        known = self._known_hosts.expanduser()
        if not known.is_file():
            raise StoreTrouble(f"{self.shown}: the file of known hosts {known} is not there; ssh-keyscan writes one")
        password = self._secret()
        connection = await asyncssh.connect(
            self._host,
            self._port,
            username=self._user or (),
            password=password or None,
            client_keys=[str(self._identity)] if self._identity is not None else (),
            known_hosts=str(known),
            connect_timeout=_PATIENCE,
            login_timeout=_PATIENCE,
            keepalive_interval=_PATIENCE,
        )
        return connection, await connection.start_sftp_client()

    def _do(self, session: _Session, work: Coroutine[None, None, _T]) -> _T:
        try:
            return session.do(work)
        except _errors() as problem:
            raise self._trouble(problem) from None

    def _forget(self, session: _Session, path: str) -> None:
        session.quietly(session.sftp.remove(path))

    def _trouble(self, problem: BaseException, name: str = "") -> StoreTrouble:
        import asyncssh

        if isinstance(problem, StoreTrouble):
            return problem
        if isinstance(problem, asyncssh.SFTPNoSuchFile):
            what = f"there is no {name}" if name else "the folder is not there: make it"
            return NotThere(f"{self.shown}: {what}")
        told = {
            asyncssh.HostKeyNotVerifiable: f"its key is not the one in {self._known_hosts}: nothing is given to it",
            asyncssh.PermissionDenied: "it does not let us in: look at the user, the key and the password",
            asyncssh.SFTPPermissionDenied: "it does not let us write or read there",
            asyncssh.SFTPFailure: "the server failed, as it does when its disk is full or cannot be written to",
            TimeoutError: "the server does not answer",
        }
        for kind, words in told.items():
            if isinstance(problem, kind):
                return StoreTrouble(f"{self.shown}: {words}")
        words = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
        return StoreTrouble(f"{self.shown}: {words.splitlines()[0][:200] if words else type(problem).__name__}")


class _Session:
    """A connection that lives in a thread of its own, and ends with whoever holds it."""

    def __init__(self, connecting: Coroutine[None, None, tuple[SSHClientConnection, SFTPClient]]) -> None:
        self._loop = asyncio.new_event_loop()
        Thread(target=self._loop.run_forever, daemon=True).start()
        try:
            self._connection, self.sftp = self.do(connecting)
        except BaseException:
            self._loop.call_soon_threadsafe(self._loop.stop)
            raise
        weakref.finalize(self, _end, self._loop, self._connection)

    def do(self, work: Coroutine[None, None, _T]) -> _T:
        """Wait for something."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def quietly(self, work: Coroutine[None, None, object]) -> None:
        """Try something on the way out, whose trouble is nothing new."""
        try:
            self.do(work)
        except _errors():
            return


def _end(loop: asyncio.AbstractEventLoop, connection: SSHClientConnection) -> None:
    async def last() -> None:
        connection.abort()
        await connection.wait_closed()
        loop.stop()

    with suppress(RuntimeError):  # the interpreter ends, and the loop with it
        asyncio.run_coroutine_threadsafe(last(), loop)


async def _opened(sftp: SFTPClient, path: str, mode: str) -> SFTPClientFile:
    return await sftp.open(path, mode)


async def _make(sftp: SFTPClient, root: str, folder: str) -> None:
    await _is_there(sftp, root)
    await sftp.makedirs(folder, exist_ok=True)


async def _is_there(sftp: SFTPClient, root: str) -> None:
    if not await sftp.isdir(root):
        raise StoreTrouble(f"there is no folder {root} on the server: make it, or mount what should lie there")


async def _flushed(flushing: Coroutine[None, None, None]) -> None:
    from asyncssh import SFTPOpUnsupported

    try:
        await flushing
    except SFTPOpUnsupported:
        return  # what is read back later is what there is


def _beside(target: str) -> str:
    folder, name = posixpath.split(target)
    return posixpath.join(folder, f".{name}.part")


def _errors() -> tuple[type[BaseException], ...]:
    import asyncssh

    return (asyncssh.Error, OSError, StoreTrouble, asyncio.TimeoutError)
