"""Objects that are shown and never made: as the files would say them, for a person to complete and paste."""

from __future__ import annotations

import re
from collections.abc import Mapping

from shoreup.formats.edits import CannotWrite
from shoreup.formats.yaml.writing import new_document
from shoreup.model.edit import NoRepair
from shoreup.model.value import Value, at
from shoreup.stages.fixing.realising import Realiser

_WITHOUT_DOCUMENTS = (".tf", ".tofu", ".json")


def sketched(left: NoRepair, realiser: Realiser) -> str:
    """What a person completes: the objects, file by file, and the text. What no file can say is said as a manifest."""
    files: dict[str, dict[str, None]] = {}
    for one in left.sketch:
        try:
            made = realiser.realise((one,))
        except CannotWrite:
            files.setdefault("", {})[new_document(dict(one.body)).strip()] = None
            continue
        for piece in made:
            written = _by_itself(piece.text.decode().strip().removeprefix("---").strip(), one.body)
            files.setdefault(piece.file, {}).update({written: None} if written else {})
    pieces: list[str] = []
    for file, texts in files.items():
        between = "\n\n" if file.endswith(_WITHOUT_DOCUMENTS) else "\n---\n"
        pieces += [(f"# {file}\n" if file else "") + between.join(texts)] if texts else []
    return "\n\n".join((*pieces, *([left.text] if left.text else [])))


def _by_itself(text: str, body: Mapping[str, Value]) -> str:
    """A block of Terraform as one of several: called after its object, and made once unless it says for what each."""
    if not text.startswith("resource ") or re.search(r"\b(?:each|count)\.", text):
        return text
    once = re.sub(r"^  (?:for_each|count) *=[^\n]*\n\n?", "", text, count=1, flags=re.MULTILINE)
    name = re.sub(r"\W", "_", str(at(dict(body), "metadata", "name")))
    return re.sub(r'^(resource "\w+") "[\w-]+"', rf'\1 "{name}"', once, count=1)
