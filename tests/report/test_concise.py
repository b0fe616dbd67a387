"""One line for each finding."""

from __future__ import annotations

import re

from accounts import account, finding
from shoreup.model.finding import Confidence
from shoreup.report import concise


def test_each_finding_is_a_line_that_editors_and_grep_understand() -> None:
    page = concise.render(account(finding(fingerprint="2f1c9d0a7be4"), finding(file="apps/b.tf", line=7, column=3)))
    first, second = page.splitlines()
    assert re.match(r"\S+:\d+:\d+: \w+ [a-z-]+ 2f1c9d0a \S", first)
    assert second.startswith("apps/b.tf:7:3: ")


def test_a_message_stays_on_its_line_and_says_when_it_is_not_certain() -> None:
    (line,) = concise.render(account(finding(message="a\nb\x1b[2J", confidence=Confidence.LIKELY))).splitlines()
    assert line.endswith("a b\\e[2J (likely)")
