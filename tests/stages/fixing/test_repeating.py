"""Programs that were given second tries, really run: against a server that fails twice, and against a dead one."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from shoreup.stages.fix import FixOptions, fix, write_out

HOST = "service.example"
PYTHON = f"""\
import urllib.request

with urllib.request.urlopen("http://{HOST}/note", timeout=60) as answer:
    print("got", answer.read().decode())
"""
SHELL = f"""\
set -e
note=$(curl -fsS --max-time 60 http://{HOST}/note)
echo "got $note"
"""
POD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: rounds, namespace: jobs}
spec:
  selector: {matchLabels: {app: rounds}}
  template:
    metadata: {labels: {app: rounds}}
    spec:
      containers:
        - name: rounds
          image: python:3.13.9
"""


class Flaky(ThreadingHTTPServer):
    """Answers 503 to so many requests, and then the note."""

    failures = 0
    asked = 0


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, Flaky)
        server.asked += 1
        self.send_response(503 if server.asked <= server.failures else 200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"note")

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def flaky(failures: int) -> Iterator[Flaky]:
    with Flaky(("127.0.0.1", 0), Handler) as server:
        server.failures = failures
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def dead() -> Iterator[str]:
    """An address where nobody answers, and nobody begins to."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


def block(program: str) -> str:
    """A block scalar behind ``sh -c``."""
    return POD + "          command: [sh, -c]\n          args:\n            - |\n" + textwrap.indent(program, " " * 14)


def python_block(program: str) -> str:
    return (
        POD
        + "          command:\n            - python\n            - -c\n            - |\n"
        + textwrap.indent(program, " " * 14)
    )


def fixed(folder: Path, text: str, concern: str = "script-retry-missing") -> list[str]:
    """The words of the container's command after the fix, as another parser reads them."""
    (folder / "estate.yaml").write_text(text, encoding="utf-8")
    done = fix([folder], FixOptions(select=(concern,), unsafe=True), lambda *_: None)
    amendment = write_out(done)
    assert [one.cause for one in amendment.dropped] == []
    assert [one.finding.concern for one in amendment.applied] == [concern], amendment.not_fixed
    held = yaml.safe_load((folder / "estate.yaml").read_text(encoding="utf-8"))
    container = held["spec"]["template"]["spec"]["containers"][0]
    return [*container["command"], *container.get("args", [])]


