"""Dumps carried from one version and build into another, really."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engines_here import chosen
from shoreup.cli.main import run
from shoreup.drills.comparing import CompareSpec, compare, lacks
from shoreup.engines.choosing import Wanted
from shoreup.model.proof import Proof, ProofSubject, Verdict

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def compared(product: str, was: str, becomes: str, *extensions: str) -> Proof:
    chosen(product, was, extensions=frozenset(extensions))
    chosen(product, becomes)
    spec = CompareSpec(
        ProofSubject("StatefulSet", "data", "db"),
        Wanted(product, was),
        Wanted(product, becomes),
        f"the other ({becomes})",
        extensions=frozenset(extensions),
    )
    return compare(spec, run="r", now=NOW)


def test_an_extension_that_the_other_build_does_not_bring_is_named_with_its_types() -> None:
    proof = compared("postgresql", "16", "17", "vector")
    assert proof.verdict is Verdict.FAIL, proof.after
    assert "the extension vector is missing there" in proof.after
    assert "the type public.vector is missing there" in proof.after


def test_what_only_the_stand_in_lacks_is_no_failure() -> None:
    proof = compared("postgresql", "17", "18", "pgcrypto")
    if proof.engine.version and "pgcrypto" not in proof.after:
        pytest.skip("this machine's PostgreSQL 18 is a whole one")
    assert proof.verdict is Verdict.COULD_NOT_VERIFY, proof.after


def test_an_older_major_does_not_read_the_dump_of_a_newer_one() -> None:
    proof = compared("postgresql", "17", "15")
    assert proof.verdict is Verdict.FAIL
    assert "it is older" in proof.after or "setting transaction_timeout is missing" in proof.after


def test_mariadb_is_carried_too() -> None:
    proof = compared("mariadb", "10.11", "10.11")
    assert proof.verdict is Verdict.PASS, proof.after
    assert proof.control.refused is True


def test_two_that_would_run_on_one_engine_show_nothing() -> None:
    proof = compared("mariadb", "10.6", "10.11")
    assert proof.verdict is Verdict.COULD_NOT_VERIFY
    assert "shows nothing of their difference" in proof.after


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ('ERROR:  extension "postgis" is not available', {"extension": ("postgis",)}),
        ('could not open extension control file "/x/extension/vector.control": No', {"extension": ("vector",)}),
        ('ERROR: type "public.vector" does not exist\nERROR: type "public.vector" does', {"type": ("public.vector",)}),
        ('ERROR:  unrecognized configuration parameter "transaction_timeout"', {"setting": ("transaction_timeout",)}),
        ("ERROR 1273 (HY000): Unknown collation: 'utf8mb4_0900_ai_ci'", {"collation": ("utf8mb4_0900_ai_ci",)}),
        ("ERROR 1193 (HY000): Unknown system variable 'x_y'", {"setting": ("x_y",)}),
        ('pg_restore: error: role "app" does not exist', {"role": ("app",)}),
        ("something else", {}),
    ],
)
def test_what_is_missing_is_read_from_the_servers_words(said: str, found: dict[str, tuple[str, ...]]) -> None:
    assert lacks(said) == found


ESTATE = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: {name}, namespace: data}}
spec:
  serviceName: {name}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
        - name: postgres
          image: postgres:{version}
          args: ["-c", "old_snapshot_threshold=1h", "-c", "max_connections=50"]
          ports: [{{containerPort: 5432}}]
          volumeMounts: [{{name: data, mountPath: /var/lib/postgresql/data}}]
  volumeClaimTemplates:
    - metadata: {{name: data}}
      spec: {{accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 1Gi}}}}}}
---
"""


def test_the_repository_says_what_is_carried_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chosen("postgresql", "15")
    chosen("postgresql", "17")
    text = "".join(ESTATE.format(name=f"db{version}", version=version) for version in (15, 17))
    (tmp_path / "db.yaml").write_text(text, encoding="utf-8")
    ledger = ("--ledger", "sqlite:///ledger.sqlite")
    assert run(["drill", "compare", str(tmp_path), "--format", "json", *ledger]) == 4
    (proof,) = json.loads(capsys.readouterr().out)["proofs"]
    assert proof["subject"] == "StatefulSet data/db15"
    assert "has no setting old_snapshot_threshold" in proof["after"]
    assert "max_connections" not in proof["after"]
    assert run(["drill", "compare", str(tmp_path), "--with", "data/absent", *ledger]) == 2
    assert "There are data/db15, data/db17." in capsys.readouterr().err
