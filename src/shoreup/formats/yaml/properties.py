"""What may stand before a node in YAML: its tag and anchor, white space and comments between them."""

from __future__ import annotations

import re

_PROPERTIES = re.compile(r"(?:!<[^>]*>|[&!][^\s,\[\]{}]*|[\s\x85\u2028\u2029]+|#[^\r\n]*)*")


def past_properties(text: str, begin: int, end: int) -> int:
    """Where a node's content begins whose event spans ``begin`` to ``end``, in characters of ``text``."""
    found = _PROPERTIES.match(text, begin)
    return begin if found is None else min(found.end(), max(end, begin)) if end > begin else found.end()
