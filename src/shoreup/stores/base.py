"""What every store can do, and how one that cannot says so.

Names are relative, of letters, digits and ``._-``, in folders by ``/``. Whoever names things so that no two runs use
one name can put the same thing twice: the second time takes the place of the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Protocol

from msgspec import Struct

PIECE = 1 << 20
"""Bytes that are read at a time."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)*")


class StoreTrouble(Exception):
    """A store did not do what it was asked. The message says why and what would help; it holds no secret."""


class NotThere(StoreTrouble):
    """Nothing of that name lies in the store."""


class Entry(Struct, frozen=True):
    """Something in a store. ``size`` is in bytes as the store tells it, ``None`` where it does not."""

    name: str
    size: int | None


class Store(Protocol):
    """A place that keeps streams of bytes by name."""

    @property
    def shown(self) -> str:
        """The store for people, without what would let anybody in."""
        ...

    @property
    def packs(self) -> bool:
        """Whether it compresses and encrypts by itself, and does it worse with what is packed already."""
        ...

    def put(self, name: str, pieces: Iterable[bytes]) -> None:
        """Keep what comes, whole and for good, or nothing of it.

        Raises :class:`StoreTrouble`, and whatever making the pieces raises.
        """
        ...

    def get(self, name: str) -> Iterator[bytes]:
        """What is kept by a name, piece by piece, from the store itself. Raises :class:`StoreTrouble`."""
        ...

    def entries(self, folder: str) -> tuple[Entry, ...]:
        """Everything whole in a folder, by full names, in order. A folder that is not there is empty.

        Raises :class:`StoreTrouble`.
        """
        ...

    def remove(self, name: str) -> None:
        """Remove what is kept by a name, and what an unfinished :meth:`put` of it left. It need not be there.

        Raises :class:`StoreTrouble`.
        """
        ...

    def tidy(self) -> None:
        """Give back the room of what was removed, where the store does that in one go. Raises :class:`StoreTrouble`."""
        ...


class Tree(Store, Protocol):
    """A store that can be looked through, also for what others have put there."""

    def tree(self, folder: str) -> tuple[Entry, ...]:
        """Everything whole in a folder and the folders below it, by full names, in order.

        What has a name that no store gives is left out. Raises :class:`StoreTrouble`.
        """
        ...


def is_name(name: str) -> bool:
    """Whether a store could have given a name."""
    return _NAME.fullmatch(name) is not None


def checked(name: str) -> str:
    """A name that leads nowhere else. Raises ``ValueError``."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name for a store")
    return name


def whole(store: Store, name: str, most: int) -> bytes:
    """Something small, at once. Raises :class:`StoreTrouble` where it is larger than ``most`` bytes."""
    content = bytearray()
    for piece in store.get(name):
        content += piece
        if len(content) > most:
            raise StoreTrouble(f"{name} in {store.shown} is larger than {most} bytes, and no such thing should be")
    return bytes(content)
