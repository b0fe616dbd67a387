"""The generated check of changes, really run: it fails on what must not get in, and passes what may."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs

import pytest
import yaml

from pipelines_here import Runner, git, requested, shoreup_lines
from shoreup.cli.main import run
from shoreup.stages.init.ci_checks import Forge, draw_check

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: wiki, namespace: web}
spec:
  selector: {matchLabels: {app: wiki}}
  template:
    metadata: {labels: {app: wiki}}
    spec:
      containers:
        - name: wiki
          image: ghcr.io/example/wiki:1.0
          envFrom: [{configMapRef: {name: wiki}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: wiki, namespace: web}
data: {THEME: dark}
"""
CHANGES = {
    "a typo": ("containers:\n", "containers:\n  - name: x\n   image: y\n", False),
    "a misspelt field": ("  selector:", "  replcas: 3\n  selector:", False),
    "a dangling reference": ("configMapRef: {name: wiki}", "configMapRef: {name: wikki}", False),
    "a latest tag": ("wiki:1.0", "wiki:latest", False),
    "a harmless edit": ("THEME: dark", "THEME: light", True),
}
PIPELINES = (Forge.GITHUB, Forge.GITLAB, Forge.WOODPECKER)


def quiet(_what: str, _done: int, _of: int) -> None:
    """Progress that nobody watches."""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    (root / "wiki.yaml").write_text(DEPLOYMENT, encoding="utf-8")
    known = DEPLOYMENT.partition("---")[0].replace("wiki", "known").replace("1.0", "latest")
    (root / "known.yaml").write_text(known, encoding="utf-8")
    git(root, "add", ".")
    git(root, "commit", "-qm", "first")
    return root


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runner]:
    machine = Runner(tmp_path, monkeypatch.chdir)
    yield machine
    machine.close()


def variables(checkout: Path, port: int = 0) -> dict[str, str]:
    """What the three systems say of the request."""
    base = git(checkout, "merge-base", "origin/main", "HEAD")
    return {
        "github.event.pull_request.base.sha": base,
        "github.event.pull_request.number": "3",
        "github.token": "t",
        "GITHUB_API_URL": f"http://127.0.0.1:{port}",
        "GITHUB_REPOSITORY": "me/platform",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": base,
        "CI_API_V4_URL": f"http://127.0.0.1:{port}/api/v4",
        "CI_PROJECT_ID": "7",
        "CI_MERGE_REQUEST_IID": "3",
        "CI_COMMIT_TARGET_BRANCH": "main",
        "CI_COMMIT_PULL_REQUEST": "3",
        "CI_FORGE_URL": f"http://127.0.0.1:{port}/",
        "CI_REPO": "me/platform",
    }


class Forges:
    """A forge that keeps comments. ``asked`` are the requests that change one: how, where, by which token.

    Others have said something before: enough for a page, and one with the mark, which nobody else may change.
    """

    def __init__(self) -> None:
        self.said: dict[int, str] = dict.fromkeys(range(1, 120), "thanks") | {120: "<!-- shoreup -->\nmine"}
        self.asked: list[tuple[str, str, str]] = []
        forge = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                place, _, query = self.path.partition("?")
                page = int(parse_qs(query)["page"][0])
                listed = [{"id": number, "body": text} for number, text in forge.said.items()]
                self._answer(200, listed[(page - 1) * 100 : page * 100] if forge.told(place) else [])

            def do_POST(self) -> None:
                self._change(max(forge.said) + 1)

            def do_PATCH(self) -> None:
                self._change(int(self.path.rpartition("/")[2]))

            do_PUT = do_PATCH  # noqa: N815 - the name is the server's

            def _change(self, number: int) -> None:
                token = self.headers["PRIVATE-TOKEN"] or self.headers["Authorization"]
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"]
                if number == 120:
                    return self._answer(403, {})
                forge.asked.append((self.command, self.path, token))
                forge.said[number] = body
                return self._answer(200, {"id": number, "body": body})

            def _answer(self, code: int, body: object) -> None:
                self.send_response(code)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *_said: object) -> None:
                """Nobody reads it."""

        self.server = HTTPServer(("127.0.0.1", 0), Answer)
        self.port = self.server.server_port
        Thread(target=self.server.serve_forever, daemon=True).start()

    def told(self, place: str) -> bool:
        """Whether comments are listed at this place."""
        return place.endswith(("/comments", "/notes"))

    @property
    def ours(self) -> list[str]:
        """What was said since."""
        return [text for number, text in self.said.items() if number > 120]


