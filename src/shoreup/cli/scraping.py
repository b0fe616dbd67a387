"""What a Prometheus may ask of ``shoreup serve``: ``/metrics``, and nothing else.

The standard library's server is enough for one page that one program reads (Prometheus' own client for Python does the
same), and it is reached from this machine alone unless its owner says otherwise. The page is made when somebody asks
and it is a minute old, because to make it a repository, a ledger and stores are read.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_address
from socketserver import ThreadingTCPServer
from threading import Lock, Thread
from time import monotonic

from shoreup.model.errors import UserError
from shoreup.report.exposition import CONTENT_TYPE

PATH = "/metrics"
DEFAULT = "127.0.0.1:9817"
NOWHERE = "none"
_FRESH = 60.0
"""Seconds for which a page is given again as it is."""
_SLOW = 10.0
"""Seconds that somebody may take to say what he wants."""

Tell = Callable[[str], None]


class Page:
    """The page, made anew when it is asked for and old. Calls ``tell`` when it cannot be made, once for each reason."""

    def __init__(self, make: Callable[[], str], tell: Tell, fresh: float = _FRESH) -> None:
        self._make = make
        self._tell = tell
        self._fresh = fresh
        self._made = 0.0
        self._text: str | None = None
        self._why = ""
        self._making = Lock()

    def text(self) -> str | None:
        """The page, or ``None`` where it cannot be made now."""
        # Who asks while it is being made waits for that one.
        with self._making:
            if not self._made or monotonic() - self._made > self._fresh:
                self._text = self._anew()
                self._made = monotonic()
            return self._text

    def _anew(self) -> str | None:
        why, text = "", None
        try:
            text = self._make()
        except UserError as problem:
            why = problem.message
        except Exception as fault:
            why = f"a fault in Shoreup, {type(fault).__name__}"
        if why and why != self._why:
            self._tell(f"no metrics: {why}")
        self._why = why
        return text


class _Door(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, host: str, port: int, page: Page) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.page = page
        self.own = _is_own(host)
        super().__init__((host, port), _Answer)

    def handle_error(self, request: object, client_address: object) -> None:
        """Somebody went away in the middle of an answer, which is his affair."""


class _Answer(BaseHTTPRequestHandler):
    server_version = "shoreup"
    sys_version = ""
    timeout = _SLOW

    def do_GET(self) -> None:
        """Answer."""
        door = self.server
        assert isinstance(door, _Door)
        if door.own and not _is_own(_host_of(self.headers.get("Host", ""))):
            # A page in a browser on this machine that has had its own name lead here.
            self._say(HTTPStatus.FORBIDDEN, "only by an address of this machine")
        elif self.path.partition("?")[0] != PATH:
            self._say(HTTPStatus.NOT_FOUND, f"there is only {PATH}")
        elif (text := door.page.text()) is None:
            self._say(HTTPStatus.SERVICE_UNAVAILABLE, "it cannot be told now; the log of 'shoreup serve' says why")
        else:
            self._say(HTTPStatus.OK, text, CONTENT_TYPE)

    def _say(self, status: HTTPStatus, text: str, kind: str = "text/plain; charset=utf-8") -> None:
        body = text.encode() if text.endswith("\n") else f"{text}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (as the standard library calls it)
        """Who asks every minute is not worth a line."""


@contextmanager
def scraped(address: str, make: Callable[[], str], tell: Tell) -> Iterator[None]:
    """Answer at ``address`` (``HOST:PORT``, or ``none``) for as long as the block lasts. Raises :class:`UserError`."""
    if address == NOWHERE:
        yield
        return
    host, port = _parsed(address)
    try:
        door = _Door(host, port, Page(make, tell))
    except OSError as problem:
        raise UserError(
            f"Nobody can listen at {address} ({problem.strerror or problem}). Name another address with "
            f"--metrics HOST:PORT, or say --metrics {NOWHERE}."
        ) from None
    with door:
        Thread(target=door.serve_forever, name="metrics", daemon=True).start()
        shown = f"[{host}]" if ":" in host else host
        tell(f"metrics at http://{shown}:{door.server_address[1]}{PATH}")
        try:
            yield
        finally:
            door.shutdown()


def _parsed(address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535 or not host:
        raise UserError(f"--metrics {address!r} is no HOST:PORT, as in {DEFAULT}.")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _host_of(header: str) -> str:
    """The host of a Host header, which may have a port."""
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.partition(":")[0]


def _is_own(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
