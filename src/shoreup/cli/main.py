"""The front door: finds the command, and turns whatever ends it early into one sentence and an exit code.

0: nothing at or above ``--fail-on``; 1: findings; 2: an error, with what to do next; 3: nothing to audit.
"""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import NoReturn

import click

from shoreup import __version__
from shoreup.cli.output import complain
from shoreup.model.errors import NothingToAudit, UserError

FINDINGS = 1
ERROR = 2
NOTHING = 3
INTERRUPTED = 130

SECTIONS = {
    "Find": {
        "audit": "Say what would sink the platform in a repository.",
        "explain": "Say what a concern means, or why a finding is one.",
        "report": "Write everything as one page, with a picture of the wiring.",
        "graph": "Show what hangs on what, and what stops when one of them does.",
        "check": "Hold a written audit against the code, claim by claim.",
        "concerns": "List everything that can be found.",
    },
    "Fix": {
        "fix": "Cure findings in your own files; at first only shown.",
        "images": "Write down which versions run, so that fix can pin them.",
        "rbac": "Learn the least roles from what was really asked of the cluster.",
        "alerts": "Write alert rules for what fails quietly.",
    },
    "Prove": {
        "drill": "Prove on real engines that backups come back, and more.",
        "proofs": "List what was proven, and how recovery times and points go.",
        "ledger": "Verify the memory of what was proven, and export it.",
    },
    "Operate": {
        "backup": "Take backups, verify them, remove old ones, bring one back.",
        "upgrade": "Move a database to its next major version, rehearsed first.",
        "schedule": "Say what runs when, or write it as CronJobs.",
        "serve": "Run what is scheduled, when it is due.",
        "runs": "List what operations were run; show, resume or cancel one.",
        "worker": "Execute queued runs; any number of workers share a queue.",
    },
    "Set up": {
        "init": "Write first settings, a check for CI, or tests of the estate.",
        "completion": "Print the completion script for a shell.",
    },
}
"""Each command is the module of its name; what it does stands here too, so that the list loads none of them."""
COMMANDS = {name: said for section in SECTIONS.values() for name, said in section.items()}
BRIEF = frozenset({"audit", "explain"})
"""Commands that make a million objects, print what they conclude, and end."""


_NAME = max(map(len, COMMANDS))
_BEGIN = """\
\b
Begin in the folder of your repository:
  shoreup audit                what would sink it, the worst first
  shoreup explain FINGERPRINT  why a finding is one
  shoreup fix                  the diff of what code can mend
  shoreup report --open        all of it as a page
"""


class Commands(click.Group):
    """Commands that are imported when they are named, and listed in the order in which a person meets them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(_NAME), said) for name, said in commands.items()])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"shoreup.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(name, COMMANDS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(COMMANDS)}."
            raise UserError(f"No command {name!r}; {hint}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=Commands, epilog=_BEGIN, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def cli() -> None:
    """Find what would sink a self-hosted platform, from the Terraform and YAML that describe it; fix it in your own
    files; prove by drill that the fix holds.
    """


def main() -> NoReturn:
    """Run the command line of this process and exit.

    What an audit has built is left to the system: taking it apart object by object costs as much as a stage, and so
    does looking through it for garbage.
    """
    if not BRIEF.isdisjoint(sys.argv[1:2]):
        gc.disable()
    _open_streams()
    code = run(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _open_streams() -> None:
    """Give the process its three streams where the caller has closed them (``>&-``).

    Else the first file that is opened becomes standard output. What is closed stays unwritable, so that a report that
    cannot go there is an error and one that goes to a file is none.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY)  # the lowest number that is free, which is this one
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)


def run(arguments: list[str]) -> int:
    """Run one command line and give its exit code. Nothing but an interpreter's own end escapes."""
    try:
        code = cli.main(args=arguments or ["--help"], prog_name="shoreup", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except NothingToAudit as nothing:
        complain(nothing.message)
        return NOTHING
    except UserError as problem:
        complain(problem.message)
        return ERROR
    except click.exceptions.NoArgsIsHelpError as asked:
        click.echo(asked.ctx.get_help(), err=True)
        return ERROR
    except click.ClickException as problem:
        usage = problem.ctx.command_path if isinstance(problem, click.UsageError) and problem.ctx else "shoreup"
        complain(f"{_ended(problem.format_message())} See '{usage} --help'.")
        return ERROR
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except Exception as fault:  # the last resort: whoever audits a platform must not read our stack
        if os.environ.get("SHOREUP_TRACEBACK"):
            raise
        complain(
            f"This is a fault in Shoreup: {type(fault).__name__}: {fault}. "
            "Run again with SHOREUP_TRACEBACK=1 and report what it prints."
        )
        return ERROR


def _ended(text: str) -> str:
    """As a sentence, whatever Click ends it with."""
    return text if text.rstrip().endswith((".", "?", "!")) else f"{text.rstrip()}."
