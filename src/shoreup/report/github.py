"""Annotations for GitHub's workflow log: one command a finding, which the host shows beside the changed line.

A command ends at the line's end and its properties at a comma or colon, so those characters are escaped as the host
unescapes them. What an estate is called must never start a command of its own.
"""

from __future__ import annotations

from shoreup.model.account import Account
from shoreup.model.finding import Finding, Severity
from shoreup.report.terminal import UNSAFE

LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "notice",
}


def render(account: Account, *, prefix: str = "") -> str:
    """The account as commands, worst first. ``prefix`` leads from the repository's top to the estate."""
    lines = [_finding(one, prefix) for one in (*account.findings, *account.unproven)]
    for notice in account.notices:
        place = {
            "file": prefix + notice.file if notice.file else "",
            "line": str(notice.line or ""),
            "title": "Shoreup",
        }
        lines.append(_command("notice", place, notice.message))
    for error in account.errors:
        place = {"file": prefix + error.file if error.file else "", "line": str(error.line or "")}
        place["title"] = "Shoreup could not read this"
        lines.append(_command("warning", place, f"{error.cause}. Left out: {error.skipped}."))
    return "".join(f"{line}\n" for line in lines)


def _finding(one: Finding, prefix: str) -> str:
    place = {
        "file": prefix + one.file if one.file else "",
        "line": str(one.line or ""),
        "endLine": str(one.end_line) if one.end_line > one.line else "",
        "col": str(one.column) if one.column and one.end_line <= one.line else "",
        "title": f"{one.concern} ({one.severity.value})",
    }
    fix = f"\nFix ({one.fixes[0].safety.value}): {one.fixes[0].title}" if one.fixes else ""
    return _command(LEVELS[one.severity], place, f"{one.message}\nIf not: {one.consequence}{fix}")


def _command(level: str, properties: dict[str, str], message: str) -> str:
    named = ",".join(f"{key}={_property(value)}" for key, value in properties.items() if value)
    return f"::{level} {named}::{_data(message)}" if named else f"::{level}::{_data(message)}"


def tidy(text: str) -> str:
    """The text without what a log would obey or hide; line ends stay."""
    return UNSAFE.sub(lambda found: found.group() if found.group() in "\r\n" else "\ufffd", text)


def _data(text: str) -> str:
    return tidy(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
