"""A command that holds others: they are listed with all that their first sentence says."""

from __future__ import annotations

import click

_WHOLE = 1000
"""Characters of a first sentence; none is as long."""


class Listing(click.Group):
    """A group whose list of commands wraps where Click would cut."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        held = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, one.get_short_help_str(_WHOLE)) for name, one in held if one is not None and not one.hidden]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)
