"""Text that is safe and straight on a terminal.

Names and messages come from a stranger's repository. A Deployment may be called ``\\x1b]0;owned\\x07``; printed
as it is, it would rename the window of whoever audits it, or hide the line above. So nothing reaches the
terminal before :func:`plain`. And since columns are counted in cells, not characters, width is measured here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from msgspec import Struct

UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # controls: escape sequences start here
    "\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # unseen, or turning the line around
    "\ud800-\udfff"  # half characters, from file names that are not UTF-8
    "\U000e0000-\U000e007f]"  # unseen tags
)
_DIGEST = re.compile(r"(\bsha256:[0-9a-f]{12})[0-9a-f]{52}\b")
NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\x1b": "\\e"}


def plain(text: str) -> str:
    """The text with everything that a terminal would obey, or hide, spelled out."""
    return UNSAFE.sub(_spell, text)


def sentence(text: str) -> str:
    """A message as one paragraph: line breaks become spaces, the rest as :func:`plain`."""
    return plain(" ".join(text.split()))


def brief(text: str) -> str:
    """A message as one paragraph, the digests in it cut short: JSON and the file itself have them whole."""
    return sentence(_DIGEST.sub(r"\1...", text))


def _spell(match: re.Match[str]) -> str:
    character = match.group()
    code = ord(character)
    return NAMED.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def cells(text: str) -> int:
    """How many columns the text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def wrap(text: str, width: int) -> Iterator[str]:
    """Lines of at most ``width`` columns, broken between words; a word that is too long keeps its line."""
    line = ""
    taken = 0
    for word in text.split(" "):
        size = cells(word)
        if line and taken + 1 + size > width:
            yield line
            line, taken = word, size
        else:
            line = f"{line} {word}" if line else word
            taken = taken + 1 + size if taken else size
    yield line


class Ink(Struct, frozen=True):
    """Colours, or none of them."""

    colour: bool

    def __call__(self, text: str, style: str) -> str:
        code = STYLES[style]
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and text else text


STYLES = {
    "heading": "1;4",
    "strong": "1",
    "faint": "2",
    "place": "36",
    "critical": "1;31",
    "high": "31",
    "medium": "33",
    "low": "34",
    "good": "32",
}
