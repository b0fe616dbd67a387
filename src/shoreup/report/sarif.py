"""The account as SARIF 2.1.0, for code hosts and editors that show findings beside the code.

What they make of it decides the details: GitHub reads ``security-severity`` as a number in a string, groups
by ``partialFingerprints``, takes paths relative to the repository's top, and shows a rule's Markdown help.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import quote

from shoreup.model.account import Account
from shoreup.model.finding import Finding, Notice, ReadError, Related, Severity, Suppressed
from shoreup.model.page import ConcernPage
from shoreup.report.contract import Json, encode

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
BASE = "%SRCROOT%"
FINGERPRINT = "shoreup/v1"

LEVELS = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "note"}
SECURITY_SEVERITY = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.0", Severity.LOW: "2.0"}
"""Inside the bands that code hosts call critical, high, medium and low."""


def render(account: Account, catalogue: Sequence[ConcernPage], *, prefix: str = "") -> str:
    """The account as SARIF. ``catalogue`` explains the rules; ``prefix`` leads from the repository's top to the
    estate (``infra/``), empty where they are the same."""
    told = (*account.findings, *account.unproven, *account.known, *(one.finding for one in account.suppressed))
    pages = {page.id: page for page in catalogue}
    ids = sorted({one.concern for one in told} | set(pages))
    index = {concern: number for number, concern in enumerate(ids)}
    writer = _Writer(index, prefix)
    age = "new" if account.compared else ""
    run: dict[str, Json] = {
        "tool": {
            "driver": {
                "name": "Shoreup",
                "semanticVersion": account.version,
                "version": account.version,
                "rules": [_rule(concern, pages.get(concern), told) for concern in ids],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {BASE: {"description": {"text": "The top of the repository."}}},
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [
                    *(writer.notification(error) for error in account.errors),
                    *(writer.notice(notice) for notice in account.notices),
                ],
            }
        ],
        "results": [
            *(writer.result(one, age=age) for one in account.findings),
            *(writer.result(one, kind="review", age=age) for one in account.unproven),
            *(writer.result(one, age="unchanged") for one in account.known),
            *(writer.accepted(one) for one in account.suppressed),
        ],
    }
    return encode({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(concern: str, page: ConcernPage | None, told: Iterable[Finding]) -> Json:
    if page is None:
        example = next(one for one in told if one.concern == concern)
        return {"id": concern, "shortDescription": {"text": concern}, "defaultConfiguration": _level(example.severity)}
    return {
        "id": page.id,
        "name": "".join(word.capitalize() for word in page.id.split("-")),
        "shortDescription": {"text": page.title},
        "fullDescription": {"text": page.text.split("\n\n", 1)[0] or page.title},
        "help": {"text": page.text or page.title, "markdown": page.text or page.title},
        "defaultConfiguration": _level(page.severity),
        "properties": {
            "tags": [page.category.value, page.section.value, page.consequence_class.value],
            "problem.severity": {"error": "error", "warning": "warning", "note": "recommendation"}[
                LEVELS[page.severity]
            ],
            "security-severity": SECURITY_SEVERITY[page.severity],
        },
    }


def _level(severity: Severity) -> Json:
    return {"level": LEVELS[severity]}


class _Writer:
    """Writes results that point at the rules and files of one run."""

    def __init__(self, rules: dict[str, int], prefix: str) -> None:
        self._rules = rules
        self._prefix = prefix

    def accepted(self, one: Suppressed) -> Json:
        """A finding that its owner accepts, in a comment or in the settings."""
        kind = "external" if one.file.endswith(".toml") else "inSource"
        return {**self.result(one.finding), "suppressions": [{"kind": kind, "justification": one.reason}]}

    def result(self, one: Finding, *, kind: str = "fail", age: str = "") -> dict[str, Json]:
        """One finding. SARIF gives a level to failures only; what is not proven is there for review. ``age`` is
        SARIF's state against a baseline, empty without one.
        """
        region: dict[str, Json] = {"startLine": one.line, "startColumn": max(one.column, 1)}
        if one.end_line > one.line:
            region["endLine"] = one.end_line
        result: dict[str, Json] = {
            "ruleId": one.concern,
            "ruleIndex": self._rules[one.concern],
            "kind": kind,
            "level": LEVELS[one.severity] if kind == "fail" else "none",
            "message": {"text": f"{one.message} {one.consequence}".strip()},
            "locations": [
                {
                    "physicalLocation": self._physical(one.file, region if one.line > 0 else None),
                    **self._logical(one),
                }
            ],
            "partialFingerprints": {FINGERPRINT: one.fingerprint},
            "properties": {
                "rank": one.rank,
                "severity": one.severity.value,
                "confidence": one.confidence.value,
                "class": one.consequence_class.value,
                "subject": one.subject,
                "fixes": [{"title": fix.title, "safety": fix.safety.value, "reason": fix.reason} for fix in one.fixes],
            },
        }
        if one.related:
            result["relatedLocations"] = [self._related(number, place) for number, place in enumerate(one.related)]
        if age:
            result["baselineState"] = age
        return result

    def notification(self, error: ReadError) -> Json:
        """A part of the estate that could not be read."""
        region: Json = {"startLine": error.line} if error.line > 0 else None
        return {
            "level": "warning",
            "message": {"text": f"{error.cause}. Left out: {error.skipped}."},
            "locations": [{"physicalLocation": self._physical(error.file, region)}],
        }

    def notice(self, notice: Notice) -> Json:
        """Something about the settings or an ignore."""
        told: dict[str, Json] = {"level": "note", "message": {"text": notice.message}}
        if notice.file:
            region: Json = {"startLine": notice.line} if notice.line > 0 else None
            told["locations"] = [{"physicalLocation": self._physical(notice.file, region)}]
        return told

    def _physical(self, file: str, region: Json) -> dict[str, Json]:
        uri = quote((self._prefix + file).encode("utf-8", "surrogateescape"), safe="/")
        place: dict[str, Json] = {"artifactLocation": {"uri": uri, "uriBaseId": BASE}}
        if region is not None:
            place["region"] = region
        return place

    def _logical(self, one: Finding) -> dict[str, Json]:
        if one.resource is None:
            return {}
        name = one.resource
        return {"logicalLocations": [{"name": name.name, "fullyQualifiedName": name.address, "kind": "resource"}]}

    def _related(self, number: int, place: Related) -> Json:
        region: Json = {"startLine": place.line} if place.line > 0 else None
        return {
            "id": number,
            "message": {"text": place.note},
            "physicalLocation": self._physical(place.file, region),
        }
