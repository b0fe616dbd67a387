"""A concern's page on a terminal."""

from __future__ import annotations

from io import StringIO

from shoreup.model.page import ConcernPage


def render(page: ConcernPage, *, width: int = 80, colour: bool = False) -> str:
    """The page in ``width`` columns."""
    from rich.console import Console
    from rich.markdown import Markdown
    from rich.text import Text

    facts = (page.severity, page.consequence_class, page.category, page.section)
    target = StringIO()
    console = Console(
        file=target,
        width=max(40, min(width, 100)),
        force_terminal=colour,
        color_system="standard" if colour else None,
        legacy_windows=False,
    )
    console.print(Text(page.id, style="bold"))
    console.print(Text(page.title))
    console.print(Text(" · ".join(fact.value for fact in facts), style="dim"))
    console.print()
    console.print(Markdown(page.text))
    if page.sources:
        console.print(Text("\nSources", style="bold"))
    for source in page.sources:
        console.print(Text(f"{source.title}: {source.at}"), soft_wrap=True)
    return "".join(f"{line.rstrip()}\n" for line in target.getvalue().splitlines())
