"""A plan that rested while the estate went on."""

from __future__ import annotations

import subprocess
from datetime import date
from pathlib import Path

from shoreup.model.account import Account
from shoreup.stages.audit import AuditOptions, audit

DATABASE = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: ledgerdb, namespace: data}
spec:
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "postgres:17.2"}]}
"""


def commit(folder: Path, day: str, name: str, text: str) -> None:
    """One file, on one day."""
    (folder / name).write_text(text, encoding="utf-8")
    moment = f"{day}T12:00:00Z"
    subprocess.run(["git", "-C", str(folder), "add", name], check=True)
    subprocess.run(
        ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "-m", name],
        check=True,
        env={"GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment, "PATH": "/usr/bin:/bin", "HOME": str(folder)},
    )


def audited(folder: Path) -> Account:
    """The account as far as the plan goes."""
    options = AuditOptions(select=("recovery-plan-missing",), cache=False, today=date(2026, 11, 23))
    return audit([folder], options)


def estate(folder: Path, plan_day: str, plan: str = "# Recovery\nRestore in order.\n") -> Path:
    """A repository with a plan and a database that came in October 2026."""
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    commit(folder, plan_day, "recovery.md", plan)
    commit(folder, "2026-10-01", "db.yaml", DATABASE)
    return folder


def test_an_old_plan_that_does_not_know_the_database_is_unproven(tmp_path: Path) -> None:
    (one,) = audited(estate(tmp_path, "2024-03-01")).unproven
    assert (one.file, one.severity.value) == ("recovery.md", "medium")
    assert "recovery.md was last changed on 2024-03-01, does not name StatefulSet data/ledgerdb" in one.message


def test_an_old_plan_that_names_the_database_still_holds(tmp_path: Path) -> None:
    assert audited(estate(tmp_path, "2024-03-01", "# Recovery\nFirst ledgerdb.\n")).unproven == ()


def test_a_plan_of_this_year_is_a_plan(tmp_path: Path) -> None:
    assert audited(estate(tmp_path, "2026-03-01")).unproven == ()


def test_a_part_of_a_repository_leaves_the_question_open(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps" / "db.yaml").write_text(DATABASE, encoding="utf-8")
    account = audited(tmp_path / "apps")
    assert account.unproven == ()
    assert [one.unknown for one in account.undecided] == ["recovery plan"]
