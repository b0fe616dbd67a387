"""Where each root keeps its state: the ``backend`` block of its ``terraform`` block, or the lack of one."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from shoreup.model.location import Span
from shoreup.terraform.configuration import Module


class RootBackend(Struct, frozen=True):
    """A root's backend. ``kind`` is empty where none is named; ``span`` is its block, or the root's first block.

    ``encrypted`` says that the root encrypts its state itself (OpenTofu's ``encryption`` block).
    """

    root: str
    kind: str
    span: Span
    encrypted: bool = False


def backends(module: Module, root: str) -> Iterator[RootBackend]:
    """The backend of a root, if it has any block at all that shows where it would stand."""
    settings = [block for block in module.settings if block.kind == "terraform"]
    encrypted = any(inner.kind == "encryption" for block in settings for inner in block.body.blocks)
    for block in settings:
        for inner in block.body.blocks:
            if inner.kind in {"backend", "cloud"}:
                kind = inner.labels[0] if inner.kind == "backend" and inner.labels else "cloud"
                yield RootBackend(root, kind, inner.source.span(inner.start, inner.end), encrypted)
                return
    first = next(iter(settings), None) or next((block for file in module.files for block in file.body.blocks), None)
    if first is not None:
        yield RootBackend(root, "", first.source.span(first.start, first.end), encrypted)
