"""What drills have proven, collected for an audit: from the estate's ledger and from the proofs that it brings.

Whether there is a ledger is told without opening one. Only where there is, a database library is imported, and only
when the account has to be made anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from shoreup.formats.files import FileTree
from shoreup.ledger.exports import has_exports, read_exports
from shoreup.ledger.location import Location, cloned_key, locate
from shoreup.model.finding import ReadError
from shoreup.model.proof import Proof

LEFT_OUT = "what was proven; it counts as unproven"


@dataclass(frozen=True, slots=True)
class Proven:
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
    if where.file is not None:
        return f"{where.estate} {where.file} {where.state()}"
    from shoreup.ledger.reading import LedgerTrouble, head

    try:
        return f"{where.estate} {where.url} {head(where)}"
    except LedgerTrouble as trouble:
        return f"{where.estate} {where.url} {trouble}"


def find(root: Path, url: str) -> Location | None:
    """The ledger of the estate at ``root``, where there is one or ``url`` says where one is to be."""
    return locate(root, url)


def proven(tree: FileTree, where: Location | None) -> Proven:
    """Every proof of the estate. One that lies in the ledger and in the estate counts once, as the ledger has it."""
    kept, errors = _kept(where) if where else ((), ())
    brought = tuple(read_exports(tree, cloned_key(tree.root))) if has_exports(tree) else ()
    by_id = {proof.id: proof for proof in (*brought, *kept)}
    return Proven(tuple(by_id.values()), errors, where is not None and where.configured)


def _kept(where: Location) -> tuple[tuple[Proof, ...], tuple[ReadError, ...]]:
    from shoreup.ledger.reading import LedgerTrouble, read_proofs

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
