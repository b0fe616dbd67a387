"""The written document of concerns: nine sections, always the same for the same estate."""

from __future__ import annotations

import re
from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from accounts import accepted, account, finding, homelab
from shoreup.model.finding import Section
from shoreup.report import markdown

HEADING = re.compile(r"^## (.*)$", re.MULTILINE)


def test_it_has_the_nine_sections_in_order_also_where_nothing_is_found() -> None:
    headings = HEADING.findall(markdown.render(account()))
    assert headings == list(markdown.TITLES.values())
    assert set(markdown.TITLES) == set(Section)


def test_it_opens_with_counts_and_what_to_do_first() -> None:
    page = markdown.render(homelab())
    assert page.startswith(
        "# Concerns\n\n1 critical, 3 high, 8 medium, 1 low; 1 not proven, 1 accepted, 3 undecided, 2 not read.\n"
    )
    assert HEADING.findall(page)[0] == "Do these first"
    assert "1. **Writes a new dump to nas:/backups/mysql each night" in page


def test_a_concern_has_places_consequence_and_fix() -> None:
    page = markdown.render(account(finding(1), finding(2, file="other.tf", line=0)))
    part = page[page.index("## Missing critical features") :]
    assert "### backup-retention-missing (high ×2)" in part
    assert "- `infra/modules/backup/main.tf:41`: Writes a new dump" in part
    assert "- `other.tf`: Writes" in part
    assert "**If not:** The volume fills up" in part
    assert part.count("**Fix:** Remove dumps older than 30 days, keeping at least 7 (unsafe: ") == 1


def test_many_places_are_counted() -> None:
    page = markdown.render(account(*(finding(number) for number in range(1, 30))))
    assert "- and 21 more in 1 file\n" in page


def test_accepted_findings_stand_with_their_reason() -> None:
    page = markdown.render(account(suppressed=(accepted(finding(), "one node", date(2027, 1, 31)),)))
    assert "one node. Until 2027-01-31." in page[page.index("## Accepted") :]


def test_time_and_machine_leave_no_trace() -> None:
    slow = replace(homelab(), timing={"total": 99.0}, estate=("elsewhere",), cached=True)
    assert markdown.render(slow) == markdown.render(homelab())


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_names_of_the_estate_are_no_markup(words: str) -> None:
    page = markdown.render(account(finding(message=f"<img src=x> [a](b) # {words}", file=f"`{words}")))
    page.encode()
    assert "<img" not in page.replace("\\<img", "")
    assert HEADING.findall(page) == ["Do these first", *markdown.TITLES.values()]
