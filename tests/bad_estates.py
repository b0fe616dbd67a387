"""Estates in which something is wrong, and a neighbour in good order that must be judged all the same."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

from shoreup.model.account import Account
from shoreup.model.finding import ReadError
from shoreup.stages.audit import AuditOptions, audit

TODAY = date(2026, 11, 23)
SECONDS = 15
"""Of a processor, for the worst estate here. What others run meanwhile does not count."""

MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: nginx:latest
"""
TERRAFORM = """\
resource "kubernetes_deployment" "web" {
  metadata {
    name      = "web"
    namespace = "shop"
  }
  spec {
    template {
      spec {
        container {
          name  = "web"
          image = "nginx:latest"
        }
      }
    }
  }
}
"""
NEIGHBOURS = {"neighbour/web.yaml": MANIFEST, "neighbour/main.tf": TERRAFORM}
JUDGED = {("neighbour/web.yaml", 11), ("neighbour/main.tf", 11)}
"""Where their images without a version stand."""


def manifest(name: str) -> str:
    """A Deployment whose image has no version, on its eleventh line."""
    return MANIFEST.replace("web", name)


def terraform(name: str, image: str = '"nginx:latest"') -> str:
    """A Deployment whose image, on its eleventh line, is this expression."""
    return TERRAFORM.replace('"web"', f'"{name}"').replace('"nginx:latest"', image)


def write(root: Path, files: Mapping[str, str | bytes]) -> None:
    """Write files as they are."""
    for path, content in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())


def audited(root: Path, files: Mapping[str, str | bytes], prepare: Callable[[Path], object] | None = None) -> Account:
    """Audit an estate of these files. Whatever they are, no fault is ours, it ends, and the neighbours are judged."""
    write(root, {**NEIGHBOURS, **files})
    if prepare is not None:
        prepare(root)
    began = time.process_time()
    account = audit([root], AuditOptions(cache=False, today=TODAY))
    took = time.process_time() - began
    assert faults(account) == []
    assert untagged(account) >= JUDGED
    assert took < SECONDS
    return account


def untagged(account: Account) -> set[tuple[str, int]]:
    """The places of images without a version."""
    return {(one.file, one.line) for one in account.findings if one.concern == "image-tag-latest"}


def found(account: Account) -> set[tuple[str, int]]:
    """The places of images without a version, but for the neighbours'."""
    return untagged(account) - JUDGED


def errors(account: Account) -> list[tuple[str, int, str, str]]:
    """What could not be read: file, line, cause, and what was skipped."""
    return [(one.file, one.line, one.cause, one.skipped) for one in account.errors]


def unknowns(account: Account) -> dict[tuple[str, int], str]:
    """Why images' tags are not decided, by place."""
    return {(one.file, one.line): one.reason for one in account.undecided if one.concern == "image-tag-latest"}


def faults(account: Account) -> list[ReadError]:
    """Errors that are no trouble of the estate but mistakes of ours."""
    return [one for one in account.errors if "Shoreup failed" in one.cause or "failed on this estate" in one.cause]
