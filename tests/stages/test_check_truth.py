"""What checking must never do: confirm what was made wrong, or fail on what is no document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from shoreup.model.claim import Answer, Checked
from shoreup.report.checked import render, render_json
from shoreup.stages.check import check

ROOT = Path(__file__).parents[2]
AUDIT = ROOT / "tests" / "checking" / "homelab.md"
EXAMPLE = ROOT / "examples" / "homelab"

WORKLOAD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: app-12, namespace: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec:
      hostNetwork: false
      containers:
        - name: app
          image: nginx:1.27.2
          securityContext:
            privileged: false
            runAsUser: 0
          env:
            - name: AUTH_TYPE
              value: password
"""


def quiet(_what: str, _done: int, _of: int) -> None:
    """Progress that nobody watches."""


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("truth")
    (root / "app.yaml").write_text(WORKLOAD, encoding="utf-8")
    (root / "notes.conf").write_text("# retries: 3\nkeep_days = 30\nuse_devices = false\n", encoding="utf-8")
    return root


def checked(estate: Path, tmp_path: Path, text: str) -> tuple[Checked, ...]:
    document = tmp_path / "audit.md"
    document.write_bytes(text.encode())
    return check(document, [estate], None, quiet).checked


def changed() -> Iterator[tuple[str, str]]:
    """The audit's lines with one number made one more, and that number."""
    for line in AUDIT.read_text(encoding="utf-8").splitlines():
        for match in re.finditer(r"(?<![\w.:/#*=-])\d+(?![\w.:/*-]*\d)(?![\d.*/])", line):
            if not re.search(r"(?:lines?|L|[-–:(]|\bto|\band)\s*$", line[: match.start()]):
                number = str(int(match[0]) + 1)
                yield line[: match.start()] + number + line[match.end() :], number


def test_no_changed_number_of_an_audit_is_confirmed(tmp_path: Path) -> None:
    lines = [*changed()]
    assert len(lines) > 10
    text = "\n\n".join(line for line, _ in lines)
    numbers = {at * 2 + 1: number for at, (_, number) in enumerate(lines)}
    false = [
        (one.text, one.said)
        for one in checked(EXAMPLE, tmp_path, text)
        if one.answer is Answer.CONFIRMED and re.search(rf"(?<!\d){numbers[one.line]}(?!\d)", one.text)
    ]
    assert false == []


@pytest.mark.parametrize(
    "claim",
    [
        "The app runs privileged (`app.yaml:15`).",
        "The app shares the host network (`app.yaml:10`).",
        "It never runs as user 0 (`app.yaml:16`).",
        "`AUTH_TYPE` is `none` (`app.yaml:18-19`).",
        "`app.yaml:16` sets `runAsUser: 1`.",
        "Devices are taken with `use_devices = true` (`notes.conf:3`).",
        "The copies are kept for 31 days (`notes.conf:2`).",
        "`notes.conf` keeps no `keep_days = 30`.",
        "`keep_days` is never set in `notes.conf`.",
        "The `app-12` deployment is the only one with 2 replicas, and has no `readinessProbe` (`app.yaml:99`).",
        "`app-12` should have a readiness probe.",
        "Between 1 and 5 deployments have no readiness probe.",
        "All but 1 deployment have no readiness probe.",
        "More than one replica has `app-12`, nothing else.",
        "Die Anwendung benutzt kein `nginx:1.27.2` (`app.yaml:13`).",
        "这个 `app.yaml:13` 没有。",
    ],
)
def test_what_is_wrong_or_open_is_not_confirmed(estate: Path, tmp_path: Path, claim: str) -> None:
    confirmed = [one for one in checked(estate, tmp_path, claim) if one.answer is Answer.CONFIRMED]
    assert [(one.text, one.said) for one in confirmed if "only" not in one.text] == []


