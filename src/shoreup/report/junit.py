"""The account as JUnit XML: a suite for each concern, a case for each finding, for whoever shows test results.

A finding is a failed case, an accepted one a skipped case with its reason, and what could not be read is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

from shoreup.model.account import Account
from shoreup.model.finding import Finding, ReadError

_NOT_XML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]")


def render(account: Account) -> str:
    """The account as XML. A suite without cases stands for an estate in which nothing was found."""
    cases: dict[str, list[str]] = {}
    failures: dict[str, int] = {}
    skipped: dict[str, int] = {}
    for one in (*account.findings, *account.unproven):
        cases.setdefault(one.concern, []).append(_case(one, _failure(one)))
        failures[one.concern] = failures.get(one.concern, 0) + 1
    for one in account.known:
        cases.setdefault(one.concern, []).append(_case(one, _skipped(f"known: {account.compared}")))
        skipped[one.concern] = skipped.get(one.concern, 0) + 1
    for accepted in account.suppressed:
        one = accepted.finding
        until = f" (until {accepted.until.isoformat()})" if accepted.until else ""
        cases.setdefault(one.concern, []).append(_case(one, _skipped(f"accepted: {accepted.reason}{until}")))
        skipped[one.concern] = skipped.get(one.concern, 0) + 1
    suites = [
        _suite(concern, lines, failures=failures.get(concern, 0), skipped=skipped.get(concern, 0))
        for concern, lines in cases.items()
    ]
    if account.errors:
        suites.append(_suite("could-not-read", [_error(one) for one in account.errors], errors=len(account.errors)))
    if not suites:
        suites.append(_suite("audit", []))
    total = sum(len(lines) for lines in cases.values()) + len(account.errors)
    seconds = account.timing.get("total", sum(account.timing.values()))
    head = _attributes(
        name="shoreup",
        tests=total,
        failures=sum(failures.values()),
        errors=len(account.errors),
        skipped=sum(skipped.values()),
        time=f"{seconds:.3f}",
    )
    body = "".join(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites{head}>\n{body}</testsuites>\n'


def _suite(name: str, cases: Iterable[str], *, failures: int = 0, errors: int = 0, skipped: int = 0) -> str:
    lines = list(cases)
    head = _attributes(name=name, tests=len(lines), failures=failures, errors=errors, skipped=skipped)
    return f"  <testsuite{head}>\n{''.join(lines)}  </testsuite>\n"


def _case(one: Finding, inside: str) -> str:
    place = f"{one.file}:{one.line}" if one.line else one.file
    head = _attributes(name=f"{one.subject} ({place})", classname=one.concern, file=one.file, line=one.line)
    return f"    <testcase{head}>\n{inside}    </testcase>\n"


def _failure(one: Finding) -> str:
    head = _attributes(message=one.message, type=one.severity.value)
    lines = [one.message, f"If not: {one.consequence}"]
    lines += [f"Fix ({fix.safety.value}): {fix.title}; {fix.reason}" for fix in one.fixes]
    lines += [f"{place.file}:{place.line}: {place.note}" for place in one.related]
    lines.append(f"fingerprint: {one.fingerprint}")
    return f"      <failure{head}>{escape(_clean(chr(10).join(lines)))}</failure>\n"


def _skipped(message: str) -> str:
    return f"      <skipped{_attributes(message=message)}/>\n"


def _error(one: ReadError) -> str:
    head = _attributes(name=f"{one.file}:{one.line}" if one.line else one.file, classname="could-not-read")
    inside = _attributes(message=f"{one.cause}. Left out: {one.skipped}.", type="could-not-read")
    return f"    <testcase{head}>\n      <error{inside}/>\n    </testcase>\n"


def _attributes(**values: object) -> str:
    return "".join(f" {name}={quoteattr(_clean(str(value)))}" for name, value in values.items())


def _clean(text: str) -> str:
    """Text that XML can hold; what it cannot becomes U+FFFD."""
    return _NOT_XML.sub("\ufffd", text)
