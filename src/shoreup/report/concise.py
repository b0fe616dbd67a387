"""One line for each finding, as compilers say it: for grep, editors and eyes that know the rest."""

from __future__ import annotations

from shoreup.model.account import Account
from shoreup.model.finding import Confidence, Finding
from shoreup.report.terminal import brief, plain

_MARK = 8
"""Characters of a fingerprint that ``shoreup explain`` needs."""


def render(account: Account) -> str:
    """``file:line:column: severity concern fingerprint message``, the best rank first, nothing folded."""
    return "".join(f"{_line(one)}\n" for one in (*account.findings, *account.unproven))


def _line(one: Finding) -> str:
    place = plain(one.file or (one.resource.address if one.resource else one.subject))
    if one.file and one.line:
        place += f":{one.line}:{one.column}"
    likely = " (likely)" if one.confidence is Confidence.LIKELY else ""
    what = f"{one.severity.value} {plain(one.concern)} {plain(one.fingerprint[:_MARK])}"
    return f"{place}: {what} {brief(one.message)}{likely}"
