"""Build the documentation as a site that needs no network, and fail on any link or anchor that leads nowhere.

    python tools/site.py [FOLDER]

The pages are written for a reader on a forge. A site has only them: what links to code becomes the name of the file,
and a folder that is linked to gets a page that lists it. FOLDER (build) gets the prepared pages and the site.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).parents[1]
LINK = re.compile(r"(?<!!)\[([^\]\n]+)\]\(([^)\s]+)\)")
FENCE = re.compile(r"^ *(`{3,})", re.MULTILINE)


def main() -> None:
    """Prepare and build."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else TOP / "build").resolve()
    prepare(folder / "pages")
    shutil.copy(TOP / "mkdocs.yml", folder)
    done = subprocess.run([sys.executable, "-m", "zensical", "build", "--strict", "--clean"], cwd=folder, check=False)
    raise SystemExit(done.returncode)


def prepare(pages: Path) -> None:
    """Copy the pages there, with the links that a site can follow."""
    shutil.rmtree(pages, ignore_errors=True)
    shutil.copytree(TOP / "docs", pages)
    for folder in [pages, *(one for one in pages.rglob("*") if one.is_dir())]:
        if not any((folder / name).exists() for name in ("README.md", "index.md")) and list(folder.glob("*.md")):
            (folder / "README.md").write_text(listed(folder), encoding="utf-8")
    for page in pages.rglob("*.md"):
        page.write_text(followable(page.read_text(encoding="utf-8"), page, pages), encoding="utf-8")


def listed(folder: Path) -> str:
    """A page that lists the pages of a folder by their titles."""
    rows = []
    for page in sorted(folder.glob("*.md")):
        title = page.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")
        rows.append(f"- [{title}]({page.name})\n")
    return f"# {folder.name.capitalize()}\n\n{''.join(rows)}"


def followable(text: str, page: Path, pages: Path) -> str:
    """The page with links to folders led to their lists, and links out of the documentation made plain words."""

    def led(link: re.Match[str]) -> str:
        words, target = link.groups()
        if "://" in target or target.startswith(("#", "mailto:")):
            return link.group()
        place, hash_, anchor = target.partition("#")
        found = (page.parent / place).resolve()
        if pages not in (found, *found.parents):
            return words
        if found.is_dir() and (found / "README.md").exists():
            return f"[{words}]({place.rstrip('/')}/README.md{hash_}{anchor})"
        return link.group()

    return "".join(piece if fenced else LINK.sub(led, piece) for piece, fenced in pieces(text))


def pieces(text: str) -> list[tuple[str, bool]]:
    """The text in pieces, each with whether it is inside of a code fence."""
    made: list[tuple[str, bool]] = []
    at, fence = 0, ""
    for mark in FENCE.finditer(text):
        if not fence:
            made.append((text[at : mark.start()], False))
            at, fence = mark.start(), mark.group(1)
        elif mark.group(1) == fence:
            end = text.find("\n", mark.end())
            made.append((text[at : end if end >= 0 else len(text)], True))
            at, fence = end if end >= 0 else len(text), ""
    return [*made, (text[at:], bool(fence))]


if __name__ == "__main__":
    main()
