"""Every finding that was asked for is said to be cured or left, also one that another's edit cures."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

from shoreup.stages.auditing.examination import Examination
from shoreup.stages.fix import Fixed, FixOptions, fix
from shoreup.stages.fixing.company import called_as_before

HOMELAB = Path(__file__).parents[3] / "examples" / "homelab"
TUNNEL = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: cloudflared, namespace: edge}
data:
  config.yaml: |
    ingress:
ROUTES      - service: http_status:404
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cloudflared, namespace: edge}
spec:
  selector: {matchLabels: {app: cloudflared}}
  template:
    metadata: {labels: {app: cloudflared}}
    spec:
      containers:
        - name: cloudflared
          image: cloudflare/cloudflared:2025.9.0
          args: [tunnel, --config, /etc/cloudflared/config.yaml, run]
          volumeMounts: [{name: config, mountPath: /etc/cloudflared}]
      volumes:
        - name: config
          configMap: {name: cloudflared}
"""
APPLICATION = """\
---
apiVersion: v1
kind: Service
metadata: {name: NAME, namespace: apps}
spec:
  selector: {app: NAME}
  ports: [{port: 80}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME, namespace: apps}
spec:
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec:
      containers: [{name: NAME, image: "nginx:1.29.3"}]
"""


def fixed(root: Path, *concerns: str) -> Fixed:
    return fix([root], FixOptions(select=concerns, unsafe=True, today=date(2026, 11, 23)), lambda *_: None)


def test_every_finding_stands_in_one_list() -> None:
    done = fixed(HOMELAB)
    amendment = done.amendment
    cured = [one.finding.fingerprint for one in amendment.applied]
    kept = [one.finding.fingerprint for one in amendment.not_fixed]
    kept += [one.finding.fingerprint for one in amendment.dropped]
    said = Counter([*cured, *kept])
    assert {one.fingerprint for one in done.before.account.findings if not one.strict} <= set(said)
    assert set(said.values()) == {1}
    left = {one.fingerprint for one in done.outcome.last.account.findings}
    assert not left & set(cured)
    assert set(kept) <= left
    marks = {one.finding.fingerprint for one in amendment.applied if not one.with_}
    company = [one for one in amendment.applied if one.with_]
    assert company
    assert all(set(one.with_) <= marks and one.files for one in company)


def test_a_twin_that_is_left_keeps_its_name(tmp_path: Path) -> None:
    """Two findings that only their order tells apart: when the first is cured, the second is not taken for it."""

    def seen(*names: str) -> Examination:
        routes = "".join(
            f"      - hostname: {one}.example.org\n        service: http://{one}.apps:80\n" for one in names
        )
        root = tmp_path / "-".join(names)
        root.mkdir()
        text = TUNNEL.replace("ROUTES", routes) + "".join(APPLICATION.replace("NAME", one) for one in ("one", "two"))
        (root / "edge.yaml").write_text(text, encoding="utf-8")
        return fixed(root, "rate-limit-missing").before

    def marks(one: Examination) -> dict[str, str]:
        limits = [each for each in one.account.findings if each.concern == "rate-limit-missing"]
        return {each.message.split("leads ")[1].partition(".")[0]: each.fingerprint for each in limits}

    before, after = seen("one", "two"), seen("two")
    first = marks(before)
    assert marks(after) == {"two": first["one"]}, "it is called as the first was"
    same = called_as_before(before, after, {first["one"]})
    assert marks(same) == {"two": first["two"]}
    assert set(same.drafts) - set(after.drafts) == {first["two"]}


PROBELESS = """\
apiVersion: v1
kind: Service
metadata: {name: site, namespace: apps}
spec:
  selector: {app: site}
  ports: [{port: 80}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: site, namespace: apps}
spec:
  selector: {matchLabels: {app: site}}
  template:
    metadata: {labels: {app: site}}
    spec:
      containers:
        - name: site
          image: nginx:1.29.3
REMARK"""


def test_words_that_a_cure_makes_untrue_go_with_it(tmp_path: Path) -> None:
    def cured(name: str, remark: str) -> tuple[set[str], str]:
        root = tmp_path / name
        root.mkdir()
        (root / "site.yaml").write_text(PROBELESS.replace("REMARK", remark), encoding="utf-8")
        amendment = fixed(root, "probe-liveness-missing", "probe-readiness-missing", "comment-contradicted").amendment
        text = amendment.changes[0].after.decode() if amendment.changes else ""
        return {one.finding.concern for one in amendment.applied}, text

    both = {"probe-liveness-missing", "probe-readiness-missing"}
    assert cured("plain", "")[0] == both
    concerns, text = cured("said", "          # TODO: no readiness probe yet\n")
    assert concerns == {*both, "comment-contradicted"}
    assert "no readiness probe" not in text
