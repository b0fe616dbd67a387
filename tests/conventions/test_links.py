"""Links between files as a forge follows them: each file is there, and each anchor is a heading. Nothing is fetched."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

TOP = Path(__file__).parents[2]
PAGES = sorted([*TOP.glob("*.md"), *(TOP / "docs").rglob("*.md"), *(TOP / "examples").rglob("*.md")])
LINK = re.compile(r"\[(?:[^\[\]\n]|\[[^\]\n]*\])*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^ *(`{3,})[^\n]*\n.*?^ *\1 *$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"(`+)(?!`).*?\1")
HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)


@cache
def prose(page: Path) -> str:
    """A page without its listings."""
    return FENCED.sub("", page.read_text(encoding="utf-8"))


@cache
def anchors(page: Path) -> frozenset[str]:
    """What a forge calls the headings of a page."""
    made: list[str] = []
    seen: Counter[str] = Counter()
    for heading in HEADING.findall(prose(page)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
        made.append(f"{name}-{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return frozenset(made)


def wrong(page: Path, target: str) -> str:
    """Why a link leads nowhere; empty where it leads somewhere."""
    place, _, anchor = target.partition("#")
    found = (page.parent / place).resolve() if place else page
    if not found.exists():
        return f"{place} is not there"
    if TOP not in found.parents:
        return f"{place} is not in the repository"
    if anchor and found.suffix == ".md" and anchor not in anchors(found):
        return f"{found.name} has no heading {anchor!r}"
    return ""


def test_every_link_leads_somewhere() -> None:
    assert len(PAGES) > 100
    lost = [
        f"{page.relative_to(TOP)}: {why}"
        for page in PAGES
        for target in LINK.findall(CODE.sub(lambda code: "`" * len(code.group()), prose(page)))
        if "://" not in target and not target.startswith("mailto:") and (why := wrong(page, target))
    ]
    assert lost == []


def test_a_link_that_leads_nowhere_is_seen(tmp_path: Path) -> None:
    guide = TOP / "docs" / "guides" / "first-fix.md"
    assert wrong(guide, "first-audit.md#3-audit") == ""
    assert wrong(guide, "first-audit.md#nothing")
    assert wrong(guide, "nothing.md")
    assert wrong(guide, str(tmp_path))
