"""Copies that lie among the live data go to the other volume of their job, wherever its program names them."""

from __future__ import annotations

from pathlib import Path

import pytest

from case_files import TODAY, Case, by_name, cases
from shoreup.stages.fix import FixOptions, fix

READY = [case for case in cases() if case.concern == "backup-inside-live-data" and "stands ready" in case.name]


@pytest.mark.parametrize("case", READY, ids=by_name)
def test_every_mention_of_the_folder_moves(case: Case, tmp_path: Path) -> None:
    for name, content in case.files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    options = FixOptions(select=(case.concern,), unsafe=True, today=TODAY)
    amendment = fix([tmp_path], options, lambda *_: None).amendment
    assert len(amendment.applied) == 1, (amendment.not_fixed, amendment.dropped)
    after = amendment.changes[0].after.decode()
    assert 'sqlite3 /data/app.db ".backup /copies/app-$(date +%F).db"' in after
    assert "ls -1t /copies/app-*.db | tail -n +15 | xargs -r rm" in after
    assert "/data/backups" not in after
