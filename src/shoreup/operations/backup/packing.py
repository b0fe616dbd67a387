"""What happens to a stream between the data and the store: compressed, encrypted, measured. Never all of it at once.

Compressing and encrypting release the interpreter, so they run beside whoever reads and writes. The standards are
zstd and age, so that a backup can be opened with the tools of a rescue system when Shoreup is not at hand:
``age -d -i KEY FILE | zstd -d``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from importlib.util import find_spec
from io import BufferedReader
from pathlib import Path
from threading import Thread
from typing import BinaryIO, Protocol

from shoreup.engines.jail import Pump
from shoreup.operations.backup.shelf import BackupTrouble
from shoreup.stores.base import PIECE

ZSTD = "zstd"
AGE = "age"
ENDINGS = {ZSTD: ".zst", AGE: ".age"}
LEVEL = 3


class Meter:
    """Measures what passes. ``size`` is in bytes."""

    def __init__(self) -> None:
        self.size = 0
        self._seen = sha256()

    @property
    def sha256(self) -> str:
        """The hash of everything that has passed."""
        return self._seen.hexdigest()

    def through(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The same pieces."""
        for piece in pieces:
            self.size += len(piece)
            self._seen.update(piece)
            yield piece


class Counter:
    """Counts the bytes that pass."""

    def __init__(self) -> None:
        self.size = 0

    def through(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The same pieces."""
        for piece in pieces:
            self.size += len(piece)
            yield piece


def compressed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """A stream as one frame of zstd with a checksum of its content."""
    need("zstandard")
    import zstandard

    work = zstandard.ZstdCompressor(level=LEVEL, threads=1, write_checksum=True).compressobj()
    for piece in pieces:
        if done := work.compress(piece):
            yield done
    yield work.flush()


def decompressed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """What was compressed. Raises :class:`BackupTrouble` where its end is missing or it is damaged."""
    need("zstandard")
    import zstandard

    work = zstandard.ZstdDecompressor().decompressobj()
    try:
        for piece in pieces:
            for start in range(0, len(piece), PIECE >> 3):
                # A little may become much: what a few bytes unfold to has to fit into memory.
                if done := work.decompress(piece[start : start + (PIECE >> 3)]):
                    yield done
    except zstandard.ZstdError:
        raise BackupTrouble("its compressed content is damaged") from None
    if not work.eof:
        raise BackupTrouble("its compressed content ends too early")


def encrypted(pieces: Iterable[bytes], recipients: Sequence[str]) -> Iterator[bytes]:
    """A stream that only the owners of some keys can read. Raises :class:`BackupTrouble` for what is no public key."""
    need("pyrage")
    import pyrage

    keys = []
    for text in recipients:
        try:
            kind = pyrage.ssh if text.startswith("ssh-") else pyrage.x25519
            keys.append(kind.Recipient.from_str(text))
        except pyrage.RecipientError:
            raise BackupTrouble(f"{text[:12]}... is no public key of age or SSH (encrypt-to)") from None
    yield from _in_a_thread(lambda source, target: pyrage.encrypt_io(source, target, keys), pieces)


def decrypted(pieces: Iterable[bytes], identity_file: Path) -> Iterator[bytes]:
    """What was encrypted. Raises :class:`BackupTrouble` where the key is not the right one."""
    need("pyrage")
    import pyrage

    keys = identities(identity_file)
    try:
        yield from _in_a_thread(lambda source, target: pyrage.decrypt_io(source, target, keys), pieces)
    except pyrage.DecryptError:
        raise BackupTrouble(f"it cannot be decrypted with the key in {identity_file}, or it is damaged") from None


def identities(path: Path) -> list[object]:
    """The private keys in a file. Raises :class:`BackupTrouble`."""
    import pyrage

    try:
        content = path.read_bytes()
        if content.startswith(b"-----BEGIN"):
            return [pyrage.ssh.Identity.from_buffer(content)]
        lines = [line.strip() for line in content.decode("utf-8").splitlines()]
        found: list[object] = [pyrage.x25519.Identity.from_str(one) for one in lines if one and not one.startswith("#")]
    except OSError as problem:
        raise BackupTrouble(f"the key {path} cannot be read: {problem.strerror}") from None
    except (pyrage.IdentityError, UnicodeDecodeError):
        raise BackupTrouble(f"{path} holds no private key of age or SSH") from None
    if not found:
        raise BackupTrouble(f"{path} holds no private key")
    return found


def need(module: str) -> None:
    """See that a library is installed. Raises :class:`BackupTrouble` that says how it comes."""
    if find_spec(module) is None:
        raise BackupTrouble(f"the library {module} is not installed: pip install 'shoreup[backup]'")


class _Source(Protocol):
    def read(self, size: int = -1) -> bytes: ...


class _Reading:
    """Pieces as a file that is read."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = memoryview(b"")
        self.trouble: BaseException | None = None

    def read(self, size: int = -1) -> bytes:
        while not self._rest:
            try:
                self._rest = memoryview(next(self._pieces))
            except StopIteration:
                return b""
            except BaseException as trouble:
                self.trouble = trouble
                raise
        taken = self._rest[:size] if size >= 0 else self._rest
        self._rest = self._rest[len(taken) :]
        return bytes(taken)


def _in_a_thread(work: Callable[[_Source, BinaryIO], object], pieces: Iterable[bytes]) -> Iterator[bytes]:
    """What a library writes that wants files on both sides. Whatever making the pieces raises is raised here."""
    reading = _Reading(pieces)
    end, start = os.pipe()
    failed: list[BaseException] = []

    def run() -> None:
        try:
            with os.fdopen(start, "wb", buffering=PIECE) as target:
                work(reading, target)
        except BaseException as trouble:
            failed.append(trouble)

    thread = Thread(target=run, daemon=True)
    thread.start()
    try:
        with os.fdopen(end, "rb", buffering=0) as made:
            while piece := made.read(PIECE):
                yield piece
    finally:
        thread.join()
    if reading.trouble is not None:
        raise reading.trouble
    if failed:
        raise failed[0]


@contextmanager
def piped(pieces: Iterable[bytes]) -> Iterator[BufferedReader]:
    """Pieces as a file, through a pipe.

    What making them raises is raised at the end of the ``with``, unless the reader raised something itself.
    """
    with Pump(pieces) as pump, open(pump.end, "rb", closefd=False) as source:
        yield source
