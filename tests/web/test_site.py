"""The documentation as a site: it builds without a complaint, asks nobody for anything, and is readable on a phone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from browsing import DESK, PHONE, needs_browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TOP = Path(__file__).parents[2]
SHOWN = ("index.html", "concerns/pdb-missing.html", "commands/audit.html", "configuration.html")


class Quiet(SimpleHTTPRequestHandler):
    """Serves the site and says nothing of it."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # what the parent calls it
        """Nobody reads it."""


@pytest.fixture(scope="module")
def site() -> Path:
    """The site, built as ``make site`` builds it."""
    done = subprocess.run([sys.executable, TOP / "tools" / "site.py"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return TOP / "build" / "site"


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """Where it is served, on this machine alone."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_it_builds_and_every_page_is_there(site: Path) -> None:
    assert (site / "index.html").is_file()
    missing = [
        page.relative_to(TOP / "docs").as_posix()
        for page in (TOP / "docs").rglob("*.md")
        if not (site / page.relative_to(TOP / "docs")).with_suffix(".html").is_file()
        and not (page.name == "README.md" and (site / page.relative_to(TOP / "docs").parent / "index.html").is_file())
    ]
    assert missing == []


@needs_browser
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_it_asks_nobody_and_fits(browser: Browser, address: str, size: tuple[int, int]) -> None:
    shown = browser.new_page(viewport={"width": size[0], "height": size[1]})
    wrong: list[str] = []
    shown.on("request", lambda asked: None if asked.url.startswith(address) else wrong.append(asked.url))
    shown.on("pageerror", lambda error: wrong.append(str(error)))
    for name in SHOWN:
        shown.goto(f"{address}/{name}")
        shown.wait_for_selector("h1")
        assert shown.evaluate("document.documentElement.scrollWidth") <= size[0], name
    assert wrong == []
    shown.close()


@needs_browser
def test_it_is_searched_without_anybody_else(browser: Browser, address: str) -> None:
    shown = browser.new_page(viewport={"width": DESK[0], "height": DESK[1]})
    wrong: list[str] = []
    shown.on("request", lambda asked: None if asked.url.startswith((address, "blob:")) else wrong.append(asked.url))
    shown.goto(f"{address}/index.html")
    shown.keyboard.press("/")
    shown.keyboard.type("disruption")
    shown.get_by_text("pdb-missing").first.wait_for()
    assert wrong == []
    shown.close()
