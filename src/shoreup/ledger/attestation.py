"""What is attested of a ledger: an in-toto statement about the files of an export, and about the head they come from.

The subjects are the exported files by their SHA-256, so that any tool that knows in-toto can hold a file against its
statement. The predicate is ours: the ledger's head, which stands for every proof before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

import msgspec

from shoreup.ledger.reading import Row

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "urn:shoreup:ledger:v1"


class WrongStatement(ValueError):
    """A payload that says nothing of a ledger."""


class Head(msgspec.Struct, frozen=True):
    """The newest proof of a ledger: how many there were with it, and its hash."""

    number: int
    hash: str


class _Digest(msgspec.Struct, frozen=True):
    sha256: str


class _Subject(msgspec.Struct, frozen=True):
    name: str
    digest: _Digest


class _Predicate(msgspec.Struct, frozen=True):
    estate: str
    head: Head
    program: str


class _Statement(msgspec.Struct, frozen=True):
    type: str = msgspec.field(name="_type")
    subject: tuple[_Subject, ...]
    predicate_type: str = msgspec.field(name="predicateType")
    predicate: _Predicate


def statement(estate: str, newest: Row, files: Mapping[str, bytes], version: str) -> bytes:
    """What is signed. ``files`` are the exported ones by name."""
    subjects = tuple(_Subject(name, _Digest(sha256(files[name]).hexdigest())) for name in sorted(files))
    predicate = _Predicate(estate, Head(newest.number, newest.hash), f"shoreup {version}")
    return msgspec.json.encode(_Statement(STATEMENT, subjects, PREDICATE, predicate))


def attested(payload: bytes) -> tuple[str, Head]:
    """The estate and the head that a payload attests. Raises :class:`WrongStatement`."""
    try:
        told = msgspec.json.decode(payload, type=_Statement)
    except (msgspec.MsgspecError, RecursionError) as problem:
        raise WrongStatement(str(problem)[:200]) from None
    if told.type != STATEMENT or told.predicate_type != PREDICATE:
        raise WrongStatement("it is a statement of another kind")
    return told.predicate.estate, told.predicate.head
