"""Write the pages that are made of the program's own words: docs/concerns and docs/commands.

    python tools/pages.py

A test fails while one of them differs from what concerns, cases and commands say.
"""

from __future__ import annotations

import sys
from pathlib import Path

TOP = Path(__file__).parents[1]
sys.path[:0] = [str(TOP / "tests"), str(TOP / "tools")]

from command_pages import command_pages  # noqa: E402  # where it lies was said above
from concern_pages import concern_pages  # noqa: E402

DOCS = TOP / "docs"


def pages() -> dict[Path, str]:
    """Every page that is made, by its place."""
    return {
        **{DOCS / "concerns" / name: text for name, text in concern_pages().items()},
        **{DOCS / "commands" / name: text for name, text in command_pages().items()},
    }


def stale(made: dict[Path, str]) -> list[Path]:
    """Pages that lie there and are made no more."""
    lying = [file for folder in ("concerns", "commands") for file in (DOCS / folder).glob("*.md")]
    return sorted(file for file in lying if file not in made)


def main() -> None:
    """Write them, and remove what is made no more."""
    made = pages()
    for file, text in made.items():
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    for file in stale(made):
        file.unlink()


if __name__ == "__main__":
    main()
