"""Written claims, one of each kind and each answer, against a small estate."""

from __future__ import annotations

from pathlib import Path

import pytest

from shoreup.model.claim import Answer, Checked, Kind
from shoreup.model.errors import UserError
from shoreup.stages.check import check

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: web}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
        - name: {name}
          image: {image}
          {probe}
"""
BACKUP = """\
# the nightly copy
apiVersion: batch/v1
kind: CronJob
metadata: {name: dump, namespace: data}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          containers:
            - name: dump
              image: postgres:17.2
              command: [sh, -c, "pg_dump -h db app > /copies/app.sql"]
"""
PROBE = "readinessProbe: {httpGet: {path: /, port: 80}}"
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  password: sesame-open-9\n"


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("estate")
    (root / "apps").mkdir()
    for name, replicas, image, probe in (
        ("wiki", 1, "nginx:latest", PROBE),
        ("blog", 2, "nginx:1.27.2", ""),
        ("shop", 2, "nginx:1.27.2", PROBE),
    ):
        text = DEPLOYMENT.format(name=name, replicas=replicas, image=image, probe=probe)
        (root / "apps" / f"{name}.yaml").write_text(text, encoding="utf-8")
    (root / "backup.yaml").write_text(BACKUP, encoding="utf-8")
    (root / "secret.yaml").write_text(SECRET, encoding="utf-8")
    return root


def quiet(_what: str, _done: int, _of: int) -> None:
    """Progress that nobody watches."""


def answers(estate: Path, tmp_path: Path, text: str) -> list[Checked]:
    document = tmp_path / "audit.md"
    document.write_text(text, encoding="utf-8")
    return list(check(document, [estate], None, quiet).checked)


@pytest.mark.parametrize(
    ("claim", "kind", "answer", "said"),
    [
        ("1 deployment uses `latest`.", Kind.COUNT, Answer.CONFIRMED, "1 of 3 deployments"),
        ("Two deployments use `latest`.", Kind.COUNT, Answer.PARTLY, "1 of 3 deployments"),
        ("Only 2 have a readiness probe.", Kind.COUNT, Answer.CONFIRMED, "2 of 3 workloads"),
        ("1 of 3 services lacks a readiness probe.", Kind.COUNT, Answer.CONFIRMED, "1 of 3"),
        ("All deployments have a readiness probe.", Kind.COUNT, Answer.PARTLY, "2 of 3"),
        ("No deployment has a liveness probe.", Kind.COUNT, Answer.CONFIRMED, "0 of 3"),
        ("No service has a readiness probe.", Kind.COUNT, Answer.WRONG, "2 of 3"),
        ("`blog` has no readiness probe.", Kind.PROPERTY, Answer.CONFIRMED, "Deployment web/blog does not have"),
        ("The shop lacks a readiness probe.", Kind.PROPERTY, Answer.WRONG, "Deployment web/shop has"),
        ("`wiki` runs as a single replica.", Kind.PROPERTY, Answer.CONFIRMED, "has one replica"),
        ("There is no PodDisruptionBudget anywhere.", Kind.ABSENCE, Answer.CONFIRMED, "there are no files"),
        ("There are 2 CronJobs.", Kind.COUNT, Answer.PARTLY, "there is 1 of kind CronJob"),
        ("There is 1 CronJob.", Kind.COUNT, Answer.CONFIRMED, "there is 1 of kind CronJob"),
        ("`backup.yaml` has 14 lines.", Kind.COUNT, Answer.CONFIRMED, "14 lines"),
        ("`backup.yaml` (916 lines) is huge.", Kind.COUNT, Answer.PARTLY, "14 lines"),
        ("`backup.yaml:14` runs `pg_dump -h db app`.", Kind.ANCHOR, Answer.CONFIRMED, "it stands there"),
        ("`backup.yaml:3` runs `pg_dump -h db app`.", Kind.ANCHOR, Answer.MOVED, "backup.yaml:14"),
        ("`backup.yaml:3` runs `mysqldump --all`.", Kind.QUOTE, Answer.WRONG, "nowhere"),
        ("See lines 13-14 of `backup.yaml`.", Kind.ANCHOR, Answer.PLACE, "the lines are there"),
        ("See `backup.yaml:99`.", Kind.ANCHOR, Answer.WRONG, "has 14 lines"),
        ("See `gone.yaml:9`.", Kind.ANCHOR, Answer.WRONG, "there is no file"),
        ("In `old/wiki.yaml:12` the image is `nginx:latest`.", Kind.ANCHOR, Answer.MOVED, "apps/wiki.yaml"),
        ("There is no restore test.", Kind.PROPERTY, Answer.CONFIRMED, "found: CronJob data/dump"),
        ("Nothing here is cluster-admin.", Kind.PROPERTY, Answer.CONFIRMED, "found nothing of the kind"),
        ("`blog` is cluster-admin.", Kind.PROPERTY, Answer.UNDECIDED, "found nothing of the kind"),
        ("There is no CronJob in the namespace web.", Kind.ABSENCE, Answer.CONFIRMED, "in the namespace web"),
        ("There are 3 `.yaml` files under `apps`.", Kind.COUNT, Answer.CONFIRMED, "3 .yaml files"),
        ("The dump runs daily (`backup.yaml:6`).", Kind.ANCHOR, Answer.CONFIRMED, "it stands there"),
        ("The dump has the schedule `0 4 * * *` (`backup.yaml:6`).", Kind.ANCHOR, Answer.WRONG, "0 3 * * *"),
        ("The copy is concurrent (`backup.yaml:6`).", Kind.ANCHOR, Answer.PLACE, "nothing of what is said"),
        ("The dump leaves orphans on flaky mounts after power cuts (`backup.yaml:4`).", Kind.ANCHOR, Answer.PLACE, ""),
        ("[The dump](backup.yaml#L14) uses `pg_dump -h db app`.", Kind.ANCHOR, Answer.CONFIRMED, "it stands there"),
        ("Nobody ever tested the copies.", Kind.OTHER, Answer.UNDECIDED, "not in the source"),
        ("`shop` is set to 3 replicas.", Kind.PROPERTY, Answer.WRONG, "it is 2"),
        ("Everyone loves the 3 cats.", Kind.OTHER, Answer.NOT_UNDERSTOOD, ""),
    ],
)
def test_a_claim_and_its_answer(
    estate: Path, tmp_path: Path, claim: str, kind: Kind, answer: Answer, said: str
) -> None:
    found = answers(estate, tmp_path, f"# Concerns\n\n- {claim}\n")
    expected = (Kind.ANCHOR if kind is Kind.QUOTE else kind, answer, 3)
    assert [(one.kind, one.answer, one.line) for one in found] == [expected]
    assert said in found[0].said


def test_a_confirmed_place_brings_the_finding_that_says_the_same(estate: Path, tmp_path: Path) -> None:
    found = answers(estate, tmp_path, "`apps/wiki.yaml:12` floats.\n")
    assert found[0].fingerprints
    assert "image-tag-latest" in found[0].said


def test_a_file_named_above_is_meant_below(estate: Path, tmp_path: Path) -> None:
    found = answers(
        estate, tmp_path, "## Dump\n\n**Files:** `backup.yaml`\n\nThe copy is made in line 14 (`pg_dump`).\n"
    )
    assert [(one.text, one.answer) for one in found] == [("The copy is made in line 14", Answer.CONFIRMED)]


def test_prose_and_code_blocks_claim_nothing(estate: Path, tmp_path: Path) -> None:
    assert answers(estate, tmp_path, "# Why\n\nWe looked at it together.\n\n```yaml\nreplicas: 17\n```\n") == []


def test_evidence_shows_no_secret(estate: Path, tmp_path: Path) -> None:
    found = answers(estate, tmp_path, "`secret.yaml:5` holds `token: abc(1)`.\n")
    assert found[0].answer is Answer.WRONG
    assert "sesame-open-9" not in found[0].said


def test_what_is_no_document_is_said(estate: Path, tmp_path: Path) -> None:
    (tmp_path / "bytes.md").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="not text"):
        check(tmp_path / "bytes.md", [estate], None, quiet)
    with pytest.raises(UserError, match="cannot be read"):
        check(tmp_path / "none.md", [estate], None, quiet)
