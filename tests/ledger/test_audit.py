"""What an audit does with a ledger, and what it does not do where there is none."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from proving import bring, proof
from shoreup.ledger.appending import Ledger
from shoreup.ledger.location import locate
from shoreup.model.account import Account
from shoreup.model.proof import Proof
from shoreup.stages.audit import AuditOptions, audit

URL = "sqlite:///ledger.sqlite"
INPUTS = {
    "image": "postgres:17.2",
    "command": "pg_dump -h db app > /backup/app.sql",
    "volume": "nfs 10.0.0.5 /export/backups /backup/app.sql",
}
ESTATE = """\
apiVersion: batch/v1
kind: CronJob
metadata: {name: dump, namespace: data}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
            - name: job
              image: postgres:17.2
              command: [sh, -c, "pg_dump -h db app > /backup/app.sql"]
              volumeMounts:
                - {name: copies, mountPath: /backup}
          volumes:
            - name: copies
              nfs: {server: 10.0.0.5, path: /export/backups}
"""


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    (tmp_path / "dump.yaml").write_text(ESTATE, encoding="utf-8")
    return tmp_path


def audited(estate: Path, *, url: str = "", cache: bool = False) -> Account:
    """The account as far as restores go."""
    options = AuditOptions(select=("restore-untested",), cache=cache, today=date(2026, 11, 23), ledger=url)
    return audit([estate], options)


def remember(estate: Path, one: Proof, url: str = URL) -> None:
    """Put a proof into the estate's ledger."""
    where = locate(estate, url)
    assert where is not None
    with Ledger(where) as ledger:
        ledger.append(one, run=one.id, step="compare")


def test_a_proof_in_the_ledger_closes_what_was_unproven(estate: Path) -> None:
    assert len(audited(estate, url=URL).unproven) == 1
    remember(estate, proof(inputs=INPUTS))
    assert audited(estate, url=URL).unproven == ()


def test_a_cached_account_knows_of_a_new_proof(
    estate: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setattr("shoreup.stages.auditing.cache._identity", lambda: "the same program")
    elsewhere = f"sqlite:///{tmp_path_factory.mktemp('ledger')}/ledger.sqlite"
    remember(estate, proof(subject="CronJob data/other"), elsewhere)
    first = audited(estate, url=elsewhere, cache=True)
    assert audited(estate, url=elsewhere, cache=True).cached
    remember(estate, proof(number=2, inputs=INPUTS), elsewhere)
    after = audited(estate, url=elsewhere, cache=True)
    assert (len(first.unproven), len(after.unproven), after.cached) == (1, 0, False)
    assert audited(estate, url=elsewhere, cache=True).cached


def test_a_ledger_counts_for_the_exit_code_only_where_it_is_configured(estate: Path) -> None:
    assert not audited(estate).ledger
    assert audited(estate, url=URL).ledger


def test_a_torn_ledger_is_one_error_and_everything_else_is_told(
    estate: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    (estate / "ledger.sqlite").write_bytes(b"no database" * 500)
    for _ in range(2):
        account = audited(estate, url=URL, cache=True)
        assert len(account.unproven) == 1
        assert len(account.errors) == 1
        assert "cannot be read: file is not a database" in account.errors[0].cause
        assert not account.cached, "what could not be read now may be read in a minute"


def test_a_broken_chain_is_told_once(estate: Path) -> None:
    import sqlite3

    for number in (1, 2, 3):
        remember(estate, proof(number=number, inputs=INPUTS))
    with sqlite3.connect(estate / "ledger.sqlite") as connection:
        connection.executescript("DROP TRIGGER proofs_no_delete; DELETE FROM proofs WHERE number < 3")
    connection.close()
    account = audited(estate, url=URL)
    assert account.unproven == ()
    assert [one.cause for one in account.errors if "broken at proof 3" in one.cause]
    assert len(account.errors) == 1


def test_a_proof_in_the_repository_counts_where_there_is_no_ledger(estate: Path) -> None:
    bring(estate, "one", proof(inputs=INPUTS))
    account = audited(estate)
    assert (account.unproven, account.errors) == ((), ())


def test_a_proof_that_was_edited_is_an_error_and_counts_for_nothing(estate: Path) -> None:
    file = bring(estate, "one", proof(inputs=INPUTS, days=1))
    file.write_bytes(file.read_bytes().replace(b"2026-11-21", b"2027-11-21"))
    account = audited(estate)
    assert len(account.unproven) == 1
    assert [(one.file, "changed after it was written" in one.cause) for one in account.errors] == [
        (".shoreup/proofs/one.json", True)
    ]


def test_a_proof_that_says_forever_counts_for_a_year(estate: Path) -> None:
    bring(estate, "one", proof(inputs=INPUTS, days=5000))
    options = AuditOptions(select=("restore-untested",), cache=False, today=date(2027, 11, 23))
    assert "counted until 2027-11-21" in audit([estate], options).unproven[0].message


def test_a_proof_of_another_estate_counts_for_nothing(estate: Path) -> None:
    for command in (["init", "-q"], ["remote", "add", "origin", "https://example.org/them/copy"]):
        subprocess.run(["git", "-C", str(estate), *command], check=True)
    bring(estate, "one", proof(inputs=INPUTS))
    account = audited(estate)
    assert len(account.unproven) == 1
    assert "another estate" in account.errors[0].cause


@pytest.mark.parametrize("root", ["clusters/a", "clusters/b"])
def test_where_two_objects_share_a_name_the_place_tells_whose_proof_it_is(tmp_path: Path, root: str) -> None:
    for cluster in ("a", "b"):
        folder = tmp_path / "clusters" / cluster
        folder.mkdir(parents=True)
        (folder / "dump.yaml").write_text(ESTATE, encoding="utf-8")
        (folder / "kustomization.yaml").write_text("resources: [dump.yaml]\n", encoding="utf-8")
    bring(tmp_path, "one", proof(inputs=INPUTS, root=root))
    left = audited(tmp_path).unproven
    assert [one.resource.root for one in left if one.resource] == [{"clusters/a": "clusters/b"}.get(root, "clusters/a")]


def test_without_a_ledger_no_database_library_is_imported(
    estate: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    program = (
        "import sys, json; from pathlib import Path; from shoreup.stages.audit import audit, AuditOptions; "
        "audit([Path(sys.argv[1])], AuditOptions(cache=False)); "
        "print(json.dumps([name for name in ('sqlalchemy', 'alembic', 'sqlite3') if name in sys.modules]))"
    )
    bring(estate, "one", proof(inputs=INPUTS))
    done = subprocess.run(
        [sys.executable, "-c", program, str(estate)],
        capture_output=True,
        text=True,
        check=True,
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": ":".join(sys.path),
            "XDG_STATE_HOME": str(tmp_path_factory.mktemp("s")),
        },
    )
    assert json.loads(done.stdout) == []


def test_a_server_that_the_audited_tree_names_is_not_called(estate: Path) -> None:
    (estate / "shoreup.toml").write_text(
        '[ledger]\nurl = "postgresql+psycopg://me:sesame@127.0.0.1:1/x"\n', encoding="utf-8"
    )
    account = audited(estate)
    assert [one.cause.partition(":")[0] for one in account.errors] == ["the ledger postgresql+psycopg"]
    assert "was not opened" in account.errors[0].cause
    assert "sesame" not in account.errors[0].cause
    asked = AuditOptions(
        select=("restore-untested",), cache=False, today=date(2026, 11, 23), config=estate / "shoreup.toml"
    )
    assert "was not opened" not in audit([estate], asked).errors[0].cause
