"""Tags resolved by a real registry on loopback, with images of two architectures, and by some that misbehave."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from msgspec import Struct

from shoreup.cli.main import run
from shoreup.formats.lock_file import parse
from shoreup.live import registry as module
from shoreup.live.registry import Registry, RegistryError, likely

PROGRAM = shutil.which("docker-registry")
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"

POD = "apiVersion: v1\nkind: Pod\nmetadata: {{name: app}}\nspec: {{containers: [{{name: app, image: '{image}'}}]}}\n"

needs_registry = pytest.mark.skipif(PROGRAM is None, reason="docker-registry is not installed")


class Running(Struct):
    """A registry and what was pushed to it."""

    host: str

    def push(self, repository: str, tag: str, content: str) -> str:
        """An image of two architectures that differs by its content; its digest."""
        entries = []
        for architecture in ("amd64", "arm64"):
            config = json.dumps({"architecture": architecture, "os": "linux", "content": content}).encode()
            digest = self._blob(repository, config)
            layer = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": len(config)}
            manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": layer, "layers": []}).encode()
            made = f"sha256:{sha256(manifest).hexdigest()}"
            self._put(f"/v2/{repository}/manifests/{made}", manifest, MANIFEST)
            platform = {"architecture": architecture, "os": "linux"}
            entries.append({"mediaType": MANIFEST, "digest": made, "size": len(manifest), "platform": platform})
        index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).encode()
        self._put(f"/v2/{repository}/manifests/{tag}", index, INDEX)
        return f"sha256:{sha256(index).hexdigest()}"

    def _blob(self, repository: str, content: bytes) -> str:
        digest = f"sha256:{sha256(content).hexdigest()}"
        start = urllib.request.Request(f"http://{self.host}/v2/{repository}/blobs/uploads/", method="POST", data=b"")
        with urllib.request.urlopen(start) as answer:
            where = answer.headers["Location"]
        where = where if where.startswith("http") else f"http://{self.host}{where}"
        joint = "&" if "?" in where else "?"
        request = urllib.request.Request(f"{where}{joint}digest={digest}", method="PUT", data=content)
        request.add_header("Content-Type", "application/octet-stream")
        urllib.request.urlopen(request).close()
        return digest

    def _put(self, path: str, content: bytes, kind: str) -> None:
        request = urllib.request.Request(f"http://{self.host}{path}", method="PUT", data=content)
        request.add_header("Content-Type", kind)
        urllib.request.urlopen(request).close()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("registry")
    port = free_port()
    (folder / "config.yml").write_text(
        f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {folder}/data}}}}\n"
        f"http: {{addr: '127.0.0.1:{port}'}}\n",
        encoding="utf-8",
    )
    assert PROGRAM is not None
    process = subprocess.Popen(
        [PROGRAM, "serve", str(folder / "config.yml")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not answers(port):
        threading.Event().wait(0.05)
    yield Running(f"127.0.0.1:{port}")
    process.terminate()
    process.wait(10)


def answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/").close()
    except OSError:
        return False
    return True


@needs_registry
def test_latest_is_the_finest_version_of_the_same_digest(running: Running) -> None:
    for tag, content in (("7.2.5", "old"), ("7.4.1", "new"), ("7.4.1-alpine", "small"), ("8.0-rc1", "next")):
        running.push("lab/cache", tag, content)
    digest = running.push("lab/cache", "latest", "new")
    running.push("lab/cache", "7", "new")
    found = Registry(running.host, insecure=True).find("lab/cache", "latest")
    assert (found.tag, found.digest) == ("7.4.1", digest)
    assert Registry(running.host, insecure=True).find("lab/cache", "7").tag == "7.4.1"


@needs_registry
def test_a_tag_without_a_version_of_the_same_digest_stays_itself(running: Running) -> None:
    running.push("lab/site", "1.0.0", "released")
    digest = running.push("lab/site", "main", "built today")
    found = Registry(running.host, insecure=True).find("lab/site", "main")
    assert (found.tag, found.digest) == ("main", digest)


@needs_registry
def test_an_image_that_is_not_there(running: Running) -> None:
    with pytest.raises(RegistryError, match="answers 404"):
        Registry(running.host, insecure=True).find("lab/absent", "latest")


@needs_registry
def test_the_lock_file_pins_and_the_fix_writes_it(
    running: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    running.push("lab/web", "2.3.4", "one")
    digest = running.push("lab/web", "latest", "one")
    branch = running.push("lab/job", "main", "two")
    text = "\n---\n".join(
        f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  containers:\n"
        f"    - name: {name}\n      image: {running.host}/{image}  # as it was\n"
        for name, image in (("web", "lab/web:latest"), ("bare", "lab/web"), ("job", "lab/job:main"))
    )
    (tmp_path / "pods.yaml").write_text(text, encoding="utf-8")
    arguments = ["images", "lock", str(tmp_path), "--insecure", running.host, "--today", "2026-11-23"]
    assert run(arguments) == 0
    lock = parse((tmp_path / "shoreup.lock").read_text(encoding="utf-8"))
    assert {(one.reference, one.tag, one.digest) for one in lock.images} == {
        (f"{running.host}/lab/web:latest", "2.3.4", digest),
        (f"{running.host}/lab/job:main", "main", branch),
    }
    once = (tmp_path / "shoreup.lock").read_bytes()
    assert run(arguments) == 0
    assert (tmp_path / "shoreup.lock").read_bytes() == once
    select = ["--select", "image-tag-latest,image-tag-mutable"]
    assert run(["fix", str(tmp_path), "--unsafe", "--write", *select, "--today", "2026-11-23"]) == 0
    after = (tmp_path / "pods.yaml").read_text(encoding="utf-8")
    assert after.count(f"image: {running.host}/lab/web:2.3.4  # as it was") == 2
    assert f"image: {running.host}/lab/job:main@{branch}  # as it was" in after


@needs_registry
def test_what_runs_outranks_what_the_registry_says_today(
    running: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = running.push("lab/app", "1.0.0", "old")
    running.push("lab/app", "latest", "new")
    image = f"{running.host}/lab/app:latest"
    (tmp_path / "pod.yaml").write_text(
        POD.format(image=image),
        encoding="utf-8",
    )
    pod = {
        "spec": {"containers": [{"name": "app", "image": image}]},
        "status": {"containerStatuses": [{"name": "app", "imageID": f"{running.host}/lab/app@{old}"}]},
    }
    pods = tmp_path.parent / "pods.json"
    pods.write_text(json.dumps({"items": [pod]}), encoding="utf-8")
    assert run(["images", "lock", str(tmp_path), "--pods", str(pods), "--insecure", running.host]) == 0
    (pin,) = parse((tmp_path / "shoreup.lock").read_text(encoding="utf-8")).images
    assert (pin.digest, pin.source) == (old, "pods.json")


class Misbehaving(BaseHTTPRequestHandler):
    """A registry as its ``manner`` has it."""

    manner = ""
    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        if self.manner == "limited" and type(self).asked < 3:
            self.send_response(429)
            self.send_header("Retry-After", "0")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = b'{"tags": []}' if self.path.split("?")[0].endswith("/tags/list") else b'{"schemaVersion": 2}'
        digest = "0" * 64 if self.manner == "lying" else sha256(body).hexdigest()
        self.send_response(401 if self.manner == "closed" else 200)
        self.send_header("Docker-Content-Digest", f"sha256:{digest}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815  # the name that the base class looks for

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing is said."""


