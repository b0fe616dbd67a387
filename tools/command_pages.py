"""A page for each command: what it says of itself, as a table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from inspect import cleandoc

import click

from shoreup.cli.main import COMMANDS, cli

MORE = {
    "audit": ("[The first audit](../guides/first-audit.md)", "[settings, ignores, baselines](../configuration.md)"),
    "explain": ("[Every concern](../concerns/README.md)", "[reading the ranking](../guides/reading-the-ranking.md)"),
    "fix": ("[The first fix](../guides/first-fix.md)", "[its JSON](../json-contract.md)"),
    "drill": ("[The first restore drill](../guides/first-restore-drill.md)", "[every drill](../drills.md)"),
    "proofs": ("[The ledger](../ledger.md)",),
    "ledger": ("[The ledger](../ledger.md)",),
    "check": ("[Written audits](../check.md)",),
    "report": ("[The report](../report.md)",),
    "graph": ("[The wiring](../graph.md)",),
    "backup": ("[Backups of your own](../backups.md)",),
    "upgrade": ("[Upgrades](../upgrades.md)",),
    "runs": ("[Operations](../operations.md)",),
    "worker": ("[Operations](../operations.md)",),
    "schedule": ("[Operations](../operations.md)",),
    "serve": ("[Operations](../operations.md)",),
    "alerts": ("[Alert rules](../alerts.md)",),
    "images": ("[The first fix](../guides/first-fix.md)",),
    "rbac": ("[The first fix](../guides/first-fix.md#roles-from-what-was-used)",),
    "concerns": ("[Every concern](../concerns/README.md)",),
    "init": ("[Settings](../configuration.md)", "[in CI](../guides/in-ci.md)", "[tests](../estate-tests.md)"),
}
"""Where a page of its own tells more. A command without one is whole by what it says itself."""

KEPT = "\b"
"""What click begins a paragraph with that is not to be filled."""
OPTION = re.compile(r"(?<![\w-])(--[a-z][a-z-]+)")
QUOTED = re.compile(r"(?<!\w)'([^'\n]+)'(?!\w)")
TABLE = re.compile(r"(?<![\w/.])(\[[a-z][\w.]*(?:\.[A-Z]+)?\])")
UNDERSCORED = re.compile(r"(?<![\w/.])(\w*_\w[\w./]*\w)")


def command_pages() -> dict[str, str]:
    """Every page by its name in ``docs/commands``, the list of all among them."""
    rows = "".join(f"| [`shoreup {name}`]({name}.md) | {what} |\n" for name, what in COMMANDS.items())
    head = "# Commands\n\n`shoreup COMMAND --help` says the same on a terminal.\n\n| | |\n|---|---|\n"
    context = click.Context(cli, info_name="shoreup")
    pages = {"README.md": f"{head}{rows}"}
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        pages[f"{name}.md"] = "\n".join(page(command, name, context))
    return pages


def page(command: click.Command, name: str, above: click.Context) -> Iterator[str]:
    """A command with everything below it."""
    yield from part(command, name, above, 1)
    more = MORE.get(name, ())
    yield f"More: {', '.join(more)}. [All commands](README.md)\n" if more else "[All commands](README.md)\n"


def part(command: click.Command, name: str, above: click.Context, depth: int) -> Iterator[str]:
    """One command, then its own commands, a heading deeper each."""
    context = click.Context(command, info_name=name, parent=above)
    yield f"{'#' * min(depth, 4)} {context.command_path}\n"
    yield f"```text\n{context.command_path} {' '.join(command.collect_usage_pieces(context))}\n```\n"
    yield f"{words(command.help or '')}\n"
    rows = [row for one in command.params if isinstance(one, click.Option) for row in described(one, context)]
    if rows:
        yield f"| option | | default |\n|---|---|---|\n{''.join(rows)}"
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            assert found is not None
            yield from part(found, inner, context, depth + 1)


def described(option: click.Option, context: click.Context) -> Iterator[str]:
    """A row of the table."""
    if option.hidden:
        return
    value, choices = "", ""
    if isinstance(option.type, click.Choice):
        choices = f" ({', '.join(f'`{one}`' for one in option.type.choices)})"
    elif isinstance(option.type, click.DateTime):
        value = " YYYY-MM-DD"
    elif not option.is_flag and not option.count:
        value = f" {option.make_metavar(context)}"
    names = ", ".join(f"`{one}{value}`" for one in (*option.opts, *option.secondary_opts))
    extra = option.get_help_extra(context)
    default = "required" if extra.get("required") else extra.get("default", "").strip("()")
    what = (typeset(option.help or "") + choices).strip()
    yield f"| {cell(names)} | {cell(what)} | {cell(typeset(default))} |\n"


def words(text: str) -> str:
    """A help text in paragraphs; what it wants kept as it is stays so."""
    paragraphs = re.split(r"\n\s*\n", cleandoc(text))
    return "\n\n".join(
        f"```text\n{cleandoc(one.strip(KEPT)).strip()}\n```" if KEPT in one else typeset(" ".join(one.split()))
        for one in paragraphs
        if one.strip()
    )


def typeset(text: str) -> str:
    """Text in which what one types is set as code, and no sign is taken for Markdown."""
    made = text
    for typed in (OPTION, QUOTED, TABLE, UNDERSCORED):
        pieces = re.split(r"(`[^`]*`)", made)
        made = "".join(one if one.startswith("`") else typed.sub(r"`\1`", one) for one in pieces)
    pieces = re.split(r"(`[^`]*`)", made)
    return "".join(one if one.startswith("`") else re.sub(r"([*<>])", r"\\\1", one) for one in pieces)


def cell(text: str) -> str:
    """Text in a table: a bar would end the cell."""
    return text.replace("|", "\\|")
