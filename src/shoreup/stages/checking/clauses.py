"""The clauses of a sentence, so that an answer to one of them is not taken for an answer to all.

"It runs as root (`a.service:7`), without authentication" claims two things. What was answered is told with the words
that it answers, and what was not is told too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from shoreup.stages.checking.words import telling

_HIDDEN = re.compile(r"`+[^`]*`+|\([^()]*\)|\[[^\]]*\]\([^)]*\)|(?<=\d),(?=\d)")
_VERB = (
    r"(?:is|are|was|were|has|have|had|does|do|did|can|may|will|must|should|would|could|runs?|uses?|sets?|takes?|makes?"
    r"|holds?|contains?|lacks?|needs?|gives?|gets?|comes?|goes|stays?|keeps?|drops?|adds?|allows?|admits?|accepts?"
    r"|mounts?|shares?|pulls?|covers?|reclaims?|applies|stands?|sits|lies|waits?|starts?|ships?|lets|reads|writes)"
)
_NO_SUBJECT = r"(?:no|not|none|neither|only|without|never|also|nothing|nobody)"
_CUT = re.compile(
    rf"[;:,](?=\s)|\s[-–—]+(?=\s)|\s\|(?=\s)"
    rf"|\s(?=(?:but|while|whereas|although|though|yet|because|which|so that|together with|even though)\s)"
    rf"|\s(?=and\s+(?:{_VERB}|{_NO_SUBJECT})\b)|\s(?=and\s+(?:[^\s,;]+\s+){{1,5}}?{_VERB}\b)",
    re.IGNORECASE,
)
_FEWEST = 2
"""Words with which a piece may claim something of its own; one of fewer belongs to the next."""
_ADVICE = re.compile(
    r"\b(?:should|ought|would|could(?! not (?:find|see))|might|must(?! start)|shall"
    r"|i(?:'d| would)? (?:recommend|suggest|advise|prefer)"
    r"|recommended?|consider|has no business|deserves?|worth|better to|let us|let's|needs? to be|in my (?:opinion|view)"
    r"|i (?:do not |don't )?(?:believe|think|find|feel|like|doubt)|if i|hopefully|perhaps|probably|maybe"
    r"|(?:half )?an? (?:hour|evening|day|week(?:end)?|afternoon)(?:'s work| of work)|hours? of work|days? of work)\b",
    re.IGNORECASE,
)
_IMPERATIVE = re.compile(
    r"^\W*(?:please\s+)?(?:(?:fix|recommendation|action|todo|next step|effort|suggestion|advice)s?\b\W"
    r"|(?:add|remove|delete|replace|move|pin|consider|make sure"
    r"|ensure|start with|give|switch|introduce|avoid|prefer|enable|disable|rotate"
    r"|change|write|put|turn|keep|drop|upgrade|split|generate|test|re-?test|use|set)\s+(?!\S+\s+(?:is|are|has|have)\b))",
    re.IGNORECASE,
)


def clauses(text: str) -> Sequence[tuple[int, int]]:
    """Where the clauses of a text begin and end, in order; together they are all of it."""
    hidden = _HIDDEN.sub(lambda one: "x" * len(one[0]), text)
    cuts = [0, *(one.end() for one in _CUT.finditer(hidden)), len(text)]
    found: list[tuple[int, int]] = []
    start = 0
    for end in cuts[1:]:
        words = re.findall(r"[^\s*_|]*\w[^\s|]*", text[start:end])
        if len(words) >= _FEWEST or any("`" in one for one in words) or end == len(text):
            found.append((start, end))
            start = end
    if len(found) > 1 and not re.search(r"\w", text[slice(*found[-1])]):
        found[-2:] = [(found[-2][0], found[-1][1])]
    return found


def claims(text: str) -> Sequence[str]:
    """The clauses of a text, those without a verb joined to the next: "A, B and C have it" is one."""
    told: list[str] = []
    held = ""
    for start, end in clauses(text):
        held += text[start:end]
        if re.search(rf"\b{_VERB}\b|\w(?:s|ed)\b", re.sub(r"`[^`]*`", " ", text[start:end]), re.IGNORECASE):
            told.append(held)
            held = ""
    if held and told:
        told[-1] += held
    return told or [held]


def around(text: str, at: int) -> tuple[int, int]:
    """The clause that holds a position, with those before it while it says nothing of its own."""
    held = clauses(text)
    number = next((n for n, (_, end) in enumerate(held) if at < end), len(held) - 1)
    start, end = held[number]
    while number and not says(text[start:end]):
        number -= 1
        start = held[number][0]
    return start, end


def says(text: str) -> bool:
    """Whether something is said in a piece of text that names no places."""
    bare = re.sub(r"`[^`]*[/.][^`]*:\d[^`]*`", " ", text)
    return bool(telling(bare)) or bool(re.search(r"`[^`|]*\w[^`|]*`", bare))


def advises(text: str) -> bool:
    """Whether a clause advises or judges, rather than to say what is there."""
    prose = re.sub(r"`[^`]*`", " ", text)
    return _ADVICE.search(prose) is not None or _IMPERATIVE.search(prose) is not None


def left(text: str, answered: Sequence[str]) -> Iterator[str]:
    """The clauses of a text of which none of the answered pieces says anything."""
    whole = squashed(text)
    spans = []
    for one in answered:
        at = whole.find(squashed(one))
        if at >= 0:
            spans.append((at, at + len(squashed(one))))
    words = [telling(one) for one in answered if whole.find(squashed(one)) < 0]
    at = 0
    for start, end in clauses(text):
        piece = text[start:end]
        first, at = at, at + len(squashed(piece))
        told = telling(piece)
        if any(one < at and first < other for one, other in spans):
            continue
        if told and any(len(told & one) * 2 > len(told) for one in words):
            continue
        yield piece.strip(" ,;:|-–—*_")


def squashed(text: str) -> str:
    """A text without marks and spaces, so that two writings of it are the same."""
    return re.sub(r"[^a-z0-9]+", "", text.lower())