@pytest.fixture
def misbehaving(request: pytest.FixtureRequest) -> Iterator[str]:
    handler = type("Handler", (Misbehaving,), {"manner": request.param, "asked": 0})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("misbehaving", ["lying"], indirect=True)
def test_a_digest_that_is_not_the_one_of_the_bytes_is_refused(misbehaving: str) -> None:
    with pytest.raises(RegistryError, match="but sent bytes of"):
        Registry(misbehaving, insecure=True).find("lab/app", "latest")


@pytest.mark.parametrize("misbehaving", ["limited"], indirect=True)
def test_a_registry_that_says_later_is_asked_later(misbehaving: str) -> None:
    assert Registry(misbehaving, insecure=True).find("lab/app", "latest").tag == "latest"


@pytest.mark.parametrize("misbehaving", ["closed"], indirect=True)
def test_a_registry_that_wants_a_login_says_how_to_give_one(misbehaving: str) -> None:
    with pytest.raises(RegistryError, match="docker login"):
        Registry(misbehaving, insecure=True).find("lab/app", "latest")


def test_a_registry_that_is_down_costs_its_images_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = f"127.0.0.1:{free_port()}/lab/app:latest"
    (tmp_path / "pod.yaml").write_text(
        POD.format(image=image),
        encoding="utf-8",
    )
    assert run(["images", "lock", str(tmp_path), "--insecure", image.split("/")[0]]) == 1
    assert "does not answer" in capsys.readouterr().err


def test_a_registry_that_never_answers_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT", 0.2)
    monkeypatch.setattr(module, "RETRIES", 0)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(RegistryError, match="does not answer"):
            Registry(f"127.0.0.1:{silent.getsockname()[1]}", insecure=True).find("lab/app", "latest")


def test_the_likeliest_versions_come_first() -> None:
    tags = ["7.4.2", "7.10.0", "7.4.2-alpine", "8.0.0", "latest", "7", "7.11.0-rc1", "2024.1"]
    assert likely("7", tags) == ["7.10.0", "7.4.2"]
    assert likely("latest-alpine", tags) == ["7.4.2-alpine"]
    assert likely("latest", tags)[0] == "2024.1"


def test_where_nothing_moves_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pod = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers: [{name: a, image: nginx:1.27.1}]\n"
    (tmp_path / "pod.yaml").write_text(pod)
    assert run(["images", "lock", str(tmp_path)]) == 0
    assert "nothing to write down" in capsys.readouterr().out
    assert not (tmp_path / "shoreup.lock").exists()