@pytest.fixture
def forges() -> Iterator[Forges]:
    taking = Forges()
    yield taking
    taking.server.shutdown()
    taking.server.server_close()


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("forge", PIPELINES)
def test_a_pipeline_lets_in_what_may_and_nothing_else(
    repository: Path, tmp_path: Path, runner: Runner, forges: Forges, forge: Forge, what: str
) -> None:
    """The branch that it is meant for has gone on meanwhile: what was cured there is nothing that the request adds."""
    old, new, fine = CHANGES[what]
    drawn = draw_check(repository, forge, "shoreup==1.0", quiet)
    git(repository, "checkout", "-qb", "request")
    (repository / "wiki.yaml").write_text(DEPLOYMENT.replace(old, new), encoding="utf-8")
    git(repository, "commit", "-qam", what)
    git(repository, "checkout", "-q", "main")
    git(repository, "rm", "-q", "known.yaml")
    git(repository, "commit", "-qm", "cured")
    checkout = requested(repository, tmp_path / "checkout")
    assert runner.passes(drawn, checkout, variables(checkout, forges.port)) is fine
    written = (checkout / "shoreup.md").read_text(encoding="utf-8")
    assert ("reference-dangling" in written) is (what == "a dangling reference")
    assert forges.ours == ([f"<!-- shoreup -->\n{written}"] if forge is Forge.GITHUB else [])


@pytest.mark.parametrize("what", CHANGES)
def test_the_hook_refuses_the_same(repository: Path, runner: Runner, what: str) -> None:
    old, new, fine = CHANGES[what]
    (hook,) = yaml.safe_load(draw_check(repository, Forge.PRE_COMMIT, "shoreup", quiet).text)["repos"][0]["hooks"]
    assert [name for name in ("wiki.yaml", "main.tf", "README.md") if re.search(hook["files"], name)] == [
        "wiki.yaml",
        "main.tf",
    ]
    (repository / "wiki.yaml").write_text(DEPLOYMENT.replace(old, new), encoding="utf-8")
    git(repository, "add", ".")
    assert (runner.carry_out(shlex.split(hook["entry"]), repository, {}) == 0) is fine


def told_twice(runner: Runner, forges: Forges, said: str, folder: Path, env: Mapping[str, str]) -> None:
    """A comment on the first push, and the same one, changed, on the second."""
    git(folder, "update-ref", "refs/remotes/origin/main", "main")
    for text in ('new: 1 & "more"', "new: 2"):
        (folder / "shoreup.md").write_text(text, encoding="utf-8")
        assert runner.carry_out(["sh", "-ec", said], folder, {**variables(folder, forges.port), **env}) == 0
        assert forges.ours == [f"<!-- shoreup -->\n{text}"]


def test_github_keeps_one_comment(repository: Path, runner: Runner, forges: Forges) -> None:
    step = yaml.safe_load(draw_check(repository, Forge.GITHUB, "shoreup", quiet).text)["jobs"]["shoreup"]["steps"][-1]
    told_twice(runner, forges, step["run"], repository, {"GH_TOKEN": "t", "NUMBER": "3"})
    issues = "/repos/me/platform/issues"
    assert forges.asked == [
        ("POST", f"{issues}/3/comments", "Bearer t"),
        ("PATCH", f"{issues}/comments/121", "Bearer t"),
    ]


def test_gitlab_keeps_one_note_where_a_token_may_write_one(repository: Path, runner: Runner, forges: Forges) -> None:
    (said,) = yaml.safe_load(draw_check(repository, Forge.GITLAB, "shoreup", quiet).text)["shoreup"]["after_script"]
    (repository / "shoreup.md").write_text("new", encoding="utf-8")
    git(repository, "update-ref", "refs/remotes/origin/main", "main")
    assert runner.carry_out(["sh", "-ec", said], repository, variables(repository, forges.port)) == 0
    assert not forges.asked
    told_twice(runner, forges, said, repository, {"SHOREUP_TOKEN": "t"})
    notes = "/api/v4/projects/7/merge_requests/3/notes"
    assert forges.asked == [("POST", notes, "t"), ("PUT", f"{notes}/121", "t")]


ISSUES = "/repos/me/platform/issues"
NOTES = "/api/v4/projects/me%2Fplatform/merge_requests/3/notes"
WOODPECKERS = {
    "forgejo": (f"/api/v1{ISSUES}/3/comments", "PATCH", f"/api/v1{ISSUES}/comments/121", "token t"),
    "gitea": (f"/api/v1{ISSUES}/3/comments", "PATCH", f"/api/v1{ISSUES}/comments/121", "token t"),
    "github": (f"/api/v3{ISSUES}/3/comments", "PATCH", f"/api/v3{ISSUES}/comments/121", "token t"),
    "gitlab": (NOTES, "PUT", f"{NOTES}/121", "t"),
}


