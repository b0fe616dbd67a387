"""Regular expressions that take long to compile, and that most estates never ask.

A set of characters from all of Unicode takes a millisecond or more, as does a long list of words; an audit of a small
estate takes a few hundred.
"""

from __future__ import annotations

import re
from typing import cast


def late(pattern: str, flags: re.RegexFlag = re.NOFLAG) -> re.Pattern[str]:
    """The regular expression, compiled when one of its methods is first used. It is none for ``re``'s functions."""
    return cast("re.Pattern[str]", _Late(pattern, flags))


class _Late:
    def __init__(self, pattern: str, flags: re.RegexFlag) -> None:
        self._asked = (pattern, flags)

    def __getattr__(self, name: str) -> object:
        # reached once for each method: what is found is kept where Python looks first
        found = getattr(re.compile(*self._asked), name)
        setattr(self, name, found)
        return found
