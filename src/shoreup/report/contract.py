"""The account as JSON: a contract with other programs.

Every key is written out by hand and in order, so that renaming something in the model cannot change what is
promised. ``account.schema.json`` beside this file says the same to machines, docs/json-contract.md to people.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib import resources

import msgspec

from shoreup.model.account import Account, Coverage
from shoreup.model.finding import Finding, Notice, ReadError, ResourceName, Suppressed, Undecided

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]

HALF_CHARACTER = re.compile("[\ud800-\udfff]")


def render(account: Account) -> str:
    """The account as JSON text, indented, with a line break at the end."""
    return encode(document(account))


def document(account: Account) -> dict[str, Json]:
    """The account in the shapes of JSON."""
    return {
        "version": account.version,
        "estate": list(account.estate),
        "findings": [finding(one) for one in account.findings],
        "unproven": [finding(one) for one in account.unproven],
        "known": [finding(one) for one in account.known],
        "suppressed": [_suppressed(one) for one in account.suppressed],
        "undecided": [_undecided(one) for one in account.undecided],
        "notices": [_notice(one) for one in account.notices],
        "errors": [_error(one) for one in account.errors],
        "coverage": _coverage(account.coverage),
        "timing": {name: round(seconds, 6) for name, seconds in account.timing.items()},
    }


def schema() -> str:
    """The JSON schema of what :func:`render` gives."""
    return resources.files("shoreup.report").joinpath("account.schema.json").read_text(encoding="utf-8")


def encode(document: Json) -> str:
    """JSON text that any reader takes: half characters, which UTF-8 cannot hold, are replaced."""
    try:
        content = msgspec.json.encode(document)
    except UnicodeEncodeError:
        content = msgspec.json.encode(whole(document))
    return msgspec.json.format(content, indent=2).decode() + "\n"


def finding(one: Finding) -> dict[str, Json]:
    """One finding, as the contract has it."""
    return {
        "rank": one.rank,
        "concern": one.concern,
        "severity": one.severity.value,
        "confidence": one.confidence.value,
        "class": one.consequence_class.value,
        "category": one.category.value,
        "section": one.section.value,
        "subject": one.subject,
        "message": one.message,
        "consequence": one.consequence,
        "file": one.file,
        "line": one.line,
        "column": one.column,
        "end_line": one.end_line,
        "resource": _resource(one.resource),
        "related": [{"file": place.file, "line": place.line, "note": place.note} for place in one.related],
        "fingerprint": one.fingerprint,
        "fixes": [{"title": fix.title, "safety": fix.safety.value, "reason": fix.reason} for fix in one.fixes],
        "dependants": one.dependants,
        "strict": one.strict,
    }


def _resource(name: ResourceName | None) -> Json:
    if name is None:
        return None
    return {
        "root": name.root,
        "address": name.address,
        "kind": name.kind,
        "namespace": name.namespace,
        "name": name.name,
        "container": name.container,
    }


def _undecided(one: Undecided) -> Json:
    return {
        "concern": one.concern,
        "resource": _resource(one.resource),
        "file": one.file,
        "line": one.line,
        "unknown": one.unknown,
        "reason": one.reason,
    }


def _suppressed(one: Suppressed) -> dict[str, Json]:
    return {
        **finding(one.finding),
        "reason": one.reason,
        "until": one.until.isoformat() if one.until else None,
        "where": {"file": one.file, "line": one.line},
    }


def _notice(one: Notice) -> Json:
    return {"file": one.file, "line": one.line, "message": one.message}


def _error(one: ReadError) -> Json:
    return {"file": one.file, "line": one.line, "cause": one.cause, "skipped": one.skipped}


def _coverage(coverage: Coverage) -> Json:
    return {
        "files": dict(coverage.files),
        "resources": dict(coverage.resources),
        "roots": coverage.roots,
        "skipped": dict(coverage.skipped),
    }


def whole(value: Json) -> Json:
    """The same without half characters, which UTF-8 cannot hold."""
    if isinstance(value, str):
        return HALF_CHARACTER.sub("\ufffd", value)
    if isinstance(value, Mapping):
        return {HALF_CHARACTER.sub("\ufffd", key): whole(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [whole(item) for item in value]
    return value