@pytest.mark.parametrize(
    ("claim", "answer"),
    [
        ("`app-12` has no readiness probe.", Answer.CONFIRMED),
        ("The app runs as root, user 0 (`app.yaml:16`).", Answer.CONFIRMED),
        ("`retries` is commented out (`notes.conf:1`).", Answer.CONFIRMED),
        ("`notes.conf` does not set `use_devices = true`.", Answer.CONFIRMED),
        ("The `securityContext` lacks `readOnlyRootFilesystem` (`app.yaml:14-16`).", Answer.CONFIRMED),
        ("See https://forge.example/o/r/blob/0123abc/app.yaml#L13: `nginx:1.27.2`.", Answer.CONFIRMED),
        ("`app.yaml:13:9` has `nginx:1.27.2`.", Answer.CONFIRMED),
        ("`C:\\repo\\app.yaml:13` has `nginx:1.27.2`.", Answer.CONFIRMED),
        ("The copies are kept for 31 days (`notes.conf:2`).", Answer.WRONG),
    ],
)
def test_what_is_decided(estate: Path, tmp_path: Path, claim: str, answer: Answer) -> None:
    assert answer in {one.answer for one in checked(estate, tmp_path, claim)}


@pytest.mark.parametrize(
    ("claim", "answer"),
    [
        ("It has `runAsUser: 0`.", {Answer.CONFIRMED}),
        ("It has `runAsUser: 7`.", {Answer.WRONG}),
        ("`AUTH_TYPE` is set to `password`.", {Answer.CONFIRMED}),
        ("`AUTH_TYPE` is set to `none`.", {Answer.WRONG}),
        ("It has `runAsUser: 0`, and no limit of clients.", {Answer.NOT_UNDERSTOOD}),
        ("It has `hostNetwork: false` for `AUTH_TYPE`.", {Answer.NOT_UNDERSTOOD}),
        ("Every container has `runAsUser: 0`.", {Answer.NOT_UNDERSTOOD}),
        ("Fix: split it into `other.yaml`.", {Answer.NOT_UNDERSTOOD}),
    ],
)
def test_what_a_section_lists_decides_what_it_shows(
    estate: Path, tmp_path: Path, claim: str, answer: set[Answer]
) -> None:
    text = f"**A title:**\n- Issue: {claim}\n- Files: `app.yaml:10-19`\n\n**Another:**\n- {claim}\n"
    told = checked(estate, tmp_path, text)
    assert {one.answer for one in told if one.line == 2} == answer
    assert Answer.CONFIRMED not in {one.answer for one in told if one.line == 5 and "run" in claim and "7" in claim}


@pytest.mark.parametrize(
    ("row", "answer"),
    [
        ("| Deployments | 1 |", Answer.CONFIRMED),
        ("| Deployments | 3 |", Answer.PARTLY),
        ("| CronJobs | none |", Answer.CONFIRMED),
        ("| Deployments | none |", Answer.WRONG),
        ("| Deployments | 3 (with the charts) |", Answer.UNDECIDED),
    ],
)
def test_a_row_that_counts_a_kind(estate: Path, tmp_path: Path, row: str, answer: Answer) -> None:
    told = checked(estate, tmp_path, f"| What | How many |\n|---|---|\n{row}\n")
    assert [one.answer for one in told] == [answer]


def test_a_row_below_counts_some_of_them(estate: Path, tmp_path: Path) -> None:
    text = "| What | How many |\n|---|---|\n| Deployments | 1 |\n| ... of these without any probe | 1 |\n"
    assert [one.answer for one in checked(estate, tmp_path, text)][1] is Answer.CONFIRMED
    told = checked(estate, tmp_path, text.replace("probe | 1", "probe | 4"))
    assert Answer.CONFIRMED not in {one.answer for one in told if one.line == 4}


