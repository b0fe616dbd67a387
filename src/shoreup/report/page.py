"""A concern's page on a terminal."""

from __future__ import annotations

from io import StringIO

from shoreup.model.page import ConcernPage


def render(page: ConcernPage, *, width: int = 80, colour: bool = False) -> str:
    """The page in ``width`` columns."""
    from rich.console import Console
    from rich.markdown import Markdown

    facts = f"**{page.severity.value}** · {page.consequence_class.value} · {page.category.value} · {page.section.value}"
    target = StringIO()
    console = Console(
        file=target,
        width=max(40, min(width, 100)),
        force_terminal=colour,
        color_system="standard" if colour else None,
        legacy_windows=False,
    )
    console.print(Markdown(f"# {page.id}\n\n{page.title}\n\n{facts}\n\n{page.text}"))
    return "".join(f"{line.rstrip()}\n" for line in target.getvalue().splitlines())
