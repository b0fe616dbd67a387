"""Writes the empty restic repository that a drill of retention begins with.

restic spends half a second on its password by design, on each start; in 400 days that is half an hour. The key of this
repository asks for next to nothing. It is of use for nothing else: its password is in the same file.

    python tools/scratch_repository.py >src/shoreup/engines/data/scratch_restic.json

Tests give a password of their own as its argument.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.poly1305 import Poly1305

_PASSWORD = "made-up"
_CLAMPED = bytes.fromhex("ffffff0ffcffff0ffcffff0ffcffff0f")
_POLYNOMIAL = "25b468838dcb75"
"""One of those by which restic cuts large files; a repository's own is drawn at random."""


def main(password: str = _PASSWORD) -> None:
    """Print the files of the repository, as restic's design document describes them (format 1)."""
    salt = os.urandom(64)
    derived = hashlib.scrypt(password.encode(), salt=salt, n=2, r=1, p=1, dklen=64)
    encrypting, mac, random = os.urandom(32), os.urandom(16), _clamped(os.urandom(16))
    master = json.dumps({"mac": {"k": _text(mac), "r": _text(random)}, "encrypt": _text(encrypting)}).encode()
    key = json.dumps(
        {
            "created": "2026-01-01T00:00:00Z",
            "username": "root",
            "hostname": "backup",
            "kdf": "scrypt",
            "N": 2,
            "r": 1,
            "p": 1,
            "salt": _text(salt),
            "data": _text(_sealed(derived[:32], derived[32:48], derived[48:], master)),
        }
    ).encode()
    config = json.dumps({"version": 1, "id": os.urandom(32).hex(), "chunker_polynomial": _POLYNOMIAL}).encode()
    files = {"config": _sealed(encrypting, mac, random, config), f"keys/{hashlib.sha256(key).hexdigest()}": key}
    said = {"password": password, "files": {name: _text(content) for name, content in files.items()}}
    json.dump(said, sys.stdout, indent=2)
    print()


def _sealed(encrypting: bytes, mac: bytes, random: bytes, content: bytes) -> bytes:
    start = os.urandom(16)
    hidden = Cipher(algorithms.AES(encrypting), modes.CTR(start)).encryptor().update(content)
    pad = Cipher(algorithms.AES(mac), modes.ECB()).encryptor().update(start)
    return start + hidden + Poly1305.generate_tag(_clamped(random) + pad, hidden)


def _clamped(random: bytes) -> bytes:
    return bytes(one & mask for one, mask in zip(random, _CLAMPED, strict=True))


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


if __name__ == "__main__":
    main(*sys.argv[1:2])
