"""Dumps of a bank on real servers: one moment or two, failures that are heard or not, passwords that are seen."""

from __future__ import annotations

from datetime import UTC, datetime
from textwrap import indent

import pytest

from engines_here import chosen, sandboxed
from shoreup.drills.backup_under_load import UnderLoad
from shoreup.drills.base import NO_WISHES
from shoreup.drills.registry import experiments
from shoreup.drills.under_load.specs import load_spec
from shoreup.drills.under_load.trial import dump_under_load
from shoreup.engines.userlands import GNU
from shoreup.facts.backups.recurring import once, running
from shoreup.facts.backups.tried_under_load import PASSWORDS_SEEN, UNNOTICED, WRONG_BY
from shoreup.facts.estate import Estate
from shoreup.model.proof import Proof, Verdict
from small_estates import estate

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DATED = "now=$(date +%Y%m%d)\n"


def of(script: str, image: str) -> Estate:
    """An estate with a job that dumps into ``/copies`` with a password from a Secret."""
    return estate(
        f"""
apiVersion: batch/v1
kind: CronJob
metadata: {{name: dump, namespace: data}}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          containers:
            - name: dump
              image: {image}
              command: [/bin/bash, -c]
              args:
                - |
{indent(script, " " * 18)}
              env:
                - {{name: PASSWORD, valueFrom: {{secretKeyRef: {{name: db, key: password}}}}}}
              volumeMounts: [{{name: copies, mountPath: /copies}}]
          volumes: [{{name: copies, nfs: {{server: nas, path: /copies}}}}]
"""
    )


def tried(script: str, image: str) -> Proof:
    """The proof of a dump under load."""
    sandboxed(GNU)
    found = of(script, image)
    spec = load_spec(found, next(iter(once(running(found)))))
    assert not isinstance(spec, str), spec
    chosen(spec.wanted.product, spec.wanted.version)
    return dump_under_load(spec, run="run", now=NOW)


def seen(proof: Proof) -> dict[str, float]:
    return {one.name: one.value for one in proof.measurements}


def test_a_strict_dump_in_one_transaction_passes() -> None:
    proof = tried(
        f"set -euo pipefail\n{DATED}PGPASSWORD=$PASSWORD pg_dump -h db -U app app | gzip >/copies/app-$now.gz\n",
        "postgres:17",
    )
    assert proof.verdict is Verdict.PASS, proof.after
    assert proof.control.refused
    assert "the sum is wrong by" in proof.before
    assert seen(proof)["transfers"] >= 20


def test_a_pipe_that_hides_a_killed_server_is_noticed() -> None:
    proof = tried(f"set -e\n{DATED}pg_dump -h db app | gzip >/copies/app-$now.gz\n", "postgres:17")
    assert proof.verdict is Verdict.FAIL
    assert "the server was killed during the dump, and the job ended as if all were well" in proof.after
    assert seen(proof)[WRONG_BY] == 0
    assert seen(proof)[UNNOTICED] == 1


def test_a_job_that_asks_for_the_databases_finds_the_banks_alone() -> None:
    asking = 'for db in $(psql -h db -tAc "SELECT datname FROM pg_database WHERE NOT datistemplate"); do'
    proof = tried(
        f"set -e\n{DATED}{asking}\npg_dump -Fc -h db $db >/copies/$db-$now.dump\ndone\n: # pg_dump app\n", "postgres:17"
    )
    assert proof.verdict is Verdict.PASS, proof.after
    assert seen(proof)[WRONG_BY] == 0


def test_a_dump_of_many_moments_with_the_password_in_its_words_fails_in_every_way() -> None:
    script = (
        f"{DATED}mysqldump --skip-lock-tables -h db -u root -p$PASSWORD shop | gzip >/copies/shop-$now.gz\necho done\n"
    )
    proof = tried(script, "mariadb:10.11")
    assert proof.verdict is Verdict.FAIL, proof.after
    assert "more than they ever held: the dump is of more than one moment" in proof.after
    assert "the process list showed the password in PASSWORD" in proof.after
    assert "made-up" not in proof.after
    assert seen(proof)[WRONG_BY] >= 20, "held up in its middle, it misses what is paid meanwhile"
    assert (seen(proof)[PASSWORDS_SEEN], seen(proof)[UNNOTICED]) == (1, 2)


@pytest.mark.parametrize(
    ("script", "image", "why"),
    [
        ("tar -czf /copies/$(date +%F).tgz /data", "debian:12", "no dumps of a database"),
        ("pg_dump app >/copies/$(date +%F) && frobnicate", "postgres:17", "frobnicate"),
    ],
)
def test_what_cannot_be_run_against_a_server_is_not_judged(script: str, image: str, why: str) -> None:
    sandboxed(GNU)
    found = of(script, image)
    spec = load_spec(found, next(iter(once(running(found)))))
    if isinstance(spec, str):
        assert why in spec
        return
    chosen(spec.wanted.product, spec.wanted.version)
    proof = dump_under_load(spec, run="run", now=NOW)
    assert proof.verdict is Verdict.COULD_NOT_VERIFY
    assert why in proof.after


def test_it_is_found_and_makes_a_trial_of_every_dump() -> None:
    assert any(isinstance(one, UnderLoad) for one in experiments())
    [trial] = UnderLoad().trials(of("pg_dump app >/copies/app.sql", "postgres:17"), NO_WISHES)
    assert trial.name == "data/dump"
