"""Where code stands after it was moved: what was found in one file or at one address is found again at another."""

from __future__ import annotations

import re
from collections.abc import Iterable

from shoreup.model.edit import Edit, Enclose, Move


class Moved:
    """Where code stands after it was moved: files by those that it came from, and addresses inside of new modules."""

    def __init__(self, edits: Iterable[Edit]) -> None:
        every = list(edits)
        modules = [one for one in every if isinstance(one, Enclose)]
        moves = [one for one in every if isinstance(one, Move)] + [move for one in modules for move in one.moves]
        self.files = {one.file: one.span.file for one in moves}
        self._homes = {address: one.name for one in modules for address in one.addresses}
        words = "|".join(sorted(map(re.escape, self._homes), key=len, reverse=True))
        self._pattern = re.compile(rf"(?<![\w.-])(?:(?:module\.[^.]+\.)*?)(?P<own>{words})(?![\w-])") if words else None

    def address(self, old: str) -> str:
        """The address that a resource has now."""
        found = self._pattern.match(old) if self._pattern else None
        if found is None:
            return old
        start = found.start("own")
        return f"{old[:start]}module.{self._homes[found['own']]}.{old[start:]}"