@pytest.mark.parametrize("kind", [*WOODPECKERS, "bitbucket"])
def test_woodpecker_tells_its_forge_where_a_secret_may(
    repository: Path, runner: Runner, forges: Forges, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    text = draw_check(repository, Forge.WOODPECKER, "shoreup", quiet).text
    step = yaml.safe_load(text)["steps"]["tell-it-on-the-request"]
    taken = yaml.safe_load(text.replace("# environment:", "environment:"))["steps"]["tell-it-on-the-request"]
    assert "environment" not in step
    assert taken == {**step, "environment": {"SHOREUP_TOKEN": {"from_secret": "shoreup_token"}}}
    (said,) = step["commands"]
    if kind in WOODPECKERS:
        told_twice(runner, forges, said, repository, {"CI_FORGE_TYPE": kind, "SHOREUP_TOKEN": "t"})
        comments, change, own, token = WOODPECKERS[kind]
        assert forges.asked == [("POST", comments, token), (change, own, token)]
        return
    (repository / "shoreup.md").write_text("new", encoding="utf-8")
    git(repository, "update-ref", "refs/remotes/origin/main", "main")
    known = variables(repository, forges.port) | {"CI_FORGE_TYPE": kind}
    assert runner.carry_out(["sh", "-ec", said], repository, known) == 0
    assert runner.carry_out(["sh", "-ec", said], repository, known | {"SHOREUP_TOKEN": "t"}) == 1
    assert not forges.asked
    assert "how bitbucket takes one is not known" in capfd.readouterr().err


@pytest.mark.parametrize("forge", Forge)
def test_every_forge_runs_the_same(repository: Path, forge: Forge) -> None:
    drawn = draw_check(repository, forge, "shoreup==1.0", quiet)
    said = list(shoreup_lines(drawn))
    assert "--fail-on-errors" in said[0]
    assert "shoreup==1.0" in drawn.text
    assert not re.search(r"@[A-Z]+@", drawn.text)
    assert len(said) == (1 if forge is Forge.PRE_COMMIT else 3)


SCANNERS = {
    Forge.GITHUB: (
        ".github/workflows/scan.yaml",
        {"on": "push", "jobs": {"scan": {"steps": [{"uses": "bridgecrewio/checkov-action@v12"}]}}},
        "checkov",
    ),
    Forge.GITLAB: (".gitlab-ci.yml", {"scan": {"script": ["trivy config ."]}}, "trivy"),
    Forge.WOODPECKER: (
        ".woodpecker/scan.yaml",
        {"steps": {"scan": {"image": "python", "commands": ["kube-linter lint ."]}}},
        "kube-linter",
    ),
    Forge.PRE_COMMIT: (
        ".pre-commit-config.yaml",
        {"repos": [{"repo": "https://example.org/pre-commit-terraform", "hooks": [{"id": "terraform_tfsec"}]}]},
        "tfsec",
    ),
}


@pytest.mark.parametrize("forge", Forge)
def test_it_says_what_it_would_replace(repository: Path, forge: Forge, capsys: pytest.CaptureFixture[str]) -> None:
    """Trivy of images stays: Shoreup does not look into them."""
    place, body, scanner = SCANNERS[forge]
    (repository / place).parent.mkdir(parents=True, exist_ok=True)
    (repository / place).write_text(yaml.safe_dump(body) + "# trivy image a, polaris\n", encoding="utf-8")
    git(repository, "add", ".")
    asked = ["init", "ci", str(repository), "--print", "--from", "shoreup"]
    assert run([*asked, *(["--for", "pre-commit"] if forge is Forge.PRE_COMMIT else [])]) == 0
    said = [line for line in capsys.readouterr().err.splitlines() if "take the place" in line]
    assert said == [f"shoreup: it could take the place of {scanner} in {place}"]


def test_the_estates_own_pin_is_used_and_its_scanner_named(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pinned = f"actions/checkout@{'a' * 40}"
    workflow = {
        "on": "push",
        "jobs": {"scan": {"runs-on": "x", "steps": [{"uses": pinned}, {"run": "checkov -d ."}]}},
    }
    (repository / ".github" / "workflows").mkdir(parents=True)
    (repository / ".github" / "workflows" / "scan.yaml").write_text(yaml.safe_dump(workflow), encoding="utf-8")
    git(repository, "add", ".")
    assert run(["init", "ci", str(repository), "--from", "shoreup==1.0"]) == 0
    written = (repository / ".github" / "workflows" / "shoreup.yaml").read_text(encoding="utf-8")
    assert pinned in written
    assert "could take the place of checkov" in capsys.readouterr().err
    assert run(["init", "ci", str(repository), "--from", "shoreup==2.0"]) == 0
    assert "stays as it is" in capsys.readouterr().err
    assert (repository / ".github" / "workflows" / "shoreup.yaml").read_text(encoding="utf-8") == written


def test_what_it_cannot_know_it_asks(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", "ci", str(repository), "--from", "shoreup"]) == 2
    assert "--for" in capsys.readouterr().err
    assert run(["init", "ci", str(repository), "--for", "github"]) == 2
    assert "--from" in capsys.readouterr().err
