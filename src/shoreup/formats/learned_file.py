"""``shoreup.rbac.json``: which rights ServiceAccounts have used, written down so that a fix may bind roles by it."""

from __future__ import annotations

import msgspec

from shoreup.model.access import Learned

NAME = "shoreup.rbac.json"
VERSION = 1


def parse(content: bytes) -> Learned | str:
    """Read the file; a sentence where it is none. Never raises."""
    try:
        found = msgspec.json.decode(content, type=Learned)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        return f"it is no file that 'shoreup rbac learn' has written: {problem}"
    if found.version != VERSION:
        return f"its version is {found.version}, and this Shoreup reads {VERSION}"
    return found


def render(learned: Learned) -> str:
    """The file's text."""
    return msgspec.json.format(msgspec.json.encode(learned), indent=2).decode() + "\n"
