"""The file that a document means: by its path, by the end of it, or by what the sentence says around it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from shoreup.stages.checking.corpus import Corpus
from shoreup.stages.checking.words import parts

_COMMON = frozenset(
    "app apps base config kubernetes k8s manifests modules overlays prod production resources src templates".split()
)
"""Folders that say nothing of what is in them."""
_GENERIC = frozenset(
    (
        "cluster config configmap cronjob deployment helm-release helmrelease ingress ks kustomization main namespace"
        " outputs pdb pvc rbac release secret service values variables versions"
    ).split()
)
"""Names of files that say no more than what kind of thing is in them."""


class Meant(Struct, frozen=True):
    """``paths`` are the files that are meant, all of them; ``likely`` those that it may be where none is so written.

    ``why`` says why no file is meant.
    """

    paths: tuple[str, ...] = ()
    likely: tuple[str, ...] = ()
    why: str = ""
    ambiguous: bool = False


def meant(tree: Corpus, written: str, sentence: str) -> Meant:
    """The files that ``written`` means in a sentence."""
    written = written.removeprefix("./")
    if written in tree:
        return Meant((written,))
    ends = [one for one in tree.files if one.endswith(f"/{written}") or written.endswith(f"/{one}")]
    if len(ends) == 1:
        return Meant((ends[0],))
    if ends:
        return _narrowed(ends, sentence)
    name = written.rpartition("/")[2]
    folder = written.rpartition("/")[0]
    same = [one for one in tree.files if one.rpartition("/")[2] == name]
    if len(same) > 1 or name.partition(".")[0] in _GENERIC:
        # Of a name that many have, only what is of the same thing may be the one that moved.
        about = next((one for one in reversed(folder.split("/")) if one and one.lower() not in _COMMON), "")
        same = [one for one in same if about and any(parts(about) <= parts(each) for each in one.split("/")[:-1])]
    beside = [one for one in tree.files if folder and one.rpartition("/")[0] == folder]
    likely = sorted(same, key=lambda one: -_alike(one, written))
    return Meant((), (*likely, *beside), f"there is no file {written}")


def _narrowed(ends: Sequence[str], sentence: str) -> Meant:
    """Of files of one name those whose folder the sentence names."""
    words = {one.strip("`*_.,:;()\"'").lower() for one in re.split(r"[\s,]+", sentence)}
    folders = {one: one.rpartition("/")[0] for one in ends}
    whole = [one for one, folder in folders.items() if folder and folder.lower() in words]
    named = whole or [one for one, folder in folders.items() if words & set(folder.lower().split("/")[-1:])]
    if named and (len(named) == 1 or "their" in words):
        return Meant(tuple(named))
    why = f"{len(ends)} files end so, among them {ends[0]} and {ends[1]}"
    return Meant(likely=tuple(ends), why=why, ambiguous=True)


def _alike(one: str, other: str) -> int:
    return len(parts(one) & parts(other))
