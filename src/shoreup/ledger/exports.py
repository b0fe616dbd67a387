"""``.shoreup/proofs/*.json``: proofs that lie in the repository, so that a pipeline knows what was proven elsewhere.

They are read like everything else in a stranger's tree. A file says what it says and no more: it closes nothing but
what its own subject, inputs and dates cover, and anything wrong with it is an error and no proof.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from shoreup.formats.files import FileTree
from shoreup.ledger.wire import WrongProof, decode_export
from shoreup.model.proof import Proof

FOLDER = ".shoreup/proofs"
MAX_FILES = 5_000
_PLACE = re.compile(rf"{re.escape(FOLDER)}/[^/]+\.json")


def has_exports(tree: FileTree) -> bool:
    """Whether the estate brings proofs."""
    return any(_PLACE.fullmatch(path) for path in tree.files)


class Brought(Struct, frozen=True):
    """A proof that the estate brings: its file, and its hash in the ledger that it comes from."""

    path: str
    hash: str
    proof: Proof


def read_exports(tree: FileTree, estate: str) -> Iterator[Brought]:
    """The proofs that the estate brings. ``estate`` is its key, empty where a clone cannot be told from a copy.

    What was proven of another estate, from which this one was copied, is an error too.
    """
    files = [path for path in tree.files if _PLACE.fullmatch(path)]
    for path in files[MAX_FILES:][:1]:
        tree.error(path, 0, f"more than {MAX_FILES} files of proofs", "this one and those behind it")
    for path in files[:MAX_FILES]:
        content = tree.read(path)
        if content is None:
            continue
        try:
            said, proof = decode_export(content)
            if estate and said.estate != estate:
                raise WrongProof("it was taken of another estate")
            yield Brought(path, said.hash, proof)
        except WrongProof as problem:
            tree.error(path, 0, f"no proof: {problem}", "the proof, which counts for nothing")