@pytest.mark.parametrize(
    ("claim", "answer"),
    [
        ("`runAsUser: 0` appears once in `app.yaml`.", {Answer.CONFIRMED}),
        ("`runAsUser: 0` appears three times in `app.yaml`.", {Answer.CONFIRMED, Answer.PARTLY}),
        ("`runAsUser: 0` appears three times in these stacks.", {Answer.NOT_UNDERSTOOD}),
        ("`app-12` uses the Recreate strategy.", {Answer.WRONG}),
        ("`hostNetwork: false` is set in eleven Deployments.", {Answer.NOT_UNDERSTOOD}),
        ("I went through it over two evenings, mostly `apps/core`.", {Answer.NOT_UNDERSTOOD}),
        ("`other` runs a single replica although `app-12` needs it.", {Answer.NOT_UNDERSTOOD}),
        ("None of the six deployments has a probe.", {Answer.PARTLY}),
        ("None of the deployments has a probe.", {Answer.CONFIRMED}),
        ("The release has no `securityContext` block at all.", {Answer.NOT_UNDERSTOOD}),
        ("`app-12` accepts connections without a certificate (`app.yaml:19`).", {Answer.PLACE}),
        ("`app-12` runs as user 0 (`app.yaml:16`, `:11`).", {Answer.CONFIRMED}),
        ("The image `nginx:1.27.2` is not that of the chart, 1.27.9 (`app.yaml:13`).", {Answer.PLACE}),
        ("It is a release from July 2022, `nginx:1.27.2` (`app.yaml:13`).", {Answer.CONFIRMED, Answer.NOT_UNDERSTOOD}),
        ("Another app runs privileged (`notes.conf:2`, with `app-12`).", {Answer.PLACE}),
        ("`app-12` has more than one replica.", {Answer.CONFIRMED}),
        ("Of the 4 deployments in scope, 1 has no probe.", {Answer.NOT_UNDERSTOOD}),
        ("Four of the seven stacks run `app-12` with the tag `latest`.", {Answer.UNDECIDED}),
    ],
)
def test_kinds_that_were_read_wrongly_once(estate: Path, tmp_path: Path, claim: str, answer: set[Answer]) -> None:
    assert {one.answer for one in checked(estate, tmp_path, claim)} == answer


def test_an_audit_of_another_estate_is_told(estate: Path) -> None:
    told = render(check(AUDIT, [estate], None, quiet))
    assert "Is PATH the estate that it was written for?" in told
    assert "Is PATH" not in render(check(AUDIT, [EXAMPLE], None, quiet))


def test_what_was_not_checked_is_told_beside_what_was(estate: Path, tmp_path: Path) -> None:
    said = "It runs as user 0 (`app.yaml:16`), without authentication, and it has no certificate.\n"
    told = {one.text: one.answer for one in checked(estate, tmp_path, said)}
    assert told == {
        "It runs as user 0": Answer.CONFIRMED,
        "It runs as user 0 (`app.yaml:16`)": Answer.CONFIRMED,
        "without authentication": Answer.NOT_UNDERSTOOD,
        "and it has no certificate.": Answer.NOT_UNDERSTOOD,
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\0b `app.yaml:3`\n",
        "`" * 50_000,
        "(" * 50_000 + "`app.yaml:1`",
        "a-" * 50_000 + " has no probe",
        "a/" * 50_000 + "b.yaml:3",
        "|" * 20_000 + "\n|-|\n",
        "The service `a` has 3 replicas and `b/c.yaml:12` sets `x = 1`, " * 2_000,
        "> " * 500 + "x `app.yaml:1`",
        "<table><tr><td>3 of 12 `app.yaml:99`</td></tr></table>",
        "| a |\n|---|\n| `x \\| y` 3 services use `latest` |\n",
        "`app.yaml:0` and `app.yaml:99999999999999999999999` and `app.yaml:9-2` hold `x = 1`.\n",
        "`(a+)+$` (app.yaml:1) `[[[` 3 `***(((`. no `)(` anywhere. 4 `((` files.\n",
        "1,000,000,000,000 services, ٣ services and ² services use `latest`.\r\n",
    ],
)
def test_no_text_makes_it_fail(estate: Path, tmp_path: Path, text: str) -> None:
    document = tmp_path / "audit.md"
    document.write_bytes(text.encode())
    done = check(document, [estate], None, quiet)
    assert render(done)
    assert render_json(done)
    assert not [one for one in done.checked if one.answer is Answer.CONFIRMED and "latest" in one.text]
