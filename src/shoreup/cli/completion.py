"""``shoreup completion``: what a shell needs to finish our words."""

from __future__ import annotations

import click


@click.command("completion", short_help="Print the completion script for a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script for SHELL.

    \b
    bash: eval "$(shoreup completion bash)"         in ~/.bashrc
    zsh:  eval "$(shoreup completion zsh)"          in ~/.zshrc
    fish: shoreup completion fish | source          in ~/.config/fish/config.fish
    """
    from click.shell_completion import get_completion_class

    from shoreup.cli.output import say

    kind = get_completion_class(shell)
    assert kind is not None
    say(kind(ctx.find_root().command, {}, "shoreup", "_SHOREUP_COMPLETE").source() + "\n")
