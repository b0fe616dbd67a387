"""A record of what runs ages: a pin by an old one says so, for it may lead back."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from shoreup.formats.lock_file import NAME, render
from shoreup.model.pin import ImagePin
from shoreup.stages.fix import FixOptions, fix

WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: home}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: main
          image: nginx:latest
"""


@pytest.mark.parametrize(("taken", "days"), [(date(2026, 11, 20), 0), (date(2026, 6, 1), 175)])
def test_a_pin_by_an_old_record_says_what_it_may_undo(tmp_path: Path, taken: date, days: int) -> None:
    reference = "docker.io/library/nginx:latest"
    pin = ImagePin(reference, "1.27.3", "sha256:" + "a" * 64, "registry-1.docker.io", taken)
    (tmp_path / NAME).write_text(render((pin,)), encoding="utf-8")
    (tmp_path / "web.yaml").write_text(WEB, encoding="utf-8")

    options = FixOptions(select=("image-tag-latest",), unsafe=True, today=date(2026, 11, 23))
    amendment = fix([tmp_path], options, lambda *_: None).amendment

    assert [one.reason for one in amendment.not_fixed] == []
    (one,) = amendment.applied

    assert (f"the record is {days} days old" in one.cost) is (days > 0)