def run(words: list[str], address: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of the estate with our own server in place of the service, and short pauses."""
    words = [sys.executable if word == "python" else word for word in words]
    words = [word.replace(HOST, address).replace("time.sleep(2 **", "time.sleep(0.001 **") for word in words]
    if words[0] == "sh" and shutil.which("curl") is None:
        pytest.skip("not run: curl is not on this machine (Debian: apt install curl)")
    (folder / ".curlrc").write_text("retry-delay = 1\n", encoding="utf-8")
    environment = {"PATH": os.environ["PATH"], "CURL_HOME": str(folder), "HOME": str(folder)}
    return subprocess.run(words, capture_output=True, text=True, timeout=60, env=environment, check=False)


@pytest.mark.parametrize(("wrap", "program"), [(python_block, PYTHON), (block, SHELL)], ids=["python", "shell"])
def test_two_failures_and_then_success(tmp_path: Path, wrap: Callable[[str], str], program: str) -> None:
    words = fixed(tmp_path, wrap(program))
    with flaky(2) as server:
        done = run(words, f"127.0.0.1:{server.server_port}", tmp_path)
        assert (done.returncode, done.stdout.splitlines()[-1], server.asked) == (0, "got note", 3), done.stderr


@pytest.mark.parametrize(("wrap", "program"), [(python_block, PYTHON), (block, SHELL)], ids=["python", "shell"])
def test_without_the_fix_the_first_failure_is_the_last(
    tmp_path: Path, wrap: Callable[[str], str], program: str
) -> None:
    held = yaml.safe_load(wrap(program))["spec"]["template"]["spec"]["containers"][0]
    with flaky(2) as server:
        done = run([*held["command"], *held.get("args", [])], f"127.0.0.1:{server.server_port}", tmp_path)
        assert done.returncode != 0
        assert server.asked == 1


@pytest.mark.parametrize(("wrap", "program"), [(python_block, PYTHON), (block, SHELL)], ids=["python", "shell"])
def test_a_dead_server_is_given_up_and_said(
    tmp_path: Path, dead: str, wrap: Callable[[str], str], program: str
) -> None:
    words = fixed(tmp_path, wrap(program))
    started = time.monotonic()
    done = run(words, dead, tmp_path)
    assert done.returncode != 0
    assert time.monotonic() - started < 30
    said = done.stdout + done.stderr
    assert "failed" in said.lower()
    if wrap is python_block:
        assert [line for line in done.stdout.splitlines() if line.startswith("try ")] == [
            f"try {number} of 5 failed: URLError" for number in range(1, 6)
        ]


def test_a_command_as_a_list_of_words_gets_more_words(tmp_path: Path) -> None:
    words = fixed(tmp_path, POD + f"          command: [curl, -fsS, --max-time, '60', 'http://{HOST}/note']\n")
    assert words[-3:] == ["--retry", "5", "--retry-connrefused"]
    with flaky(2) as server:
        done = run(words, f"127.0.0.1:{server.server_port}", tmp_path)
        assert (done.returncode, done.stdout, server.asked) == (0, "note", 3)


def test_a_heredoc_of_terraform_keeps_its_own_indentation(tmp_path: Path) -> None:
    program = textwrap.indent(PYTHON, " " * 8)
    (tmp_path / "main.tf").write_text(
        'resource "kubernetes_pod_v1" "rounds" {\n'
        "  metadata {\n"
        '    name = "rounds"\n'
        "  }\n"
        "  spec {\n"
        "    container {\n"
        '      name    = "rounds"\n'
        '      image   = "python:3.13.9"\n'
        f'      command = ["python", "-c", <<-EOT\n{program}      EOT\n      ]\n'
        "    }\n"
        "  }\n"
        "}\n",
        encoding="utf-8",
    )
    options = FixOptions(select=("script-retry-missing",), unsafe=True)
    amendment = write_out(fix([tmp_path], options, lambda *_: None))
    assert len(amendment.applied) == 1, (amendment.not_fixed, amendment.dropped)
    after = (tmp_path / "main.tf").read_text(encoding="utf-8")
    assert '        with retry(lambda: urllib.request.urlopen("http://' in after
    assert "\n        def retry(call, tries=5):\n            for attempt in range(1, tries + 1):\n" in after
    assert not [line for line in after.splitlines() if line != line.rstrip()]


def test_what_sends_something_is_not_sent_twice(tmp_path: Path) -> None:
    (tmp_path / "estate.yaml").write_text(
        block(f"curl -fsS --max-time 60 -d x=1 http://{HOST}/\nwait\n"), encoding="utf-8"
    )
    amendment = fix([tmp_path], FixOptions(select=("script-retry-missing",), unsafe=True), lambda *_: None).amendment
    assert [(one.reason, bool(one.text)) for one in amendment.not_fixed] == [
        ("whether curl may happen twice is not certain", True)
    ]


def test_a_short_time_out_becomes_a_long_one(tmp_path: Path) -> None:
    program = PYTHON.replace("timeout=60", "timeout=5")
    words = fixed(tmp_path, python_block(program), "script-timeout-fixed")
    assert words[-1] == PYTHON


WGET = f"""\
#!/bin/sh
# the list of the day
set -e

fetch() {{
\tif true; then
\t\twget -qO list http://{HOST}/note
\tfi
}}
fetch
echo "got $(cat list)"
"""


def with_busybox(words: list[str], address: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """As in an image of Alpine, with pauses that are none."""
    if shutil.which("busybox") is None:
        pytest.skip("not run: busybox is not on this machine (Debian: apt install busybox)")
    program = (
        words[-1].replace(HOST, address).replace("sleep $((1 << (tried - 1)))", ":").replace("wget ", "busybox wget ")
    )
    command = ["busybox", *words[:-1], program.replace("retry busybox wget", "retry busybox wget")]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_what_has_no_option_for_it_gets_a_function_in_the_manner_of_the_script(tmp_path: Path, dead: str) -> None:
    words = fixed(tmp_path, block(WGET).replace("python:3.13.9", "alpine:3.22.1"))
    assert words[-1].startswith(
        '#!/bin/sh\n# the list of the day\nset -e\n\nretry() {\n\ttried=1\n\tuntil "$@"; do\n\t\tif ['
    )
    assert "\t\tretry wget -qO list http://service.example/note\n" in words[-1]
    with flaky(2) as server:
        done = with_busybox(words, f"127.0.0.1:{server.server_port}", tmp_path)
        assert (done.returncode, done.stdout, server.asked) == (0, "got note\n", 3), done.stderr
        assert done.stderr.count(" of 5 failed: busybox") == 2
    failed = with_busybox(words, dead, tmp_path)
    assert failed.returncode != 0
    assert failed.stderr.count("of 5 failed") == 4


@pytest.mark.parametrize(
    "program",
    [
        f"wget -qO- http://{HOST}/note | sort\nsleep 9\n",
        f"wget -qO list http://{HOST}/note; sleep 9",
        f"timeout 9 wget -qO list http://{HOST}/note\nsleep 9\n",
        f"retry() {{ :; }}\nwget -qO list http://{HOST}/note\nsleep 9\n",
    ],
    ids=["half an answer would stay", "one line", "started by another", "the name is taken"],
)
def test_where_a_function_does_not_fit_the_text_is_shown(program: str, tmp_path: Path) -> None:
    text = block(program) if "\n" in program else POD + f"          command: [sh, -c, {program!r}]\n"
    (tmp_path / "estate.yaml").write_text(text.replace("python:3.13.9", "alpine:3.22.1"), encoding="utf-8")
    amendment = fix([tmp_path], FixOptions(select=("script-retry-missing",), unsafe=True), lambda *_: None).amendment
    assert amendment.changes == ()
    assert ["retry() {" in one.text for one in amendment.not_fixed] == [True]
