"""Which proofs go into the repository, where a pipeline and a reviewer see them, and in which files.

One file for each thing proven, by the name of what it is about, so that a newer proof takes the place of the older one
in a diff.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b

from shoreup.ledger.reading import Row
from shoreup.ledger.wire import WrongProof, encode_export
from shoreup.model.proof import Proof, Verdict

ATTESTATION = ".shoreup/ledger.intoto.jsonl"
PUBLIC_KEY = ".shoreup/ledger.pub"
_UNPLAIN = re.compile(r"[^a-z0-9]+")


def deciding(rows: Sequence[Row], estate: str) -> dict[str, Row]:
    """The row that decides for each thing proven, by the name of its file: the newest that passed or failed.

    Where nothing was ever decided, it is the newest that could not be verified.
    """
    found: dict[str, tuple[Proof, Row]] = {}
    for row in rows:
        if row.estate != estate:
            continue
        try:
            proof = row.proof()
        except WrongProof:
            continue
        name = file_of(proof)
        known = found.get(name)
        if known is None or _rank(proof) >= _rank(known[0]):
            found[name] = (proof, row)
    return {name: row for name, (_, row) in sorted(found.items())}


def file_of(proof: Proof) -> str:
    """The file's name of a proof, the same for every proof of one drill about one thing."""
    about = proof.subject
    key = "\0".join((proof.drill, *about.key, about.root))
    plain = _UNPLAIN.sub("-", f"{proof.drill} {about}".lower()).strip("-")[:80]
    return f"{plain}-{blake2b(key.encode(), digest_size=4).hexdigest()}.json"


def exported(rows: Mapping[str, Row]) -> dict[str, bytes]:
    """The contents of the files, by name."""
    return {name: encode_export(row.estate, row.previous, row.content) for name, row in rows.items()}


def _rank(proof: Proof) -> tuple[bool, float]:
    return (proof.verdict is not Verdict.COULD_NOT_VERIFY, proof.taken.timestamp())
