"""A pin that Renovate and Diun go on from, written as the images beside it are written."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from shoreup.formats.lock_file import NAME, render
from shoreup.model.amendment import Amendment
from shoreup.model.pin import ImagePin
from shoreup.stages.fix import FixOptions, fix

LS = r"^(?<major>\d+)-ls(?<build>\d+)$"
TODAY = date(2026, 11, 23)
DIGEST = "sha256:" + "1" * 64
OTHER = "sha256:" + "2" * 64
POD = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: tool
  namespace: lab
spec:
  selector: {matchLabels: {app: tool}}
  template:
    metadata:
      labels: {app: tool}
ANNOTATIONS    spec:
      containers:
        - name: tool
          image: example/tool:latest
"""
BESIDE = """\
apiVersion: v1
kind: Pod
metadata: {name: NAME, namespace: lab}
spec:
  containers: [{name: other, image: "example/other:IMAGE"}]
"""


def pinned(root: Path, text: str, tag: str = "2.3.4", **more: str) -> Amendment:
    pin = ImagePin("docker.io/example/tool:latest", tag, DIGEST, "registry", TODAY)
    (root / NAME).write_text(render([pin]), encoding="utf-8")
    for name, content in {"pod.yaml": text, **{f"{key}.yaml": value for key, value in more.items()}}.items():
        (root / name).write_text(content, encoding="utf-8")
    amendment = fix(
        [root], FixOptions(select=("image-tag-latest",), unsafe=True, today=TODAY), lambda *_: None
    ).amendment
    assert amendment.dropped == ()
    return amendment


def diun(*notes: str) -> str:
    lines = "".join(f"        {note}\n" for note in ('diun.enable: "true"', *notes))
    return POD.replace("ANNOTATIONS", f"      annotations:\n{lines}")


def renovate(words: str, where: str = "image: example/tool:latest") -> str:
    return POD.replace("ANNOTATIONS", "").replace(where, f"{where}  # renovate: datasource=docker {words}")


PLAIN = POD.replace("ANNOTATIONS", "")


@pytest.mark.parametrize(
    ("text", "tag", "reason"),
    [
        (diun(r'diun.include_tags: "^\\d+-ls\\d+$"'), "2.3.4", "diun.include_tags wants tags like"),
        (diun(r'diun.exclude_tags: "-rc; ^2\\."'), "2.3.4", "diun.exclude_tags rules out"),
        (
            renovate(f"depName=example/tool versioning=regex:{LS}"),
            "2.3.4",
            "for Renovate wants",
        ),
        (renovate(r"extractVersion=^v(?<version>.+)$"), "2.3.4", "for Renovate wants"),
    ],
)
def test_a_tag_that_the_watcher_would_not_go_on_from_is_shown(text: str, tag: str, reason: str, tmp_path: Path) -> None:
    amendment = pinned(tmp_path, text, tag)
    assert amendment.changes == ()
    (left,) = amendment.not_fixed
    assert reason in left.reason
    assert left.text == f"image: docker.io/example/tool:2.3.4@{DIGEST}"


@pytest.mark.parametrize(
    ("text", "tag", "cost"),
    [
        (PLAIN, "2.3.4", ""),
        (diun('diun.watch_repo: "true"', r'diun.include_tags: "^\\d+\\.\\d+\\.\\d+$"'), "2.3.4", ""),
        (diun(), "2.3.4", "Diun watches this one tag"),
        (renovate(f"depName=example/tool versioning=regex:{LS}"), "2-ls7", ""),
        (renovate(f"depName=example/else versioning=regex:{LS}"), "2.3.4", ""),
        (renovate(r"versioning=regex:^(?<broken$"), "2.3.4", ""),
    ],
)
def test_one_that_it_goes_on_from_is_written_and_the_comment_stays(
    text: str, tag: str, cost: str, tmp_path: Path
) -> None:
    amendment = pinned(tmp_path, text, tag)
    (applied,) = amendment.applied
    assert applied.cost.startswith(cost) and bool(applied.cost) == bool(cost)
    written = tag if tag == "2.3.4" else f"{tag}@{DIGEST}"
    assert amendment.changes[0].after.decode() == text.replace("tool:latest", f"tool:{written}")


@pytest.mark.parametrize(
    ("beside", "digest"),
    [
        ({}, False),
        ({"a": f"1.0.0@{OTHER}"}, True),
        ({"a": "1.0.0"}, False),
        ({"a": "1.0.0", "b": f"1.0.0@{OTHER}"}, True),
    ],
)
def test_a_digest_is_written_where_the_images_beside_it_have_one(
    beside: dict[str, str], digest: bool, tmp_path: Path
) -> None:
    more = {name: BESIDE.replace("NAME", name).replace("IMAGE", image) for name, image in beside.items()}
    amendment = pinned(tmp_path, PLAIN, **more)
    assert (f"tool:2.3.4@{DIGEST}" in amendment.changes[0].after.decode()) == digest
