"""The page in a real browser: it opens, it is readable by everyone, and nothing that an estate contains runs in it."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import pytest

from browsing import DESK, PHONE, needs_browser
from dossiers import HOSTILE, large, small
from shoreup.report.html import page, render

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HERE = Path(__file__).parent
AXE = HERE.parent / "environment" / "node_modules" / "axe-core" / "axe.min.js"
WEB = HERE.parents[1] / "web"
needs_axe = pytest.mark.skipif(not AXE.is_file(), reason="not run: axe-core is missing (tests/environment/prepare)")


def opened(browser: Browser, file: Path, size: tuple[int, int] = DESK, scheme: str = "light") -> tuple[Page, list[str]]:
    """The page, and everything that went wrong in it or left the file."""
    wrong: list[str] = []
    shown = browser.new_page(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)  # type: ignore[arg-type]  # a literal of its own
    shown.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
    shown.on("pageerror", lambda error: wrong.append(str(error)))
    shown.on("dialog", lambda dialog: wrong.append(f"dialog {dialog.message}"))
    shown.on("request", lambda asked: None if asked.url == file.as_uri() else wrong.append(asked.url))
    shown.goto(file.as_uri())
    shown.wait_for_selector("h2")
    return shown, wrong


def wait_until(shown: Page, expression: str) -> None:
    """Until it is true; what the browser has for this would ask the page to evaluate text, which its policy forbids."""
    end = monotonic() + 20
    while not shown.evaluate(expression):
        assert monotonic() < end, expression
        shown.wait_for_timeout(20)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page about a small estate whose every name would like to be more than a name."""
    target = tmp_path_factory.mktemp("page") / "report.html"
    target.write_text(render(small()), encoding="utf-8")
    return target


def test_the_page_is_built_from_the_sources_that_lie_here() -> None:
    digest = sha256()
    for source in sorted((WEB / "src").iterdir()):
        digest.update(source.read_bytes())
    digest.update((WEB / "package-lock.json").read_bytes())
    assert f'content="sources {digest.hexdigest()}"' in page(), "run make web"


def test_an_estate_cannot_end_the_element_that_holds_it() -> None:
    whole = render(small())
    assert HOSTILE not in whole
    assert whole.count("</script>") == page().count("</script>")


@needs_browser
def test_hostile_names_stay_names_and_nothing_leaves_the_file(browser: Browser, written: Path) -> None:
    shown, wrong = opened(browser, written)
    assert HOSTILE in shown.locator("#first").inner_text()
    shown.locator("#wiring").scroll_into_view_if_needed()
    shown.wait_for_selector("#wiring canvas")
    for summary in shown.locator("summary").all():
        summary.click()
    assert shown.evaluate("window.owned === undefined && document.querySelector('img, iframe, object') === null")
    assert wrong == []
    shown.close()


@needs_browser
@needs_axe
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_everyone_can_read_it(browser: Browser, written: Path, size: tuple[int, int], scheme: str) -> None:
    shown, _ = opened(browser, written, size, scheme)
    for summary in shown.locator("details.concern > summary, #open summary").all():
        summary.click()
    assert shown.evaluate("document.documentElement.scrollWidth") <= size[0]
    shown.evaluate(AXE.read_text(encoding="utf-8"))
    found = shown.evaluate("axe.run().then(one => one.violations.map(v => v.id + ' ' + v.nodes.map(n => n.target)))")
    assert found == []
    shown.close()


@needs_browser
def test_what_stops_is_found_by_keyboard_alone(browser: Browser, written: Path) -> None:
    shown, _ = opened(browser, written)
    shown.keyboard.press("Tab")
    assert shown.evaluate("document.activeElement.className") == "skip"
    shown.get_by_label("Find", exact=True).focus()
    shown.keyboard.type("postgres")
    shown.locator("#wiring .filters button.link").first.focus()
    shown.keyboard.press("Enter")
    assert "1 other stops" in shown.locator("#wiring aside").inner_text()
    shown.close()


@needs_browser
def test_filters_leave_what_was_asked_for(browser: Browser, written: Path) -> None:
    shown, _ = opened(browser, written)
    shown.get_by_label("Severity").select_option("critical")
    assert shown.locator("#findings [role=status]").inner_text() == "1 of 2"
    shown.locator("#findings input[type=search]").fill("nothing has this name")
    assert shown.locator("#findings [role=status]").inner_text() == "0 of 2"
    shown.close()


@needs_browser
def test_a_tile_a_sign_and_a_slash_lead_to_findings(browser: Browser, written: Path) -> None:
    shown, wrong = opened(browser, written)
    status = shown.locator("#findings [role=status]")
    shown.locator("header button.tile:not([disabled])").first.click()
    assert status.inner_text() == "1 of 2"
    shown.get_by_role("button", name="Clear filters").click()
    assert status.inner_text() == "2 of 2"
    shown.locator("#services .cell button").first.click()
    assert status.inner_text() == "1 of 2"
    assert "postgres" in shown.locator("#findings .only").inner_text()
    shown.locator("h1").click()
    shown.keyboard.press("/")
    assert shown.evaluate("document.activeElement.type") == "search"
    assert wrong == []
    shown.close()


@needs_browser
def test_paper_shows_every_finding_and_the_wiring(browser: Browser, written: Path) -> None:
    shown, wrong = opened(browser, written)
    assert shown.locator("#findings .concern li").count() == 2
    for summary in shown.locator("details.concern > summary").all():
        summary.click()
    assert shown.locator("#findings .concern li").count() == 0
    shown.evaluate("dispatchEvent(new Event('beforeprint'))")
    wait_until(shown, "document.querySelectorAll('#findings .concern li').length === 2")
    assert shown.evaluate("document.querySelector('img.paper').src.startsWith('data:image/png')")
    shown.evaluate("dispatchEvent(new Event('afterprint'))")
    wait_until(shown, "document.querySelectorAll('#findings .concern li, img').length === 0")
    assert wrong == []
    shown.close()


@needs_browser
def test_five_thousand_findings_open_quickly(browser: Browser, tmp_path: Path) -> None:
    target = tmp_path / "large.html"
    target.write_text(render(large(findings=5000, services=300)), encoding="utf-8")
    shown = browser.new_page(viewport={"width": DESK[0], "height": DESK[1]})
    session = shown.context.new_cdp_session(shown)
    # Seconds of the processor that the page's own thread uses: others on the machine do not lengthen them.
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    shown.goto(target.as_uri())
    assert shown.locator("#findings [role=status]").inner_text() == "5000 of 5000"
    metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    assert 0.01 < metrics["TaskDuration"] < 2, "it is half a second"
    shown.close()


@needs_browser
def test_a_large_estate_begins_with_what_matters_and_a_box_opens(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(render(large(findings=50, services=130)), encoding="utf-8")
    shown, wrong = opened(browser, file)
    shown.locator("#wiring").scroll_into_view_if_needed()
    shown.wait_for_selector("canvas", state="attached")
    nodes = "document.querySelector('.canvas')._cyreg?.cy?.nodes()"
    most = shown.evaluate(f"{nodes}.length")
    x, y = shown.evaluate(f"(({{x, y}}) => [x, y])({nodes}.filter('[box]')[0].renderedPosition())")
    shown.locator(".canvas").click(position={"x": x, "y": y})
    wait_until(shown, f"({nodes}?.length ?? 0) > {most}")
    shown.get_by_label("Show").select_option("namespaces")
    wait_until(shown, f"({nodes}?.length ?? {most}) < {most}")
    assert most < 60
    assert wrong == []
    shown.close()
