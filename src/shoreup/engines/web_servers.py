"""Web servers and proxies in a scratch folder: nginx, HAProxy and Caddy, each of which says yes to whatever is asked.

What the estate's own configuration would answer is another question; here it is how a probe meets a server that is not
there yet, one that works, and one that hangs. They listen on a socket in the folder and reach nobody.
"""

from __future__ import annotations

import secrets
import signal
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import Struct

from shoreup.engines.base import Server, wait_until_ready
from shoreup.engines.choosing import Choice
from shoreup.engines.jail import Jail
from shoreup.engines.scratch import Scratch
from shoreup.model.proof import Engine as EngineSeen

_LONGEST = 200 << 10
"""Bytes of an answer that are read at most."""


class _Manner(Struct, frozen=True):
    """How one of them is started: its configuration, and its arguments. ``{home}`` is its folder.

    ``stop`` is a signal that it heeds also as the first process of its container.
    """

    configuration: str
    arguments: tuple[str, ...]
    stop: signal.Signals = signal.SIGTERM


_MANNERS: Mapping[str, _Manner] = {
    "nginx": _Manner(
        """daemon off;
worker_processes 1;
pid {home}/pid;
error_log stderr;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path {home}/1; proxy_temp_path {home}/2; fastcgi_temp_path {home}/3;
  uwsgi_temp_path {home}/4; scgi_temp_path {home}/5;
  server { listen unix:{home}/s; location / { return 200 "ok"; } }
}
""",
        ("-e", "stderr", "-p", "{home}", "-c", "{home}/configuration"),
    ),
    "haproxy": _Manner(
        """global
  maxconn 64
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 10s
frontend web
  bind unix@{home}/s
  http-request return status 200 content-type text/plain string ok
""",
        ("-db", "-f", "{home}/configuration"),
        signal.SIGUSR1,
    ),
    "caddy": _Manner(
        """{
  admin off
  auto_https off
  storage file_system {home}
}
http:// {
  bind unix/{home}/s
  respond "ok" 200
}
""",
        ("run", "--adapter", "caddyfile", "--config", "{home}/configuration"),
    ),
}
WEB_SERVERS = frozenset(_MANNERS)
"""The products that can be started."""


class WebServer:
    """A web server that can be started."""

    def __init__(self, choice: Choice, scratch: Scratch) -> None:
        self.choice = choice
        self._jail = Jail(scratch, choice.installation.container)
        self._manner = _MANNERS[choice.installation.product]
        self._name = f"web-{secrets.token_hex(2)}"
        self.home = scratch.make(self._name)

    @property
    def socket(self) -> Path:
        """The socket that it listens on, once it runs."""
        return self.home / "s"

    @property
    def engine(self) -> EngineSeen:
        """What a proof says of it."""
        return self.choice.engine

    @contextmanager
    def start(self) -> Iterator[Server]:
        """Start it; it is stopped at the end of the ``with``. Raises :class:`EngineTrouble`."""
        scratch, installation, home = self._jail.scratch, self.choice.installation, str(self.home)
        scratch.write(f"{self._name}/configuration", self._manner.configuration.replace("{home}", home))
        program = installation.program(installation.product)
        log = scratch.folder / f"{self._name}.log"
        words = [one.replace("{home}", home) for one in self._manner.arguments]
        server = Server(self._jail, self._jail.spawn([program, *words], log), log)
        try:
            wait_until_ready(server, lambda: asked(self.socket, "/", 2.0) == 200, installation.product)
            yield server
        finally:
            server.stop(self._manner.stop)


def asked(listens: Path, path: str, seconds: float) -> int:
    """The status that a server on a socket answers a request for ``path`` with; 0 where none came in time."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knock, suppress(OSError, ValueError):
        knock.settimeout(seconds)
        knock.connect(str(listens))
        knock.sendall(f"GET {path or '/'} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        beginning = b""
        while b"\n" not in beginning and len(beginning) < _LONGEST:
            piece = knock.recv(4096)
            if not piece:
                return 0
            beginning += piece
        version, _, rest = beginning.partition(b" ")
        return int(rest[:3]) if version.startswith(b"HTTP/") else 0
    return 0
