"""Annotations: the host reads each line as one command, and an estate cannot write commands of its own."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from accounts import account, finding, homelab
from shoreup.model.finding import ReadError, Severity
from shoreup.report import github

COMMAND = re.compile(r"::(error|warning|notice)(?: ([^\n]*?))?::([^\n]*)")


def read(page: str) -> list[tuple[str, dict[str, str], str]]:
    """Commands as the host reads them."""
    found = []
    for line in page.splitlines():
        match = COMMAND.fullmatch(line)
        assert match, line
        properties = dict(pair.split("=", 1) for pair in (match[2] or "").split(",") if pair)
        found.append((match[1], {key: unescaped(value) for key, value in properties.items()}, unescaped(match[3])))
    return found


def unescaped(text: str) -> str:
    for code, character in (("%0A", "\n"), ("%0D", "\r"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, character)
    return text


def test_each_finding_is_one_command_with_its_place_under_the_top_of_the_repository() -> None:
    ((level, place, message),) = read(github.render(account(finding()), prefix="live/"))
    assert level == "error"
    assert place == {
        "file": "live/infra/modules/backup/main.tf",
        "line": "41",
        "col": "17",
        "title": "backup-retention-missing (high)",
    }
    assert message.startswith("Writes a new dump to nas:/backups/mysql each night")
    assert "\nIf not: The volume fills up" in message
    assert "\nFix (unsafe): Remove dumps" in message


def test_levels_follow_severity() -> None:
    page = github.render(account(*(finding(number, severity=one) for number, one in enumerate(Severity))))
    assert [level for level, _, _ in read(page)] == ["error", "error", "warning", "notice"]


def test_a_file_as_a_whole_has_no_line() -> None:
    ((_, place, _),) = read(github.render(account(finding(line=0, end_line=0, column=0))))
    assert "line" not in place


def test_problems_and_notices_are_told_too() -> None:
    page = github.render(account(errors=(ReadError("a.tf", 3, "broken", "the file"),)))
    assert read(page)[0][0] == "warning"
    assert len(read(github.render(homelab()))) == len(homelab().findings) + 1 + 1 + 2


@given(st.text(alphabet=st.characters(exclude_categories=())), st.text())
def test_what_an_estate_is_called_starts_no_command_and_comes_back_whole(name: str, words: str) -> None:
    page = github.render(account(finding(file=name or "x", message=f"{words}\n::error::owned", resource=None)))
    page.encode()
    ((_, place, message),) = read(page)
    clean = github.tidy(name or "x")
    if "%" not in clean:
        assert place["file"] == clean
    assert "\n::error::owned" in message
