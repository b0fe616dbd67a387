"""Where a text names another machine: in a URL, as ``host:port``, under a key that asks for a host, or by full name.

A word that happens to be a Service's name is no address. Only the shape in which it stands makes it one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

_NAME = r"[a-z0-9][a-z0-9-]{0,62}(?:\.[a-z0-9][a-z0-9-]{0,62}){0,8}"
_ENDS = r"(?!\.?[\w*${-])"
"""A name of which a part is left open is no name."""
_URL = re.compile(rf"://(?:[^\s/@\"'<>]{{0,200}}@)?(?P<host>{_NAME})(?::(?P<port>\d{{1,5}})(?!\d))?{_ENDS}")
_PORT = re.compile(rf"(?<![\w.*/@:-])(?P<host>{_NAME}):(?P<port>\d{{2,5}})(?![\w.])")
_GIVEN = re.compile(rf"[:=][ \t]*[\"']?(?P<host>{_NAME})(?![:/]){_ENDS}")
_ASKS = re.compile(
    r"(?:host|hostname|server|servername|addr|address|upstream|endpoint|url|uri|target|broker)s?[\"']?[ \t]{0,8}$"
)
_OPTION = re.compile(rf"(?:^|\s)(?:-h|--host)[\s=]\s*[\"']?(?P<host>{_NAME}){_ENDS}")
_FULL = re.compile(rf"(?<![\w.*-])(?P<host>[a-z0-9][a-z0-9-]{{0,62}}(?:\.[a-z0-9][a-z0-9-]{{0,62}}){{1,8}}){_ENDS}")
_ASKING_NAME = re.compile(
    r"HOST|SERVER|ADDR|URL|URI|ENDPOINT|BROKER|UPSTREAM|TARGET|DSN|BACKEND|_NODES?$|(?:^|_)(?:REDIS|POSTGRES|MYSQL)$"
)
_LONGEST = 200_000
"""Longer texts are dashboards and data, not settings."""


class Address(Struct, frozen=True):
    """A host as a text names it. ``sure`` is false for a bare name with a port, which may be an image and its tag."""

    host: str
    port: int | None = None
    url: bool = False
    sure: bool = True


def addresses(text: str, name: str = "") -> Iterator[Address]:
    """Every address in a text, the same one once. ``name`` is the variable or key that holds it."""
    if len(text) > _LONGEST:
        return
    seen: set[Address] = set()
    for address in _addresses(text, name):
        if address not in seen:
            seen.add(address)
            yield address


def _addresses(text: str, name: str) -> Iterator[Address]:
    written = text.lower()
    given = ":" in written or "=" in written
    if "://" in written:
        for found in _URL.finditer(written):
            yield Address(found["host"], int(found["port"]) if found["port"] else None, url=True)
    if ":" in written:
        for found in _PORT.finditer(_lines_with(":", written)):
            yield Address(found["host"], int(found["port"]), sure=False)
    if name and _ASKING_NAME.search(name.upper()):
        for part in re.split(r"[\s,;]+", written.strip())[:32]:
            if re.fullmatch(_NAME, part):
                yield Address(part)
    if given:
        for found in _GIVEN.finditer(written):
            if _ASKS.search(written[max(0, found.start() - 24) : found.start()]):
                yield Address(found["host"])
    if "-h" in written:
        for found in _OPTION.finditer(written):
            yield Address(found["host"])
    if "." in written:
        for found in _FULL.finditer(_lines_with(".", written)):
            yield Address(found["host"])


def _lines_with(sign: str, text: str) -> str:
    """The lines in which the sign stands: no address goes over two, and most of a program's lines hold none."""
    return "\n".join([line for line in text.split("\n") if sign in line]) if "\n" in text else text
