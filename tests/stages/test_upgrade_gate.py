"""The gate of a pipeline: which changes of images go through, and with which proof."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shoreup.drills.proving import record
from shoreup.facts.proofs import Drill
from shoreup.ledger.location import default_location
from shoreup.model.proof import Control, Engine, Measurement, Proof, ProofSubject, Verdict, digest_of
from shoreup.stages.upgrading.gate import Gated, gate

DATABASE = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: db, namespace: data}}
spec:
  selector: {{matchLabels: {{app: db}}}}
  template:
    metadata: {{labels: {{app: db}}}}
    spec:
      containers:
        - name: db
          image: {image}
          volumeMounts: [{{name: data, mountPath: /var/lib/postgresql/data}}]
        - name: metrics
          image: quay.io/prometheuscommunity/postgres-exporter:{exporter}
      volumes:
        - name: data
          persistentVolumeClaim: {{claimName: db}}
"""
SUBJECT = ProofSubject("StatefulSet", "data", "db")


@pytest.fixture
def estate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose PostgreSQL 16 is what runs."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    root = tmp_path / "estate"
    root.mkdir()
    written(root, "postgres:16.4")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "what runs"]):
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", "-C", str(root), *who, *words], check=True)
    return root


def written(root: Path, image: str, exporter: str = "v0.16.0") -> None:
    """The repository with another image."""
    (root / "db.yaml").write_text(DATABASE.format(image=image, exporter=exporter))


def held(root: Path) -> Gated:
    """What the gate says."""
    return gate([root], "HEAD", lambda what, done, total: None)


def proven(root: Path, drill: Drill, *, to: int = 17, ago: int = 1, verdict: Verdict = Verdict.PASS) -> None:
    """Put a proof on record, of the database as it runs."""
    taken = datetime.now(UTC) - timedelta(days=ago)
    inputs = {"image": digest_of("postgresql 16.4"), "volume": digest_of("claim db")}
    proof = Proof(
        id=f"{drill}-{ago}-{verdict}",
        drill=drill.value,
        subject=SUBJECT,
        claim="It goes.",
        engine=Engine("postgresql", "16.4"),
        control=Control("a broken one", True),
        before="refused",
        after="a table is missing" if verdict is Verdict.FAIL else "it went",
        verdict=verdict,
        taken=taken,
        expires=taken + timedelta(days=30),
        measurements=(Measurement("to", to, "major version"),),
        inputs=inputs if drill is Drill.UPGRADE else {},
    )
    record(proof, default_location(root), run=proof.id)


def test_nothing_changed_needs_nothing(estate: Path) -> None:
    written(estate, "postgres:16.4", exporter="v0.17.0")  # a sidecar has no data
    assert held(estate) == Gated("HEAD", ())
    assert held(estate).verdict is Verdict.PASS


def test_another_major_needs_a_rehearsal_of_that_very_step(estate: Path) -> None:
    written(estate, "postgres:17.2")
    (change,) = held(estate).changes
    assert (change.was, change.now, change.needs) == ("postgres:16.4", "postgres:17.2", "upgrade")
    assert change.verdict is Verdict.COULD_NOT_VERIFY
    assert change.says == "no rehearsal is on record"
    assert "shoreup upgrade postgres rehearse --subject data/db --to 17.2" in change.do

    proven(estate, Drill.UPGRADE, to=18)
    assert held(estate).changes[0].says.endswith("went to 18")
    proven(estate, Drill.UPGRADE, ago=0)
    assert held(estate).verdict is Verdict.PASS


def test_a_rehearsal_that_is_too_old_or_failed_lets_nothing_through(estate: Path) -> None:
    written(estate, "postgres:17.2")
    proven(estate, Drill.UPGRADE, ago=40)
    assert held(estate).verdict is Verdict.COULD_NOT_VERIFY
    assert "counted until" in held(estate).changes[0].says
    proven(estate, Drill.UPGRADE, ago=1, verdict=Verdict.FAIL)
    assert held(estate).verdict is Verdict.FAIL
    assert "a table is missing" in held(estate).changes[0].says


def test_within_a_major_a_restore_is_enough(estate: Path) -> None:
    written(estate, "postgres:16.9")
    (change,) = held(estate).changes
    assert (change.needs, change.verdict) == ("restore", Verdict.COULD_NOT_VERIFY)


def test_there_is_no_way_back_by_an_image(estate: Path) -> None:
    written(estate, "postgres:15.8")
    (change,) = held(estate).changes
    assert change.verdict is Verdict.FAIL
    assert "does not open the files" in change.says


def test_what_is_new_has_no_data_yet(estate: Path) -> None:
    (estate / "other.yaml").write_text(
        DATABASE.format(image="postgres:18", exporter="v1").replace("name: db", "name: b")
    )
    assert held(estate).changes == ()
