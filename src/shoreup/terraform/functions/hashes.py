"""Digests of strings and of files' contents."""

from __future__ import annotations

from collections.abc import Mapping

from shoreup.model.value import Value
from shoreup.terraform.functions.conversion import as_text
from shoreup.terraform.functions.kinds import Refused
from shoreup.terraform.functions.signature import Function, Parameter

_NAMESPACES = {"dns": "NAMESPACE_DNS", "url": "NAMESPACE_URL", "oid": "NAMESPACE_OID", "x500": "NAMESPACE_X500"}


def of_content(name: str, content: bytes) -> str:
    """What ``filemd5``, ``filesha256``, ``filebase64sha512``, ``filebase64`` ... give for a file's bytes."""
    from base64 import b64encode

    wanted = name.removeprefix("file")
    if wanted == "base64":
        return b64encode(content).decode("ascii")
    digest = _digest(wanted.removeprefix("base64"), content)
    return b64encode(digest).decode("ascii") if wanted.startswith("base64") else digest.hex()


def _digest(algorithm: str, content: bytes) -> bytes:
    import hashlib

    return hashlib.new(algorithm, content, usedforsecurity=False).digest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def md5(text: str) -> Value:
    return of_content("md5", _bytes(text))


def sha1(text: str) -> Value:
    return of_content("sha1", _bytes(text))


def sha256(text: str) -> Value:
    return of_content("sha256", _bytes(text))


def sha512(text: str) -> Value:
    return of_content("sha512", _bytes(text))


def base64sha256(text: str) -> Value:
    return of_content("base64sha256", _bytes(text))


def base64sha512(text: str) -> Value:
    return of_content("base64sha512", _bytes(text))


def uuidv5(namespace: str, name: str) -> Value:
    import uuid

    try:
        space = getattr(uuid, _NAMESPACES[namespace]) if namespace in _NAMESPACES else uuid.UUID(namespace)
    except ValueError:
        raise Refused("uuidv5() doesn't support this namespace") from None
    return str(uuid.uuid5(space, name))


_STRING = Parameter("str", as_text)

FUNCTIONS: Mapping[str, Function] = {
    "base64sha256": Function(base64sha256, (_STRING,)),
    "base64sha512": Function(base64sha512, (_STRING,)),
    "md5": Function(md5, (_STRING,)),
    "sha1": Function(sha1, (_STRING,)),
    "sha256": Function(sha256, (_STRING,)),
    "sha512": Function(sha512, (_STRING,)),
    "uuidv5": Function(uuidv5, (Parameter("namespace", as_text), Parameter("name", as_text))),
}
