"""Comments on live code by which its author says that it does not work.

A wish for later ("TODO: add a second node") is told apart from that. An explanation ("does not work without host
networking") and a note on something else ("broken upstream, hence the pin") are neither. Code that
is commented out is not live.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from msgspec import Struct

from shoreup.facts.estate import Comment, ConfigEntry, Estate
from shoreup.facts.naming import named
from shoreup.facts.programs.scripts import place_in, program
from shoreup.formats.patterns import late
from shoreup.model.finding import Place
from shoreup.model.resource import Resource

_MARKER = re.compile(r"^\W*(?P<words>FIXME|XXX(?![\w-])|HACK)\b(?=\W*\S)(?![-_/])")
_TO_FIX = re.compile(
    r"^\W*(?P<words>todo\b[\s:(),-]*(?:fix|repair|debug)(?: (?:this|it|me|that))?(?=\s*(?:$|[.:,;!(-])))", re.IGNORECASE
)
_WISH = re.compile(r"^\W*(?P<words>TODO)\b(?=[\s:(-]*\S)(?![-_/])")
_WHEN = (
    r"(?: yet| properly| correctly| reliably| at all| right now| atm| at the moment| currently| any ?more| for now)?"
)
_ENDS = r"(?=\s*(?:$|[.;:!?)(–—]|- ))"
_FAILS = late(
    r"(?P<words>(?:(?:is|are|was|still|currently|it's|not) )*"
    rf"(?:not (?:yet |really |currently )?working{_WHEN}|broken{_WHEN}|"
    r"(?:(?:does|do|did)(?:n't| not|nt)|not) (?:yet |really |seem to |currently )?(?:actually )?works?"
    rf"{_WHEN}|(?:no longer works|stopped working|unfinished|work in progress|not (?:yet )?finished){_WHEN})){_ENDS}",
    re.IGNORECASE,
)
_ABOUT_ELSE = late(
    r"\b(?:if|when|whenever|otherwise|or|else|without|until|unless|because|since|as|avoid|avoids|prevent|prevents|"
    r"fix|fixes|fixed|workaround|work around|in case|so that|would|could|might|may|can|used to|was|were|upstream|"
    r"deprecated|instead|that|which|test|tests|check|checks|detect|detects|alert|alerts|means|looks?|catch|catches)\b|=",
    re.IGNORECASE,
)
_CONSEQUENCE = late(
    r"^\W*(?:so|therefore|thus|hence|use|using|instead|workaround|disabl\w+|pin\w*|we|need\w*|upstream|but|this)\b",
    re.IGNORECASE,
)
_THEREFORE = re.compile(r"[,)]\s+(?:so|hence|therefore|thus|which is why)\b", re.IGNORECASE)
_SHORTLY = 4
_CODE = re.compile(r"^\s*(?:-\s+)?[\w./\"'-]+\s*(?::(?:\s|$)|=(?!=))|[{}\[\]]\s*,?\s*$|^\s*-\s+\S")
_HASH_LINE = re.compile(r"^[ \t]*(?P<mark>#+|//+|;+)[ \t]*(?P<words>[^\r\n]*)", re.MULTILINE)
_CONFIGURATION = re.compile(
    r"\.(?:conf|cfg|cnf|ini|toml|ya?ml|hcl|sh|bash|py|rb|lua|pl|properties|env|rules|tftpl|caddy|service)$|^Caddyfile$"
)
_LONGEST = 200_000


class Admission(Struct, frozen=True, eq=False):
    """A comment that says that what it stands on does not work. ``words`` are those that say so."""

    place: Place
    words: str
    subject: str
    wish: bool = False
    """It says that something is to be done, not that something fails."""


def admissions(estate: Estate) -> Iterator[Admission]:
    """Every such comment of the estate."""
    for comment in estate.comments:
        words, wish = _told(comment.text, comment.lines)
        if words:
            resource = estate.by_key.get(comment.resource)
            yield Admission(_place(comment, resource), words, named(resource) if resource else comment.span.file, wish)
    seen: set[tuple[int, tuple[str | int, ...]]] = set()
    for entry in estate.config:
        if entry.kind == "ConfigMap" and not entry.binary and _CONFIGURATION.search(entry.key):
            seen.add((entry.resource.key, entry.route))
            yield from _of_entry(entry)
    for script in estate.scripts:
        resource = estate.by_key.get(script.place.resource)
        key = (script.place.resource, script.place.route)
        if resource is None or key in seen or script.language != "shell":
            continue
        seen.add(key)
        comments = program(script).comments
        for index, (start, end) in enumerate(comments):
            text = script.text[start:end].lstrip("# ")
            if not _told(text, ())[0]:
                continue
            above = comments[max(index - 1, 0)]
            joined = index > 0 and bool(_run_on(script.text, comments[index - 1 : index + 1]))
            previous = script.text[above[0] : above[1]].lstrip("# ") if joined else ""
            words, wish = _told(text, (), _Around(previous, _run_on(script.text, comments[index:])))
            if words:
                yield Admission(place_in(script, start, end), words, named(resource), wish)


def _run_on(text: str, comments: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    """The comments that follow the first one on the next lines, with nothing between."""
    found: list[str] = []
    for (_, end), (start, after) in pairwise(comments):
        if text[end:start].strip() or text[end:start].count("\n") != 1:
            break
        found.append(text[start:after].lstrip("# "))
    return tuple(found)


def _place(comment: Comment, resource: Resource | None) -> Place:
    return Place(resource=resource.key if resource else -1, span=comment.span)


def _of_entry(entry: ConfigEntry) -> Iterator[Admission]:
    text = entry.value
    if not isinstance(text, str) or len(text) > _LONGEST:
        return
    lines = list(_HASH_LINE.finditer(text))
    for index, line in enumerate(lines):
        if not _told(line["words"], ())[0]:
            continue
        below = tuple(_below(text, lines, index))
        previous = lines[index - 1]["words"] if index and any(_below(text, lines, index - 1)) else ""
        words, wish = _told(line["words"], (), _Around(previous, below))
        if words and not any(_CODE.search(other) for other in below):
            place = Place(entry.resource.key, entry.route, (line.start("mark"), line.end()))
            yield Admission(place, words, named(entry.resource), wish)


def _below(text: str, lines: Sequence[re.Match[str]], index: int) -> Iterator[str]:
    """The lines of the same comment below one, with nothing between them."""
    for one, other in pairwise(lines[index:]):
        between = text[one.end() : other.start()]
        if between.strip() or "\n\n" in between:
            return
        yield other["words"]


class _Around(Struct, frozen=True):
    """The line of the same comment before one, and those after it."""

    previous: str = ""
    following: tuple[str, ...] = ()


def _told(text: str, lines: tuple[str, ...], around: _Around | None = None) -> tuple[str, bool]:
    """The words of a comment by which it says that something does not work, or else that something is to be done."""
    words = _admitted(text, lines, around or _Around(following=lines[1:]))
    wish = None if words or any(_CODE.search(line) for line in lines[1:]) else _WISH.search(text)
    return (wish["words"], True) if wish else (words, False)


def _admitted(text: str, lines: tuple[str, ...], around: _Around) -> str:
    """The words of a comment by which it says that something does not work; empty where it says no such thing."""
    if any(_CODE.search(line) for line in lines[1:]):
        return ""
    for pattern in (_MARKER, _TO_FIX):
        found = pattern.search(text)
        if found:
            return found["words"]
    for found in _FAILS.finditer(text):
        *whole, before = re.split(r"[.;!?]\s", text[: found.start()])
        if not whole and around.previous and not re.search(r"[.:;!?)]\s*$", around.previous):
            before = f"{around.previous} {before}"
        if not text[found.end() :].strip() and around.following and re.match(r"[a-z(]", around.following[0]):
            continue
        after = re.split(r"[.!?](?:\s|$)", " ".join((text[found.end() :], *around.following)))[0]
        about_else = _ABOUT_ELSE.search(before) or _CONSEQUENCE.search(after) or _THEREFORE.search(after)
        # Who says "this does not work" says it shortly; a long way to the words is a description of something.
        if not about_else and len(before.split()) <= _SHORTLY:
            return found["words"]
    return ""
