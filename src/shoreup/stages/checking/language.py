"""Whether a sentence is English; what it says in another language is left to those who read that."""

from __future__ import annotations

import re

_ENGLISH = frozenset(
    (
        "the is are was were has have of and to with without for from that this which its it on at by not but only all"
        " there"
    ).split()
)
_OTHER = frozenset(
    (
        "der die das den dem des ein eine einen einer ist sind hat haben nicht kein keine keinen ohne mit und oder für"
        " auf wird werden nur alle im vom zum zur es gibt läuft el los las una uno del que con sin para por está están"
        " tiene tienen hay ningún ninguna le les une du est sont pas ne aucun aucune sans avec dans pour sur il het een"
        " geen niet zijn heeft hebben zonder met voor van gli nel della non senza che sono ha hanno nessun nessuna não"
        " sem com uma dos das tem nenhum nenhuma os"
    ).split()
)


def foreign(text: str) -> bool:
    """Whether more of the small words are another language's than English, or the letters are no Latin ones."""
    prose = re.sub(r"`[^`]*`|\S*[/:.]\S*\w", " ", text)
    words = re.findall(r"[^\W\d_]+", prose.lower())
    strange = sum(1 for one in words if not one.isascii())
    english = sum(1 for one in words if one in _ENGLISH)
    return sum(1 for one in words if one in _OTHER) > english or (strange > english and strange * 3 > len(words))
