"""An API server's audit log, read line by line."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from shoreup.cli.rbac import command
from shoreup.formats.learned_file import NAME, parse
from shoreup.live.api_audit import read_log, used
from shoreup.model.access import Learned, Request
from shoreup.model.errors import UserError
from shoreup.stages.fix import FixOptions, fix

RUNNER = "system:serviceaccount:ci:runner"


def event(
    verb: str,
    resource: str,
    *,
    namespace: str = "",
    name: str = "",
    user: str = RUNNER,
    code: int = 200,
    **more: object,
) -> bytes:
    """One line of a log."""
    plain, _, sub = resource.partition("/")
    held = {"resource": plain, "subresource": sub, "namespace": namespace, "name": name, "apiVersion": "v1"}
    body = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "stage": "ResponseComplete",
        "verb": verb,
        "user": {"username": user, "groups": ["system:authenticated"]},
        "objectRef": held,
        "responseStatus": {"code": code},
        "requestReceivedTimestamp": "2026-11-20T10:00:00.000000Z",
        "requestObject": {"anything": ["may", "stand", "here"]},
    }
    return json.dumps({**body, **more}).encode() + b"\n"


def test_requests_are_told_apart_by_what_rules_can_say() -> None:
    found = used(
        [
            event("get", "pods", namespace="ci", name="a-1"),
            event("get", "pods", namespace="ci", name="a-2"),
            event("get", "pods/log", namespace="ci", name="a-1"),
            event("get", "secrets", namespace="ci", name="token"),
            event("get", "", requestURI="/metrics?x=1", objectRef=None),
        ]
    )
    assert found.accounts[("ci", "runner")] == {
        Request("get", "", "pods", "ci"),
        Request("get", "", "pods/log", "ci"),
        Request("get", "", "secrets", "ci", "token"),
        Request("get", path="/metrics"),
    }


def test_what_was_refused_people_and_half_requests_do_not_count() -> None:
    forbidden = {"authorization.k8s.io/decision": "forbid"}
    found = used(
        [
            event("get", "secrets", code=403),
            event("get", "secrets", annotations=forbidden),
            event("get", "secrets", user="admin"),
            event("get", "secrets", stage="RequestReceived"),
        ]
    )
    assert found.events == 4
    assert not found.accounts


def test_who_acts_as_another_needs_the_right_to_do_so() -> None:
    other = "system:serviceaccount:web:shop"
    found = used([event("get", "pods", namespace="web", impersonatedUser={"username": other})])
    assert found.accounts == {
        ("ci", "runner"): {Request("impersonate", "", "serviceaccounts", "web", "shop")},
        ("web", "shop"): {Request("get", "", "pods", "web")},
    }


@given(st.lists(st.binary(max_size=60)))
def test_any_bytes_are_read_to_their_end(lines: list[bytes]) -> None:
    found = used([*lines, event("get", "pods", namespace="ci")])
    assert Request("get", "", "pods", "ci") in found.accounts[("ci", "runner")]


def test_names_without_end_are_not_kept() -> None:
    found = used(event("get", "configmaps", namespace="ci", name=f"c{number}") for number in range(5000))
    assert len(found.accounts[("ci", "runner")]) < 60
    assert Request("get", "", "configmaps", "ci") in found.accounts[("ci", "runner")]


def test_a_packed_log_and_one_that_is_not_there(tmp_path: Path) -> None:
    log = tmp_path / "audit.log.gz"
    log.write_bytes(gzip.compress(event("get", "pods", namespace="ci")))
    assert read_log(log).events == 1
    log.write_bytes(b"no gzip")
    with pytest.raises(UserError):
        read_log(log)
    with pytest.raises(UserError):
        read_log(tmp_path / "missing")


BINDING = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: runner
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: cluster-admin
subjects:
  - kind: ServiceAccount
    name: runner
    namespace: ci
"""
ROLE = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: runner
  namespace: ci
rules:
  - apiGroups: ["*"]
    resources: ["*"]
    verbs: ["*"]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: runner
  namespace: ci
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: runner
subjects:
  - kind: ServiceAccount
    name: runner
    namespace: ci
