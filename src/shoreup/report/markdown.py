"""The account as a written document of concerns, in nine sections, for a repository's own documentation.

Only what is found decides the text: no time, no machine, no duration, so that two audits of one state give one
document and a change of the estate gives a small change of the document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from shoreup.model.account import Account
from shoreup.model.finding import Confidence, Finding, Section
from shoreup.report.folding import Kind, kinds, severity_counts, urgent
from shoreup.report.terminal import sentence

PLACES = 8
"""Places named for one concern before the rest is counted."""
UNREAD = 40
"""Problems of reading named before the rest is counted."""

TITLES = {
    Section.TECH_DEBT: "Tech debt",
    Section.KNOWN_BUGS: "Known bugs",
    Section.SECURITY: "Security considerations",
    Section.PERFORMANCE: "Performance bottlenecks",
    Section.FRAGILE_AREAS: "Fragile areas",
    Section.SCALING_LIMITS: "Scaling limits",
    Section.DEPENDENCIES_AT_RISK: "Dependencies at risk",
    Section.MISSING_FEATURES: "Missing critical features",
    Section.TEST_GAPS: "Test coverage gaps",
}
_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~])")


def render(account: Account) -> str:
    """The account as Markdown."""
    return "\n".join(_document(account)).rstrip("\n") + "\n"


def _document(account: Account) -> Iterator[str]:
    told = (*account.findings, *account.unproven)
    yield "# Concerns"
    yield ""
    counts = [f"{count} {severity.value}" for severity, count in severity_counts(account.findings).items() if count]
    summary = ", ".join(counts) if counts else "Nothing found"
    extra = [
        f"{len(entries)} {word}"
        for entries, word in (
            (account.unproven, "not proven"),
            (account.known, "known before"),
            (account.suppressed, "accepted"),
            (account.undecided, "undecided"),
            (account.errors, "not read"),
        )
        if entries
    ]
    yield f"{summary}{'; ' if extra else ''}{', '.join(extra)}."
    yield ""
    first = urgent(kinds(account.findings))
    if first:
        yield "## Do these first"
        yield ""
        for number, kind in enumerate(first, start=1):
            yield f"{number}. **{_text(kind.first.message)}** {_text(kind.first.consequence)} ({_place(kind.first)})"
        yield ""
    for section, title in TITLES.items():
        found = [one for one in told if one.section is section]
        yield f"## {title}"
        yield ""
        if not found:
            yield "Nothing found."
            yield ""
        for kind in kinds(found):
            yield from _kind(kind)
    yield from _accepted(account)
    yield from _unread(account)


def _kind(kind: Kind) -> Iterator[str]:
    first = kind.first
    every = [one for spot in kind.spots for one in spot.findings]
    times = f" ×{kind.count}" if kind.count > 1 else ""
    yield f"### {_text(kind.concern)} ({kind.severity.value}{times})"
    yield ""
    for one in every[:PLACES]:
        likely = " (likely)" if one.confidence is Confidence.LIKELY else ""
        yield f"- {_place(one)}: {_text(one.message)}{likely}"
    if len(every) > PLACES:
        files = len({one.file for one in every[PLACES:]})
        yield f"- and {len(every) - PLACES} more in {files} {'file' if files == 1 else 'files'}"
    yield ""
    yield f"**If not:** {_text(first.consequence)}"
    yield ""
    for fix in _fixes(every):
        yield f"**Fix:** {fix}"
        yield ""


def _fixes(every: Sequence[Finding]) -> Iterator[str]:
    fixes = dict.fromkeys(fix for one in every for fix in one.fixes)
    for fix in list(fixes)[:3]:
        yield f"{_text(fix.title)} ({fix.safety.value}: {_text(fix.reason)})"


def _accepted(account: Account) -> Iterator[str]:
    if not account.suppressed:
        return
    yield "## Accepted"
    yield ""
    for one in account.suppressed:
        until = f" Until {one.until.isoformat()}." if one.until else ""
        finding = one.finding
        yield f"- {_place(finding)}: {_text(finding.concern)}, {_text(finding.subject)}. {_text(one.reason)}.{until}"
    yield ""


def _unread(account: Account) -> Iterator[str]:
    if not account.errors:
        return
    yield "## Could not be read"
    yield ""
    for one in account.errors[:UNREAD]:
        place = f"{one.file}:{one.line}" if one.line else one.file
        yield f"- {f'{_code(place)}: ' if place else ''}{_text(one.cause)}. Left out: {_text(one.skipped)}."
    if len(account.errors) > UNREAD:
        yield f"- and {len(account.errors) - UNREAD} more"
    yield ""


def _place(one: Finding) -> str:
    place = f"{one.file}:{one.line}" if one.line else one.file or (one.resource.address if one.resource else "")
    return _code(place)


def _code(text: str) -> str:
    """Text as code, fenced so that no backtick of its own ends it."""
    text = sentence(text)
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _text(text: str) -> str:
    """Prose in which nothing of the estate is taken for markup."""
    return _SPECIAL.sub(r"\\\1", sentence(text))
