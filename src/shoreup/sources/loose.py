"""Small files beside the platform: which versions of tools are pinned, what a tunnel lets through.

They are neither Terraform nor YAML, so each is given as its text; whoever reads a fact out of it knows its shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from shoreup.formats.files import FileTree

_KINDS = (
    (re.compile(r"(?:^|/)\.tool-versions$"), "tool-versions"),
    (re.compile(r"(?:^|/)(?:\.?mise|\.?mise/config|\.rtx)\.toml$"), "mise"),
    (re.compile(r"(?:^|/)\.(?:terraform|opentofu|kubectl|helm|python|node)-version$"), "version"),
    (re.compile(r"(?:^|/)[\w.-]*(?:wg|wireguard)[\w.-]*\.conf$|/wg_confs/[\w.-]+\.conf$"), "wireguard"),
)
LARGEST = 200_000
"""Characters; a longer file is no settings."""


class LooseText(Struct, frozen=True):
    """One file. ``offset`` is the first byte of its text (after a byte order mark)."""

    path: str
    kind: str
    text: str
    offset: int


def read_loose(tree: FileTree) -> Iterator[LooseText]:
    """Every such file of the estate."""
    for path in tree.files:
        kind = next((kind for pattern, kind in _KINDS if pattern.search(path)), "")
        content = tree.read(path) if kind else None
        text = tree.text(path) if content is not None else None
        if content is not None and text is not None and len(text) <= LARGEST:
            yield LooseText(path, kind, text, 3 if content.startswith(b"\xef\xbb\xbf") else 0)
