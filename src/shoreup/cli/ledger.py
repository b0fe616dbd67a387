"""``shoreup ledger``: whether the memory is whole, and what of it goes into the repository."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from shoreup.cli.listing import Listing

CHANGED = 4


@click.group("ledger", cls=Listing)
def command() -> None:
    """Verify the ledger that keeps the proofs, and export it into the repository."""


@command.command("verify")
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
@click.option(
    "--public-key",
    "public",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Check signatures with this key (PEM), instead of the one of this machine.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="text for people, json for programs.",
)
@click.option("--ledger", default="", metavar="URL", help="The ledger there.")
@click.option(
    "--config", type=click.Path(path_type=Path), metavar="FILE", help="Settings, instead of PATH/shoreup.toml."
)
@click.option("--no-color", is_flag=True, help="No colour, also where the terminal has it.")
def verify(
    paths: tuple[Path, ...], public: Path | None, form: str, ledger: str, config: Path | None, no_color: bool
) -> int:
    """Say whether a proof was changed, taken out or replaced since it was written.

    The chain of hashes is followed from the first proof to the last, and held against the proofs and the signed head
    that the repository carries. Exits with 0 when nothing was changed, with 4 when something was, with 2 where the
    ledger cannot be read.
    """
    from shoreup.cli.output import say, wants_colour, width_of
    from shoreup.report import held
    from shoreup.stages.ledger import verify_ledger

    done = verify_ledger(paths, config=config, ledger=ledger, public=public)
    found = done.verification
    told = held.Whole(
        ledger=done.ledger,
        whole=found.whole,
        proofs=found.proofs,
        head=found.head,
        covered=found.covered,
        breaks=[held.Broken(one.number, one.cause) for one in found.breaks],
        witnesses=[
            held.Witness(one.mark.place, one.mark.hash, one.mark.signed.value, one.number) for one in found.marks
        ],
        errors=[held.Unread(one.file, one.cause) for one in done.errors],
    )
    if form == "json":
        say(held.render_json(told))
    else:
        say(held.render(told, width=width_of(sys.stdout), colour=wants_colour(sys.stdout, no_color)))
    return 0 if found.whole else CHANGED


@command.command("export")
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
@click.option("--sign", "signed", is_flag=True, help="Attest the ledger's head and the files, signed (in-toto, DSSE).")
@click.option(
    "--key",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Sign with this ed25519 key (PEM). Without, one is made for you at the first time.",
)
@click.option("--ledger", default="", metavar="URL", help="The ledger there.")
@click.option(
    "--config", type=click.Path(path_type=Path), metavar="FILE", help="Settings, instead of PATH/shoreup.toml."
)
def export(paths: tuple[Path, ...], signed: bool, key: Path | None, ledger: str, config: Path | None) -> int:
    """Write the proofs that decide today into .shoreup/proofs, to be committed.

    One file for each thing proven; the audit reads them, so that a pipeline knows what was seen elsewhere. With --sign
    also .shoreup/ledger.intoto.jsonl, which attests those files and the ledger's head, and the public key. A ledger
    that was changed is not exported. Exits with 0, or with 2 where nothing was written.
    """
    from shoreup.cli.output import save_bytes, say
    from shoreup.model.errors import UserError
    from shoreup.stages.ledger import export_ledger

    done = export_ledger(paths, config=config, ledger=ledger, signed=signed, key=key)
    for path, content in done.files.items():
        place = done.root / path
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise UserError(f"{place.parent} cannot be made: {problem.strerror}.") from None
        save_bytes(content, place)
    lines = [f"{path}\n" for path in done.files]
    lines.append(
        f"The ledger {done.ledger} holds {done.proofs} proofs; its head is {done.head[:12]}. Commit the files.\n"
    )
    if done.made:
        lines.append(
            f"A key was made for it in {done.key}, which only you can read. Keep a copy of it in a safe place.\n"
        )
    say("".join(lines))
    return 0
