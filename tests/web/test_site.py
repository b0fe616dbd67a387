"""The documentation as a site: it builds without a complaint, asks nobody for anything, and is readable on a phone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from browsing import CHROMIUM, DESK, PHONE

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TOP = Path(__file__).parents[2]
PATIENCE = 60_000
"""Milliseconds to wait for what is there at once on an idle machine."""
SHOWN = ("index.html", "concerns/pdb-missing.html", "commands/audit.html", "configuration.html")


class Quiet(SimpleHTTPRequestHandler):
    """Serves the site and says nothing of it."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # what the parent calls it
        """Nobody reads it."""


@contextmanager
def served(site: Path) -> Iterator[str]:
    """Where it is served, on this machine alone."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.timeout(300)  # seconds of work on an idle machine, and much more of it beside others
def test_it_builds_fits_every_screen_and_asks_nobody(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """One test, since building takes seconds."""
    tool = [sys.executable, str(TOP / "tools" / "site.py"), str(tmp_path)]
    done = subprocess.run(tool, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert missing(tmp_path / "site") == []
    if CHROMIUM is None:
        pytest.skip("its look is not tried: Debian's chromium is missing")
    browser: Browser = request.getfixturevalue("browser")
    with served(tmp_path / "site") as address:
        for size in (DESK, PHONE):
            assert asked(browser, address, size) == []


def missing(site: Path) -> list[str]:
    """Pages that the site has not."""
    pages = [page.relative_to(TOP / "docs") for page in (TOP / "docs").rglob("*.md")]
    made = [
        site / (page.parent / "index.html" if page.name == "README.md" else page.with_suffix(".html")) for page in pages
    ]
    return [file.relative_to(site).as_posix() for file in made if not file.is_file()]


def asked(browser: Browser, address: str, size: tuple[int, int]) -> list[str]:
    """Look at some pages and search in them; what is asked of others, and what goes wrong."""
    shown = browser.new_page(viewport={"width": size[0], "height": size[1]})
    shown.set_default_timeout(PATIENCE)
    wrong: list[str] = []
    shown.on("request", lambda asked: None if asked.url.startswith((address, "blob:")) else wrong.append(asked.url))
    shown.on("pageerror", lambda error: wrong.append(str(error)))
    for name in SHOWN:
        shown.goto(f"{address}/{name}")
        shown.wait_for_selector("h1")
        assert shown.evaluate("document.documentElement.scrollWidth") <= size[0], name
    shown.keyboard.press("/")
    shown.keyboard.type("disruption")
    shown.get_by_text("pdb-missing").first.wait_for()
    shown.close()
    return wrong
