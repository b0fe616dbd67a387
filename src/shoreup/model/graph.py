"""The wiring as a report shows it: things, and which of them stop with which."""

from __future__ import annotations

from msgspec import Struct


class Thing(Struct, frozen=True):
    """Something that others may depend on. ``id`` is its own within one graph and the same for the same estate.

    ``kind`` is a word for people (``workload``, ``way in``, ``server`` ...). ``namespace`` is empty for what has none.
    ``file`` and ``line`` (1-based) are where it is declared, empty and 0 for what the estate only names.
    ``dependants`` counts those that do work of their own and depend on it, directly or over others.
    """

    id: str
    kind: str
    name: str
    namespace: str
    file: str
    line: int
    dependants: int


class Link(Struct, frozen=True):
    """``source`` depends on ``target`` (ids). ``how`` is one word, ``note`` the same for people.

    ``file`` and ``line`` are where the estate says so.
    """

    source: str
    target: str
    how: str
    note: str
    file: str
    line: int


class Graph(Struct, frozen=True):
    """The whole wiring. ``things`` are in the order of namespace, kind and name."""

    things: tuple[Thing, ...]
    links: tuple[Link, ...]


class Stopped(Struct, frozen=True):
    """Something that stops with others: ``way`` are the links from it to the nearest of those."""

    thing: Thing
    way: tuple[Link, ...]


class Loss(Struct, frozen=True):
    """What stops when all of ``things`` do, the nearest first."""

    things: tuple[Thing, ...]
    stopped: tuple[Stopped, ...]