"""


def learned(folder: Path, *lines: bytes, options: tuple[str, ...] = ()) -> tuple[int, str, Learned]:
    """What ``shoreup rbac learn`` makes of a log, written to the folder."""
    log = folder.parent / "audit.log"
    log.write_bytes(b"".join(lines))
    asked = ["learn", str(log), str(folder), *options, "--output", str(folder / NAME)]
    answer = CliRunner().invoke(command, asked, standalone_mode=False)
    assert answer.exception is None, answer.exception
    found = parse((folder / NAME).read_bytes())
    assert isinstance(found, Learned)
    return answer.return_value, answer.output, found


def silent(what: str, done: int, total: int) -> None:
    """Nobody waits."""


def after_fix(folder: Path, concern: str) -> tuple[dict[str, str], list[str]]:
    """The changed files and the reasons for what is not fixed."""
    fixed = fix([folder], FixOptions(select=(concern,), unsafe=True), silent)
    assert not fixed.amendment.dropped
    changed = {one.path: one.after.decode() for one in fixed.amendment.changes}
    return changed, [one.reason for one in fixed.amendment.not_fixed]


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    """A folder for a repository, beside the log."""
    folder = tmp_path / "estate"
    folder.mkdir()
    return folder


def test_an_account_is_bound_to_what_it_used(estate: Path) -> None:
    (estate / "binding.yaml").write_text(BINDING)
    code, _, _ = learned(estate, event("list", "nodes"), event("create", "pods", namespace="ci"))
    changed, _ = after_fix(estate, "rbac-cluster-admin")
    assert code == 0
    assert changed.pop("binding.yaml") == BINDING.replace("cluster-admin", "ci-runner")
    written = "".join(changed.values())
    assert "kind: ClusterRole\n" in written
    assert "kind: Role\n" in written
    assert "- nodes" in written


def test_a_role_keeps_the_rules_that_were_used(estate: Path) -> None:
    (estate / "role.yaml").write_text(ROLE)
    learned(estate, event("get", "pods", namespace="ci"))
    changed, _ = after_fix(estate, "rbac-wildcard")
    assert changed["role.yaml"] == ROLE.replace('["*"]', '[""]', 1).replace(
        'resources: ["*"]', 'resources: ["pods"]'
    ).replace('verbs: ["*"]', 'verbs: ["get"]')


def test_without_a_log_it_is_left_and_what_leads_to_more_is_left_too(estate: Path) -> None:
    (estate / "binding.yaml").write_text(BINDING)
    changed, reasons = after_fix(estate, "rbac-cluster-admin")
    assert not changed
    assert "shoreup rbac learn" in reasons[0]
    code, _, found = learned(estate, event("create", "pods/exec", namespace="ci"))
    assert code == 1
    assert found.accounts[0].refused == ("create/pods/exec",)
    changed, reasons = after_fix(estate, "rbac-cluster-admin")
    assert not changed
    assert "create/pods/exec" in reasons[0]


def test_what_was_never_used_is_named(estate: Path) -> None:
    (estate / "role.yaml").write_text(ROLE.replace('verbs: ["*"]', 'verbs: ["get", "delete"]'))
    log = estate.parent / "audit.log"
    log.write_bytes(event("get", "pods", namespace="ci"))
    answer = CliRunner().invoke(command, ["learn", str(log), str(estate)], standalone_mode=False)
    assert "never used Role runner: delete *" in answer.output
    assert "never used Role runner: get" not in answer.output


def test_a_fix_reads_the_log_at_once(estate: Path) -> None:
    (estate / "binding.yaml").write_text(BINDING)
    log = estate.parent / "audit.log"
    log.write_bytes(event("list", "nodes") + event("create", "pods/exec", namespace="ci"))
    options = FixOptions(select=("rbac-cluster-admin",), unsafe=True, audit_log=log)
    (left,) = fix([estate], options, silent).amendment.not_fixed
    assert "create/pods/exec" in left.reason
    fixed = fix([estate], structs.replace(options, allow=("create/pods/exec",)), silent).amendment
    assert not fixed.dropped
    changed = {one.path: one.after.decode() for one in fixed.changes}
    assert changed["binding.yaml"] == BINDING.replace("cluster-admin", "ci-runner")
    assert not (estate / NAME).exists()
    with pytest.raises(UserError, match="--audit-log"):
        fix([estate], FixOptions(allow=("create/pods/exec",)), silent)


def test_a_log_of_any_size_is_read_line_by_line(tmp_path: Path) -> None:
    line = event("get", "pods", namespace="ci", requestObject={"data": "x" * 20_000})
    with (tmp_path / "audit.log").open("wb") as file:
        for _ in range(1_500):
            file.write(line)
    tracemalloc.start()
    try:
        found = read_log(tmp_path / "audit.log")
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.events == 1_500
    assert most < 1_000_000, "of 30 MB"
