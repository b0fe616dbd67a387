"""Findings that the owner accepts: said beside the line, or in the settings, and always with a reason.

``# shoreup: ignore[pdb-missing] one node, nothing to spread over until=2027-03-01``

An ignore holds for its own line, for the line right below the comment that it stands in, and for what that line
opens: a comment above a resource, a container or a command speaks for it. What is accepted is kept and counted. An
ignore that has no reason, has run out, names no concern or matches nothing does not count, and its owner is told.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from difflib import get_close_matches
from fnmatch import fnmatchcase

from msgspec import Struct, field

from shoreup.formats.files import FileTree
from shoreup.model.finding import Doubt, Draft, Finding, Notice, Suppressed
from shoreup.model.location import locate
from shoreup.stages.auditing.places import Places
from shoreup.stages.settings import GivenSettings

_SIGN = b"shoreup:"
_IGNORE = re.compile(
    r"(?P<before>.*?)(?:\#|//|/\*|--|<!--|;|^\s*\*)\s*shoreup:\s*ignore\b\s*(?:\[(?P<ids>[^\]]*)\])?(?P<rest>.*)"
)
_COMMENT_LINE = re.compile(r"\s*(?:#|//|/\*|\*/|\*\s|--|<!--|;|\{\{-?\s*/\*|%\{\s*#)")
_NOTHING_BEFORE = re.compile(r"[\s{%-]*$")
_UNTIL = re.compile(r"(?:^|\s)until\s*=\s*(?P<day>\S+)")
_CLOSERS = re.compile(r"\s*(?:\*/|-->|-?\}\})+\s*(?:\}\})?\s*$")


class _Ignore(Struct, eq=False):
    """One ignore, from a comment or an entry of the settings. ``used`` are the ids that matched something."""

    ids: tuple[str, ...]
    reason: str
    until: date | None
    file: str
    line: int
    covers: range = range(0)
    """The lines of ``file`` that a comment speaks for."""
    path: str = ""
    resource: str = ""
    used: set[str] = field(default_factory=set)

    def names(self, concern: str) -> bool:
        return any(fnmatchcase(concern, one) for one in self.ids)

    def take(self, concern: str) -> None:
        self.used.update(one for one in self.ids if fnmatchcase(concern, one))


class Acceptance(Struct, frozen=True):
    """What decides whether an ignore counts, and whether one that matches nothing is idle.

    ``asked`` are the ids of the concerns that were asked, ``known`` of all that there are. ``whole`` says that the
    whole estate was read.
    """

    given: GivenSettings
    asked: frozenset[str]
    known: frozenset[str]
    today: date
    whole: bool


class Parted(Struct):
    """Findings in two heaps, with what is to be said of the ignores."""

    kept: list[Finding]
    suppressed: list[Suppressed]
    notices: list[Notice]


def part(
    pairs: Sequence[tuple[Draft, Finding]],
    doubts: Sequence[Doubt],
    acceptance: Acceptance,
    places: Places,
    tree: FileTree,
) -> Parted:
    """Take out what the owner accepts.

    ``doubts`` are never suppressed; an ignore beside one is not idle, because it may become a finding.
    """
    notices: list[Notice] = []
    said = [*_comments(tree, notices), *_entries(acceptance.given)]
    ignores = [one for one in said if _in_force(one, acceptance.today, acceptance.known, notices)]
    parted = Parted([], [], notices)
    if not ignores:
        parted.kept = [finding for _, finding in pairs]
        notices.sort(key=_by_place)
        return parted
    index = _Index(ignores, places, tree)
    for draft, finding in pairs:
        found = index.find(draft, finding.file, finding.line)
        if found is None:
            parted.kept.append(finding)
        else:
            parted.suppressed.append(Suppressed(finding, found.reason, found.until, found.file, found.line))
    for doubt in doubts:
        index.find(doubt, "", 0)
    notices.extend(_idle(ignores, acceptance))
    notices.sort(key=_by_place)
    return parted


def _by_place(one: Notice) -> tuple[str, int, str]:
    return (one.file, one.line, one.message)


# ------------------------------------------------------------------------------------------------ what was said


def _comments(tree: FileTree, notices: list[Notice]) -> Iterator[_Ignore]:
    for path in sorted(tree.touched):
        content = tree.read(path)
        if content is None or _SIGN not in content or tree.real(path) != path:
            continue
        lines = content.decode("utf-8-sig", "replace").split("\n")
        for number, line in enumerate(lines, start=1):
            match = _IGNORE.match(line) if "shoreup:" in line else None
            if match is None:
                continue
            ids = tuple(one.strip() for one in (match["ids"] or "").split(",") if one.strip())
            if not ids:
                notices.append(
                    Notice(path, number, "This ignore names no concern: write 'shoreup: ignore[ID] reason'.")
                )
                continue
            reason, until, wrong = _reason(match["rest"])
            if wrong:
                notices.append(Notice(path, number, wrong))
                continue
            alone = bool(_NOTHING_BEFORE.fullmatch(match["before"]))
            covers = _covered(lines, number) if alone else range(number, number + 1)
            yield _Ignore(ids=ids, reason=reason, until=until, file=path, line=number, covers=covers)


def _reason(text: str) -> tuple[str, date | None, str]:
    """The reason, the last day, and what is wrong with them."""
    text = _CLOSERS.sub("", text.strip("\r"))
    until = None
    match = _UNTIL.search(text)
    if match:
        try:
            until = date.fromisoformat(match["day"].rstrip(".,;)"))
        except ValueError:
            return "", None, f"This ignore does not count: {match['day']!r} is no day (until=2027-01-31)."
        text = text[: match.start()] + text[match.end() :]
    return " ".join(text.strip(" \t:-").split()), until, ""


def _covered(lines: Sequence[str], number: int) -> range:
    """The lines that a comment on a line of its own speaks for: its whole comment, and the statement right below."""
    first = number
    while first > 1 and _COMMENT_LINE.match(lines[first - 2]) and not lines[first - 2].startswith("---"):
        first -= 1
    last = number
    while last < len(lines) and (_COMMENT_LINE.match(lines[last]) or lines[last].rstrip() == "---"):
        last += 1
    if last < len(lines) and lines[last].strip():
        last += 1
        while last < len(lines) and lines[last - 1].rstrip().endswith("\\"):
            last += 1
    return range(first, last + 1)


def _entries(given: GivenSettings) -> Iterator[_Ignore]:
    for index, entry in enumerate(given.settings.suppress):
        line = given.line(("suppress", index))
        yield _Ignore(
            entry.ids, entry.reason.strip(), entry.until, given.name, line, path=entry.path, resource=entry.resource
        )


def _in_force(one: _Ignore, today: date, known: Collection[str], notices: list[Notice]) -> bool:
    """Whether an ignore counts; says so where it does not. An unknown id costs only itself."""
    for name in one.ids:
        if not any(fnmatchcase(concern, name) for concern in known):
            near = get_close_matches(name, list(known), n=1, cutoff=0.5)
            hint = f" The nearest is {near[0]}." if near else ""
            notices.append(
                Notice(one.file, one.line, f"This ignore names {name!r}, and there is no such concern.{hint}")
            )
    named = ", ".join(one.ids)
    if not one.reason:
        notices.append(
            Notice(one.file, one.line, f"This ignore of {named} does not count: it has no reason. Write why.")
        )
        return False
    if one.until is not None and one.until < today:
        ran_out = f"This ignore of {named} does not count any more: it ran out on {one.until.isoformat()}."
        notices.append(Notice(one.file, one.line, ran_out))
        return False
    return True


def _idle(ignores: Iterable[_Ignore], acceptance: Acceptance) -> Iterator[Notice]:
    """Ignores that match nothing, as far as this audit can tell: it may have asked less, or read less."""
    for one in ignores:
        if not (one.covers or acceptance.whole):
            continue
        idle: list[str] = []
        for name in one.ids:
            meant = {concern for concern in acceptance.known if fnmatchcase(concern, name)}
            if name not in one.used and meant and meant <= acceptance.asked:
                idle.append(name)
        if idle:
            yield Notice(one.file, one.line, f"This ignore of {', '.join(idle)} matches nothing: take it out.")


# ------------------------------------------------------------------------------------------- what it is said of


class _Index(Struct):
    """Finds the ignore for a place. Enclosing blocks are looked up only where a comment names the concern."""

    ignores: Sequence[_Ignore]
    places: Places
    tree: FileTree

    def find(self, draft: Draft | Doubt, file: str, line: int) -> _Ignore | None:
        candidates = [one for one in self.ignores if one.names(draft.concern)]
        if not candidates:
            return None
        if not file:
            location = self.places.location(draft.at)
            file, line = (location.file, location.line) if location else ("", 0)
        for one in candidates:
            if not one.covers and self._entry_matches(one, draft, file):
                one.take(draft.concern)
                return one
        written = [one for one in candidates if one.covers]
        if not written:
            return None
        for where, number in ((self.tree.real(file), line), *self._headers(draft)):
            for one in written:
                if one.file == where and number in one.covers:
                    one.take(draft.concern)
                    return one
        return None

    def _entry_matches(self, one: _Ignore, draft: Draft | Doubt, file: str) -> bool:
        if one.path and not (_glob(file, one.path) or _glob(file, f"{one.path.rstrip('/')}/*")):
            return False
        if not one.resource:
            return True
        name = self.places.name(draft.at)
        if name is None:
            return False
        whole = f"{name.namespace}/{name.name}"
        known = (name.address, f"{name.kind}/{whole}", whole, f"{name.kind}/{name.name}", name.name)
        return any(_glob(each, one.resource) for each in known)

    def _headers(self, draft: Draft | Doubt) -> Iterator[tuple[str, int]]:
        """The first lines of the field in the resource and of every block around it, the innermost first."""
        place = draft.at
        if place.resource < 0:
            return
        for length in range(len(place.route), -1, -1):
            origin = self.places.trace(place.resource, place.route[:length])
            if origin is None:
                continue
            content = self.tree.read(origin.site.file)
            if content is not None:
                yield self.tree.real(origin.site.file), locate(origin.site, content).line


def _glob(text: str, pattern: str) -> bool:
    """Whether a pattern covers a text; ``[`` is itself, as in Terraform's addresses."""
    return text == pattern or fnmatchcase(text, pattern.replace("[", "[[]"))
