"""Of a private key only what is public anyway is read: its kind and its size."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoreup.facts.build import build
from shoreup.facts.secrets.ssh_keys import SshKey, ssh_keys
from shoreup.model.resource import Resource
from shoreup.model.value import Value


def secret(data: dict[str, Value], kind: str = "") -> Resource:
    """A Secret with these entries in clear."""
    body: dict[str, Value] = {"stringData": data, **({"type": kind} if kind else {})}
    return Resource("v1", "Secret", "data", "keys", body, "v1/Secret/data/keys", ".", "manifest", key=0)


def found(data: dict[str, Value], kind: str = "") -> list[tuple[str, str, int]]:
    """Name, algorithm and size of each key."""
    seen = ssh_keys(build([secret(data, kind)]))
    return [(one.entry.key, one.algorithm, one.bits) for one in seen if isinstance(one, SshKey)]


def armour(kind: str, content: bytes) -> str:
    """Bytes as a key is written."""
    return f"-----BEGIN {kind} PRIVATE KEY-----\n{b64encode(content).decode()}\n-----END {kind} PRIVATE KEY-----\n"


def number(bits: int) -> bytes:
    """A number of so many bits, with the zero byte before it that keeps it positive."""
    return b"\0" + ((1 << (bits - 1)) | 1).to_bytes(bits // 8, "big")


def element(tag: int, content: bytes) -> bytes:
    """DER."""
    size = len(content).to_bytes(2, "big")
    return bytes([tag]) + (bytes([len(content)]) if len(content) < 128 else b"\x82" + size) + content


def string(content: bytes) -> bytes:
    """SSH's wire format."""
    return len(content).to_bytes(4, "big") + content


@pytest.mark.parametrize("bits", [1024, 2048, 3072, 4096])
def test_the_size_of_rsa_is_its_modulus(bits: int) -> None:
    pkcs1 = element(0x30, element(0x02, b"\0") + element(0x02, number(bits)) + element(0x02, b"\x01\0\x01"))
    public = string(string(b"ssh-rsa") + string(b"\x01\0\x01") + string(number(bits)))
    openssh = b"openssh-key-v1\0" + string(b"none") + string(b"none") + string(b"") + b"\0\0\0\x01" + public
    assert found({"id_rsa": armour("RSA", pkcs1)}) == [("id_rsa", "rsa", bits)]
    assert found({"any": armour("OPENSSH", openssh)}) == [("any", "rsa", bits)]


@pytest.mark.parametrize("name", ["tls.key", "server.pem", "key"])
def test_a_key_of_tls_is_none_of_ssh(name: str) -> None:
    assert found({name: armour("RSA", b"\x30\x03\x02\x01\0")}) == []


def test_the_type_of_the_secret_tells() -> None:
    encrypted = "ENC[AES256_GCM,data:AAAA,iv:AAAA,tag:AAAA,type:str]"
    assert found({"ssh-privatekey": encrypted}, "kubernetes.io/ssh-auth") == [("ssh-privatekey", "", 0)]


def test_a_public_key_is_none() -> None:
    assert found({"id_ed25519.pub": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA me", "id_rsa": "see the other Secret"}) == []


@given(st.binary(max_size=300))
def test_whatever_stands_there_is_read_without_harm(content: bytes) -> None:
    for kind in ("RSA", "OPENSSH", "EC", "DSA"):
        for prefix in (b"", b"openssh-key-v1\0"):
            assert len(found({"id_rsa": armour(kind, prefix + content)})) == 1
