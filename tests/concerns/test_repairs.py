"""Every case with a finding, repaired: what is announced as fixed is gone from the written files, and nothing came.

The stage that fixes checks all that in memory before it writes. Here the written files are audited anew, from the disk,
by the same audit that an owner runs, and read by other parsers than ours.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import yaml

from case_files import TODAY, Case, by_name, cases
from shoreup.model.grades import Persona
from shoreup.stages.audit import AuditOptions, audit
from shoreup.stages.fix import FixOptions, fix, write_out

SICK = [case for case in cases() if case.findings or case.strict]


def silent(what: str, done: int, total: int) -> None:
    """Nobody waits."""


@pytest.mark.parametrize("case", SICK, ids=by_name)
def test_what_is_announced_as_fixed_is_gone(case: Case, tmp_path: Path) -> None:
    for name, content in case.files.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    everything = AuditOptions(cache=False, today=TODAY, persona=Persona.STRICT)
    before = audit([tmp_path], everything)

    options = FixOptions(select=(case.concern,), unsafe=True, today=TODAY)
    fixed = fix([tmp_path], options, silent)
    amendment = write_out(fixed)
    after = audit([tmp_path], everything)

    assert [(one.finding.concern, one.check, one.cause) for one in amendment.dropped] == []
    said = {one.finding.fingerprint for one in amendment.applied}
    said |= {one.finding.fingerprint for one in amendment.not_fixed}
    mine = {one.fingerprint for one in before.findings if one.concern == case.concern}
    assert mine <= said, "a finding is neither fixed nor left alone with a reason"
    cured = {one.finding.fingerprint for one in amendment.applied}
    left = Counter(one.concern for one in after.findings)
    started = Counter(one.concern for one in before.findings)
    opened = {name for one in amendment.applied for name in one.opens}
    if case.concern not in opened:
        assert left[case.concern] <= started[case.concern] - len(cured)
    assert set(left - started) <= opened
    assert not cured & {one.fingerprint for one in after.findings if one.concern not in opened}
    assert [one.cause for one in after.errors] == [one.cause for one in before.errors]
    for change in amendment.changes:
        assert (tmp_path / change.path).read_bytes() == change.after
        if change.path.endswith((".yaml", ".yml")) and change.before is not None:
            list(yaml.safe_load_all(change.after))

    again = fix([tmp_path], options, silent)
    assert again.amendment.changes == (), "a second run would change the files again"
