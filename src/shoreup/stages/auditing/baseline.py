"""Known findings: what was there when the owner began, told by fingerprint from what came since.

The file is made to be committed: one line a finding, sorted, so that two branches rarely meet in one line. Beside the
fingerprint stands what it was, for people; only the fingerprint counts.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from shoreup.model.account import Account
from shoreup.model.errors import UserError
from shoreup.model.finding import Finding, Notice

FORMAT = 1
LARGEST = 64 * 1024 * 1024


class _File(msgspec.Struct, forbid_unknown_fields=True):
    shoreup_baseline: int
    findings: dict[str, str]


class Baseline(Struct, frozen=True):
    """Fingerprints with what each was. ``name`` is the file as people know it."""

    name: str
    findings: dict[str, str]


def read_baseline(path: Path) -> Baseline:
    """A baseline from its file. Raises :class:`UserError`."""
    try:
        if path.exists() and not path.is_file():
            raise UserError(f"The baseline {path} is no file.")
        with path.open("rb") as file:
            content = file.read(LARGEST)
        kept = msgspec.json.decode(content, type=_File)
    except OSError as problem:
        advice = "Write one with 'shoreup audit --write-baseline'." if not path.exists() else ""
        raise UserError(f"The baseline {path} cannot be read: {problem.strerror}. {advice}".strip()) from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise UserError(
            f"{path} is no baseline of Shoreup. Write it anew with 'shoreup audit --write-baseline {path}'."
        ) from None
    if kept.shoreup_baseline != FORMAT:
        raise UserError(f"{path} was written by a later Shoreup. Use that one, or write it anew.")
    return Baseline(str(path), kept.findings)


def render_baseline(account: Account) -> str:
    """The text of a baseline that knows every finding of the account, also those that are known already."""
    every = (*account.findings, *account.unproven, *account.known)
    lines = [
        f"    {json.dumps(mark)}: {json.dumps(said)}"
        for mark, said in sorted((one.fingerprint, f"{one.concern}: {one.subject}") for one in every)
    ]
    body = ",\n".join(lines)
    inner = f"\n{body}\n  " if lines else ""
    return f'{{\n  "shoreup_baseline": {FORMAT},\n  "findings": {{{inner}}}\n}}\n'


def against(account: Account, baseline: Baseline) -> Account:
    """The account with what the baseline knows set apart. What it knows and is gone, its owner is told."""
    before = {one.fingerprint for one in (*account.findings, *account.unproven, *account.known)}
    before |= {one.finding.fingerprint for one in account.suppressed}
    gone = sum(mark not in before for mark in baseline.findings)
    notices = account.notices
    if gone:
        many = f"{gone} findings of this baseline are gone" if gone > 1 else "One finding of this baseline is gone"
        notices = (*notices, Notice(baseline.name, 0, f"{many}: write it anew, so that they stay gone."))
    marked = set_apart(account, baseline.findings.keys(), f"the baseline {baseline.name}")
    return replace(marked, notices=notices)


def set_apart(account: Account, marks: Collection[str], source: str) -> Account:
    """The account with the findings of these fingerprints among the known ones. ``source`` says who knows them."""

    def rest(findings: Iterable[Finding]) -> tuple[Finding, ...]:
        return tuple(one for one in findings if one.fingerprint not in marks)

    told = (*account.findings, *account.unproven)
    return replace(
        account,
        findings=rest(account.findings),
        unproven=rest(account.unproven),
        known=(*account.known, *(one for one in told if one.fingerprint in marks)),
        compared=f"{account.compared} and {source}" if account.compared else source,
    )
