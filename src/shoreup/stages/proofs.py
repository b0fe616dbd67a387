"""What drills have proven, collected for an audit: from the estate's ledger and from the proofs that it brings.

Whether there is a ledger is told without opening one. Only where there is, a database library is imported, and only
when the account has to be made anew.
"""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from shoreup.formats.files import FileTree
from shoreup.ledger.exports import has_exports, read_exports
from shoreup.ledger.location import Location, cloned_key, locate
from shoreup.model.finding import ReadError
from shoreup.model.proof import Proof

CLOSED = (
    "a server that the audited tree names is asked only when you name its settings yourself (--config shoreup.toml)"
)
LEFT_OUT = "what was proven; it counts as unproven"


class Proven(Struct, frozen=True):
    """Every proof of an estate. ``configured`` says that the owner asked for a ledger.

    ``errors`` are those of the ledger; what is wrong with a file of the estate is among the tree's own.
    """

    proofs: tuple[Proof, ...] = ()
    errors: tuple[ReadError, ...] = ()
    configured: bool = False


def state(where: Location | None) -> str:
    """What an account depends on beside files: a text that changes with every proof."""
    if where is None:
        return ""
    if where.file is not None or where.closed:
        return f"{where.estate} {where.file or where.closed} {where.state()}"
    from shoreup.ledger.reading import head
    from shoreup.ledger.trouble import LedgerTrouble

    try:
        return f"{where.estate} {where.url} {head(where)}"
    except LedgerTrouble as trouble:
        return f"{where.estate} {where.url} {trouble}"


def find(root: Path, url: str, *, asked: bool = True) -> Location | None:
    """The ledger of the estate at ``root``, where there is one or ``url`` says where one is to be.

    ``asked`` says that the address is the user's own word. One that only stands in the audited tree may be a
    stranger's, so no server is called for it: that would tell them of the audit and offer them a password.
    """
    found = locate(root, url)
    return found if found is None or asked or found.file is not None else replace(found, closed=CLOSED)


def proven(tree: FileTree, where: Location | None) -> Proven:
    """Every proof of the estate. One that lies in the ledger and in the estate counts once, as the ledger has it."""
    kept, errors = _kept(where) if where else ((), ())
    brought = [one.proof for one in read_exports(tree, cloned_key(tree.root))] if has_exports(tree) else []
    by_id = {proof.id: proof for proof in (*brought, *kept)}
    return Proven(tuple(by_id.values()), errors, where is not None and where.configured)


def _kept(where: Location) -> tuple[tuple[Proof, ...], tuple[ReadError, ...]]:
    if where.closed:
        return (), (ReadError("", 0, f"the ledger {where.shown} was not opened: {where.closed}", LEFT_OUT),)
    from shoreup.ledger.reading import read_proofs
    from shoreup.ledger.trouble import LedgerTrouble

    try:
        kept = read_proofs(where)
    except LedgerTrouble as trouble:
        return (), (ReadError("", 0, f"the ledger {where.shown} cannot be read: {trouble}", LEFT_OUT),)
    if not kept.breaks:
        return kept.proofs, ()
    first = kept.breaks[0]
    more = f", and {len(kept.breaks) - 1} more like it" if len(kept.breaks) > 1 else ""
    cause = f"the chain of proofs in the ledger {where.shown} is broken at proof {first.number}{more}: {first.cause}"
    return kept.proofs, (ReadError("", 0, cause, "the proofs that are named; what was removed cannot be known"),)
