"""The key that attestations are signed with, and the envelope that they travel in.

The envelope is DSSE, which the tools of Sigstore and in-toto read; the key is ed25519, in a file that only its owner
can read. It is made once, never printed, and never leaves the machine by Shoreup's doing: what travels is its public
half.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from shoreup.ledger.location import state_folder
from shoreup.model.errors import UserError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAX_BYTES = 8 << 20
"""More than that is no envelope of ours."""


class WrongEnvelope(ValueError):
    """Content that is no envelope; the message says what is wrong with it."""


class Signature(msgspec.Struct, frozen=True):
    """A signature, and the key that it names."""

    keyid: str
    sig: str


class Envelope(msgspec.Struct, frozen=True):
    """A DSSE envelope, in the names of its specification. ``payload`` is base64."""

    payload: str
    payload_type: str = msgspec.field(name="payloadType")
    signatures: tuple[Signature, ...]


def usual_key() -> Path:
    """Where the private key of this machine's user lies, whether it is there or not."""
    return state_folder() / "keys" / "ledger.pem"


def can_sign() -> bool:
    """Whether the library for it is installed."""
    return find_spec("cryptography") is not None


def make_key(file: Path) -> None:
    """Make a private key in a file that is not there yet. Raises :class:`UserError`."""
    _need()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    content = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(opened, "wb") as place:
            place.write(content)
            place.flush()
            os.fsync(place.fileno())
    except FileExistsError:
        raise UserError(f"{file} is there already, and a key is never overwritten. Name another place.") from None
    except OSError as problem:
        raise UserError(f"The key cannot be written to {file}: {problem.strerror}. Name another place.") from None


def public_half(file: Path) -> bytes:
    """The public key in PEM that belongs to the private one in a file. Raises :class:`UserError`."""
    from cryptography.hazmat.primitives import serialization

    return (
        _private(file)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def sign(payload: bytes, file: Path) -> bytes:
    """An envelope around a payload, as one line of JSON. Raises :class:`UserError`."""
    key = _private(file)
    signature = key.sign(_authenticated(PAYLOAD_TYPE, payload))
    named = Signature(_id_of(key.public_key()), b64encode(signature).decode())
    return msgspec.json.encode(Envelope(b64encode(payload).decode(), PAYLOAD_TYPE, (named,)))


def opened(content: bytes) -> tuple[Envelope, bytes]:
    """An envelope and its payload, whoever signed it. Raises :class:`WrongEnvelope`."""
    if len(content) > MAX_BYTES:
        raise WrongEnvelope(f"more than {MAX_BYTES >> 20} MiB")
    try:
        envelope = msgspec.json.decode(content, type=Envelope)
        payload = b64decode(envelope.payload, validate=True)
    except (msgspec.MsgspecError, NotBase64, ValueError, RecursionError) as problem:
        raise WrongEnvelope(str(problem)[:200]) from None
    if envelope.payload_type != PAYLOAD_TYPE:
        raise WrongEnvelope(f"it does not carry {PAYLOAD_TYPE}")
    return envelope, payload


def signed_by(envelope: Envelope, payload: bytes, public: bytes) -> bool:
    """Whether the owner of a public key (PEM) signed a payload. Raises :class:`UserError` where it is no such key."""
    _need()
    from cryptography.exceptions import InvalidSignature

    key = _public(public)
    for one in envelope.signatures:
        try:
            key.verify(b64decode(one.sig, validate=True), _authenticated(envelope.payload_type, payload))
        except (InvalidSignature, NotBase64, ValueError):
            continue
        return True
    return False


def _authenticated(kind: str, payload: bytes) -> bytes:
    """What is signed: kind and payload, each behind its length, so that neither can be read as the other."""
    named = kind.encode()
    return b"DSSEv1 %d %b %d %b" % (len(named), named, len(payload), payload)


def _private(file: Path) -> Ed25519PrivateKey:
    _need()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        if file.stat().st_mode & 0o077:
            raise UserError(f"Others can read the key {file}. Take that away (chmod 600), or make a new one elsewhere.")
        key = load_pem_private_key(file.read_bytes(), None)
    except OSError as problem:
        raise UserError(f"The key {file} cannot be read: {problem.strerror}.") from None
    except (ValueError, TypeError):
        # What the library says of it may quote it.
        raise UserError(f"{file} holds no private key in PEM without a passphrase.") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise UserError(f"{file} holds a key of another kind than ed25519. Name another one, or none to have one made.")
    return key


def _public(content: bytes) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(content)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise UserError("The public key is no ed25519 key in PEM (-----BEGIN PUBLIC KEY-----).")
    return key


def _id_of(key: Ed25519PublicKey) -> str:
    from cryptography.hazmat.primitives import serialization

    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return sha256(key.public_bytes(serialization.Encoding.DER, form)).hexdigest()


def _need() -> None:
    if not can_sign():
        raise UserError("Signatures need a library that is not installed: pip install 'shoreup[signing]'.")
