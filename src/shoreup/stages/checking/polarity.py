"""Whether words and code say that something is so, or that it is not.

A line that has a claim's words in its names may say the contrary: ``privileged: false`` beside "runs privileged". Where
the two do not agree, the words confirm nothing.
"""

from __future__ import annotations

import re

_OFF = (
    r"(?:switch(?:ed|es)?|turn(?:ed|s)?|shut|left)\s+(?:\w+\s+){0,4}?off|off|disabl(?:ed|es|ing)|deactivat\w+"
    r"|comment(?:ed|s) out|skip(?:ped|s)?|remov(?:ed|es)|drop(?:ped|s)"
)
_NOT = re.compile(
    r"\b(?:no|not|without|lack(?:s|ing|ed)?|miss(?:es|ing)|never|neither|nor|none|nothing|nobody|cannot|nowhere|zero"
    rf"|absent|unset|instead of|rather than|fails? to|{_OFF})\b"
    r"|n[’']t\b",
    re.IGNORECASE,
)
_NOT_OFF = re.compile(
    rf"\bnot only\b|\b(?:not|never)\s+(?:\w+\s+){{0,2}}?(?:{_OFF})|n[’']t\s+(?:{_OFF})", re.IGNORECASE
)
_FALSE = r"[\"']?(?:false|no|off|none|never|disabled|null|nil|0|~|\[\]|\{\})[\"']?"
_PAIR = re.compile(
    rf"[\"']?(?P<key>[\w.$/-]+)[\"']?\s*(?:[:=]|\s)\s*(?P<value>{_FALSE})\s*[,;\\]?\s*(?:#.*)?$", re.IGNORECASE
)
_WITHIN = re.compile(rf"(?P<key>[\w.-]+)\s*[=:]\s*(?P<value>{_FALSE})(?![\w.-])", re.IGNORECASE)
_NEGATIVE_NAME = re.compile(
    r"(?:^|[^A-Za-z]|(?<=[a-z]))(?:[Nn]o|NO|[Nn]on|[Nn]ot|[Dd]isabled?|DISABLED?|[Ss]kip|SKIP|[Ii]nsecure|[Ii]gnore|[Dd]eny"
    r"|[Ww]ithout)(?=[A-Z_\W]|$)"
)


_ALL = re.compile(
    r"\b(?:all|every|each|both|everywhere|always|throughout|everything|any|whole|entire)\b"
    r"(?! (?:the more|the same|of a sudden))",
    re.IGNORECASE,
)
_RHYTHM = r"\b(?:every|each) (?:\w+ )?(?:second|minute|hour|day|night|week|month|quarter|year|morning|evening)s?\b"
_ONLY = re.compile(
    r"\b(?:(?:is|are|was|remains?) the (?:only|sole|single)|only (?:one|place|workload|service|file)|no other"
    r"|nothing else|nowhere else|alone)\b",
    re.IGNORECASE,
)


HAS = re.compile(
    r"(?<!repository)(?<!cluster)(?<!estate)(?<!repo)(?<!code)(?<!platform)(?<!tree)\s"
    r"(?:has|have|sets?|defines?|declares?|carr(?:y|ies)|contains?|gets?|uses?)\s+$",
    re.IGNORECASE,
)
"""What has none of it, where not everything does."""


def sweeping(prose: str) -> bool:
    """Whether a clause speaks of everything of a kind, which no single place can confirm."""
    return (
        _ALL.search(
            re.sub(r"\bat all\b|\ball in all\b|\bany(?:one|body)\b|" + _RHYTHM, " ", prose, flags=re.IGNORECASE)
        )
        is not None
    )


def exclusive(prose: str) -> bool:
    """Whether a clause says that something is the only one."""
    return _ONLY.search(prose) is not None


def negative(prose: str) -> bool:
    """Whether a clause says that something is not, or is off."""
    return _NOT.search(_NOT_OFF.sub(" ", prose)) is not None


def denied(text: str, quote: str) -> bool:
    """Whether a text says, before a quote, that it is missing or that something else is there instead."""
    before = text.partition(f"`{quote}`")[0]
    return (
        re.search(r"\b(?:no|not|without|missing|lacks?|never|instead of)\b[^.;|]*$", before, re.IGNORECASE) is not None
    )


def says_not(line: str) -> bool:
    """Whether a line of code sets something off, by its value or by its name; both at once say that it is on."""
    bare = line.strip()
    if re.match(r"(?:#|//|--\s)", bare):
        return True  # it is there no more
    off = _PAIR.search(bare) or _WITHIN.search(bare)
    name = off["key"] if off is not None else bare
    return (off is not None) is not (_NEGATIVE_NAME.search(name) is not None)


def is_false(line: str, key: str) -> bool:
    """Whether a line sets this field to what is false."""
    match = re.search(rf"(?<![\w-]){re.escape(key)}[\"']?\s*[:=]\s*{_FALSE}\s*[,;]?\s*(?:#.*)?$", line, re.IGNORECASE)
    return match is not None
