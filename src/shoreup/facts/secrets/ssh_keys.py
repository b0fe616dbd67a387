"""Private SSH keys among the entries of Secrets and ConfigMaps: by their form, or by where they stand.

Of a literal key its kind and size are read, from the part that is public anyway; nothing else of it is looked at and
nothing of it is ever shown.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator, Sequence

from msgspec import Struct

from shoreup.facts.estate import ConfigEntry, Estate
from shoreup.facts.fields import text
from shoreup.model.value import PartialText, Unknown

SHORT_RSA = 3072
"""Bits under which an RSA key is short (NIST SP 800-57: 112 bits of strength end with 2030)."""

_NAMES = re.compile(
    r"^(?:.*[-_.])?(?:id_(?:rsa|dsa|ecdsa|ed25519)|ssh[-_]?private[-_]?key|ssh[-_]key|sshkey)$", re.IGNORECASE
)
_ARMOUR = re.compile(r"-----BEGIN (?P<kind>OPENSSH|RSA|DSA|EC) PRIVATE KEY-----(?P<body>[A-Za-z0-9+/=\s]+)-----END")
_ARMOUR_START = re.compile(r"-----BEGIN (?:OPENSSH|RSA|DSA|EC) PRIVATE KEY-----")
_SSH_TYPE = "kubernetes.io/ssh-auth"
_MAGIC = b"openssh-key-v1\0"


class SshKey(Struct, frozen=True, eq=False):
    """A private SSH key. ``algorithm`` is ``rsa``, ``ed25519`` ..., empty where not known; ``bits`` are RSA's alone."""

    entry: ConfigEntry
    algorithm: str
    bits: int


class MaybeSshKey(Struct, frozen=True, eq=False):
    """An entry that may hold one."""

    entry: ConfigEntry
    reason: str


def ssh_keys(estate: Estate) -> tuple[SshKey | MaybeSshKey, ...]:
    """Every private SSH key that the estate holds; worked out once."""
    return estate.once(_worked_out)


def _worked_out(estate: Estate) -> tuple[SshKey | MaybeSshKey, ...]:
    found: list[SshKey | MaybeSshKey] = []
    for siblings in _objects(estate.config):
        names = {entry.key for entry in siblings}
        found.extend(one for entry in siblings if (one := _read(entry, names)) is not None)
    return tuple(found)


def _objects(config: Sequence[ConfigEntry]) -> Iterator[list[ConfigEntry]]:
    found: dict[int, list[ConfigEntry]] = {}
    for entry in config:
        found.setdefault(entry.resource.key, []).append(entry)
    yield from found.values()


def _read(entry: ConfigEntry, names: set[str]) -> SshKey | MaybeSshKey | None:
    content = _content(entry)
    for_ssh = _for_ssh(entry, names)
    armour = _ARMOUR_START.search(content)
    if armour:
        algorithm, bits = _look(content)
        # OpenSSH alone has a form of its own; the others are TLS keys as well, unless the name says otherwise.
        return SshKey(entry, algorithm, bits) if "OPENSSH" in armour[0] or for_ssh else None
    if entry.key == "identity" and not for_ssh and isinstance(entry.value, (Unknown, PartialText)):
        return MaybeSshKey(entry, entry.value.reason)
    if not for_ssh or (content and "ENC[" not in content and "*" not in content):
        return None
    if isinstance(entry.value, (Unknown, PartialText)) or "ENC[" in content:
        return SshKey(entry, _algorithm_named(entry.key), 0)
    return None


def _for_ssh(entry: ConfigEntry, names: set[str]) -> bool:
    """Whether an entry stands where SSH keys stand: by its name, its Secret's type, or the hosts known beside it."""
    if entry.key.endswith(".pub"):
        return False
    if _NAMES.match(entry.key) or _NAMES.match(entry.source_path.rpartition("/")[2]):
        return True
    if text(entry.resource.body.get("type")) == _SSH_TYPE:
        return entry.key == "ssh-privatekey"
    return entry.key == "identity" and bool(names & {"known_hosts", "identity.pub"})


def _content(entry: ConfigEntry) -> str:
    value = entry.value
    if isinstance(value, PartialText):
        value = value.pattern
    if not isinstance(value, str):
        return ""
    if entry.binary and "ENC[" not in value:
        try:
            return b64decode("".join(value.split()), validate=True).decode("latin-1")
        except ValueError:
            return value
    return value


def _algorithm_named(name: str) -> str:
    found = re.search(r"id_(rsa|dsa|ecdsa|ed25519)", name)
    return found[1] if found else ""


def _look(content: str) -> tuple[str, int]:
    """The algorithm and size of a key; empty and 0 where it cannot be told."""
    found = _ARMOUR.search(content)
    if found is None:
        return "", 0
    try:
        raw = b64decode("".join(found["body"].split()))
    except ValueError:
        return "", 0
    if found["kind"] == "OPENSSH":
        return _openssh(raw)
    if found["kind"] == "RSA":
        return "rsa", _rsa_bits(raw)
    return ("dsa" if found["kind"] == "DSA" else "ecdsa"), 0


def _openssh(raw: bytes) -> tuple[str, int]:
    """The public part of OpenSSH's own form: cipher, key derivation, its options, a count, the public key."""
    if not raw.startswith(_MAGIC):
        return "", 0
    rest = raw[len(_MAGIC) :]
    for _ in range(3):
        _, rest = _string(rest)
    public, _ = _string(rest[4:])
    name, rest = _string(public)
    algorithm = name.decode("ascii", "replace").removeprefix("ssh-").partition("-")[0].partition("@")[0]
    if algorithm != "rsa":
        return algorithm, 0
    _, rest = _string(rest)
    modulus, _ = _string(rest)
    return "rsa", int.from_bytes(modulus, "big").bit_length()


def _string(data: bytes) -> tuple[bytes, bytes]:
    """The string of SSH's wire format at the start of the data, and what follows it."""
    length = int.from_bytes(data[:4], "big")
    return data[4 : 4 + length], data[4 + length :]


def _rsa_bits(raw: bytes) -> int:
    """The size of the modulus in PKCS #1: a sequence of a version and the modulus."""
    inside = _der(raw, 0x30)
    if inside is None:
        return 0
    version = _der(inside, 0x02)
    if version is None:
        return 0
    modulus = _der(inside[2 + len(version) :], 0x02)
    return int.from_bytes(modulus, "big").bit_length() if modulus else 0


def _der(data: bytes, tag: int) -> bytes | None:
    """The content of the element at the start of DER data, as far as it is there."""
    if len(data) < 2 or data[0] != tag:
        return None
    length, start = data[1], 2
    if length & 0x80:
        count = length & 0x7F
        length, start = int.from_bytes(data[2 : 2 + count], "big"), 2 + count
    return data[start : start + length]
