"""What a changed ConfigMap does to the pods that read it: followed, restarted, or not known before they start next."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from shoreup.model.amendment import Applied
from shoreup.stages.fix import FixOptions, fix

PROGRAM = 'import requests\n\nrequests.get("https://api.example.com/note", timeout=60)\n'
CONFIG = f"""\
apiVersion: v1
kind: ConfigMap
metadata: {{name: rounds, namespace: jobs}}
data:
  rounds.py: |
    {PROGRAM.rstrip().replace(chr(10), chr(10) + "    ")}
"""
POD = """\
containers:
  - name: rounds
    image: python:3.13.9
    command: [python, /app/rounds.py]
    volumeMounts:
      - {name: app, mountPath: /app}
volumes:
  - name: app
    configMap: {name: rounds}
"""


def under(indent: int, text: str) -> str:
    return text.replace("\n", "\n" + " " * indent).rstrip(" ")


DEPLOYMENT = f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: rounds
  namespace: jobs
spec:
  replicas: 2
  selector: {{matchLabels: {{app: rounds}}}}
  template:
    metadata: {{labels: {{app: rounds}}}}
    spec:
      {under(6, POD)}"""
CRON_JOB = f"""\
apiVersion: batch/v1
kind: CronJob
metadata: {{name: rounds, namespace: jobs}}
spec:
  schedule: "0 4 * * *"
  jobTemplate:
    spec:
      backoffLimit: 0
      template:
        spec:
          restartPolicy: Never
          {under(10, POD)}"""
SUB_PATH = "{name: app, mountPath: /app/rounds.py, subPath: rounds.py}"


def annotated(*lines: str) -> str:
    marks = "".join(f"\n    {line}" for line in lines)
    return DEPLOYMENT.replace("namespace: jobs", f"namespace: jobs\n  annotations:{marks}", 1)


def generated(options: str = "") -> dict[str, str]:
    made = f"configMapGenerator:\n  - name: rounds\n    files: [rounds.py]\n{options}"
    return {
        "kustomization.yaml": f"kind: Kustomization\nnamespace: jobs\nresources: [run.yaml]\n{made}",
        "rounds.py": PROGRAM,
        "run.yaml": DEPLOYMENT,
    }


def plain(run: str, config: str = CONFIG) -> dict[str, str]:
    return {"config.yaml": config, "run.yaml": run}


def cured(root: Path, files: Mapping[str, str]) -> Applied:
    for path, text in files.items():
        (root / path).write_text(text, encoding="utf-8")
    options = FixOptions(select=("script-retry-missing",), unsafe=True, today=date(2026, 11, 23))
    amendment = fix([root], options, lambda *_: None).amendment
    assert amendment.dropped == ()
    (applied,) = amendment.applied
    return applied


LATE = "Deployment jobs/rounds reads it as a file with subPath, and knows of the change when it starts next"


@pytest.mark.parametrize(
    ("files", "impact", "note"),
    [
        (plain(DEPLOYMENT), "reload", ""),
        (plain(DEPLOYMENT.replace("{name: app, mountPath: /app}", SUB_PATH)), "none", LATE),
        (plain(CRON_JOB), "none", ""),
        (plain(annotated('reloader.stakater.com/auto: "true"')), "restart", ""),
        (plain(annotated("configmap.reloader.stakater.com/reload: other, rounds")), "restart", ""),
        (plain(annotated("configmap.reloader.stakater.com/reload: other")), "reload", ""),
        (plain(annotated("secret.reloader.stakater.com/auto: 'true'")), "reload", ""),
        (
            plain(
                annotated("reloader.stakater.com/search: 'true'"),
                CONFIG.replace("name: rounds,", "name: rounds, annotations: {reloader.stakater.com/match: 'true'},"),
            ),
            "restart",
            "",
        ),
        (plain(DEPLOYMENT, CONFIG + "immutable: true\n"), "replace", ""),
        (generated(), "restart", ""),
        (generated("    options: {disableNameSuffixHash: true}\n"), "reload", ""),
        (generated("generatorOptions: {disableNameSuffixHash: true}\n"), "reload", ""),
    ],
    ids=[
        "a mounted file follows",
        "a file with subPath does not",
        "a job reads it at its next run",
        "Reloader for all",
        "Reloader for it",
        "Reloader for another",
        "Reloader for secrets",
        "Reloader by a mark",
        "immutable",
        "a name with a hash",
        "a name without one",
        "names without one",
    ],
)
def test_what_a_changed_file_does(files: Mapping[str, str], impact: str, note: str, tmp_path: Path) -> None:
    applied = cured(tmp_path, files)
    assert (applied.impact.value, applied.note) == (impact, note)


def test_a_hash_in_an_annotation_follows_and_restarts(tmp_path: Path) -> None:
    code = f"""\
resource "kubernetes_config_map_v1" "rounds" {{
  metadata {{
    name      = "rounds"
    namespace = "jobs"
  }}
  data = {{
    "rounds.py" = <<-EOT
      {under(6, PROGRAM)}    EOT
  }}
}}

resource "kubernetes_deployment_v1" "rounds" {{
  metadata {{
    name      = "rounds"
    namespace = "jobs"
  }}
  spec {{
    selector {{ match_labels = {{ app = "rounds" }} }}
    template {{
      metadata {{
        labels      = {{ app = "rounds" }}
        annotations = {{ "checksum/config" = sha256(jsonencode(kubernetes_config_map_v1.rounds.data)) }}
      }}
      spec {{
        volume {{
          name = "app"
          config_map {{ name = "rounds" }}
        }}
        container {{
          name    = "rounds"
          image   = "python:3.13.9"
          command = ["python", "/app/rounds.py"]
          volume_mount {{
            name       = "app"
            mount_path = "/app"
          }}
        }}
      }}
    }}
  }}
}}
"""
    assert cured(tmp_path, {"main.tf": code}).impact.value == "restart"
