"""Which blocks of a long file belong together: by the name of what they make, else by what kind of thing it is.

Terraform reads the files of a folder as one, so that a block may stand in any of them, with its address unchanged.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePosixPath

from shoreup.facts.estate import CodeBlock, CodeFile
from shoreup.model.edit import Enclose, Move

_BY_KIND = {
    "variable": "variables", "output": "outputs", "provider": "providers", "terraform": "versions", "locals": "locals",
}  # fmt: skip
_NAMED = frozenset({"resource", "data", "ephemeral", "module"})
_SAY_NOTHING = frozenset({"this", "main", "default", "app", "all", "example"})
_FAMILIES = (
    ("workloads", "deployment stateful_set daemonset daemon_set cron_job _job _pod"),
    ("access", "service_account role binding policy"),
    ("network", "service ingress gateway route dns"),
    ("configuration", "config_map secret"),
    ("storage", "persistent storage volume bucket"),
    ("namespaces", "namespace"),
    ("releases", "helm_release"),
)
_CALL = 5
"""Lines of a module's call, with nothing handed over."""
SMALL = 40
"""Lines under which a subject gets no file of its own; what is small of its kind too stays where it is."""


class Inseparable(Exception):
    """Why a file is not split. The text is for the owner."""


def split(file: CodeFile, beside: Mapping[str, int], most: int) -> tuple[Move, ...]:
    """The moves after which no file has more than ``most`` lines. ``beside`` are the lines of files by path.

    Raises :class:`Inseparable`.
    """
    path = _splittable(file)
    groups = _groups(file.blocks, most)
    if len(groups) < 2:
        raise Inseparable("all that it holds is of one subject")
    homeless = [name for name in groups if str(path.with_name(f"{name}{path.suffix}")) not in beside] or [*groups]
    stays = path.stem if path.stem in groups else max(homeless, key=lambda name: _lines(groups[name]))
    moves: list[Move] = []
    left = {name for name, some in groups.items() if name not in _BY_KIND.values() and _lines(some) < SMALL}
    for name, blocks in groups.items():
        if name == stays or name in left:
            continue
        target = str(path.with_name(f"{name}{path.suffix}"))
        if beside.get(target, 0) + _lines(blocks) > most:
            raise Inseparable(f"{target} would be as long")
        moves += [Move(block.span, target) for block in blocks]
    if file.lines - sum(_lines(some) for name, some in groups.items() if name != stays and name not in left) > most:
        raise Inseparable(f"what is about {stays} alone has more than {most} lines")
    return tuple(sorted(moves, key=lambda move: move.span.start))


def into_modules(file: CodeFile, beside: Mapping[str, int], most: int) -> tuple[Enclose | Move, ...]:
    """A module for every subject that has a name, and the moves of what people look for elsewhere.

    Raises :class:`Inseparable`.
    """
    path = _splittable(file)
    groups = _groups(file.blocks, len(file.blocks) * most)
    called = {block.labels[0] for block in file.blocks if block.kind == "module" and block.labels}
    made: list[Enclose | Move] = []
    left = file.lines
    for name, blocks in groups.items():
        if name in _BY_KIND.values() and name != path.stem:
            target = str(path.with_name(f"{name}{path.suffix}"))
            made += [Move(block.span, target) for block in blocks]
        elif all(_word(block) == name for block in blocks) and any(block.kind == "resource" for block in blocks):
            made.append(_module(f"{name}_stack" if name in called else name, blocks, path, most))
            left += _CALL
        else:
            continue
        left -= _lines(blocks)
    if not any(isinstance(one, Enclose) for one in made):
        raise Inseparable(f"no subject of it has {SMALL} lines that a module could be made of")
    if left > most:
        raise Inseparable(f"what is of no subject alone has more than {most} lines")
    lines = {target: 0 for one in made if isinstance(one, Move) for target in (one.file,)}
    for name in lines:
        grown = beside.get(name, 0) + _lines(groups[PurePosixPath(name).stem])
        if grown > most:
            raise Inseparable(f"{name} would be as long")
    return tuple(made)


def _module(name: str, blocks: Sequence[CodeBlock], path: PurePosixPath, most: int) -> Enclose:
    folder = path.parent / "modules" / name
    files: dict[str, list[CodeBlock]] = defaultdict(list)
    for block in blocks:
        files["main" if _lines(blocks) <= most else _family(block)].append(block)
    long = next((one for one, some in files.items() if _lines(some) > most), None)
    if long is not None:
        raise Inseparable(f"{folder / long}.tf would be as long")
    homes = {block.span: f"{folder / one}{path.suffix}" for one, some in files.items() for block in some}
    moved = [block for block in blocks if block.kind in ("resource", "module")]
    addresses = [".".join(block.labels if block.kind == "resource" else ("module", *block.labels)) for block in moved]
    return Enclose(name, tuple(Move(block.span, homes[block.span]) for block in blocks), tuple(addresses))


def _splittable(file: CodeFile) -> PurePosixPath:
    path = PurePosixPath(file.path)
    if path.stem == "override" or path.stem.endswith("_override"):
        raise Inseparable("files of overrides are read in the order of their names")
    return path


def _groups(blocks: Sequence[CodeBlock], most: int) -> Mapping[str, Sequence[CodeBlock]]:
    by_name: dict[str, list[CodeBlock]] = defaultdict(list)
    for block in blocks:
        by_name[_subject(block)].append(block)
    conventional = frozenset(_BY_KIND.values())
    groups: dict[str, list[CodeBlock]] = defaultdict(list)
    for name, some in by_name.items():
        for block in some:
            small = name not in conventional and _lines(some) < SMALL
            groups[_family(block) if small else name].append(block)
    for name in [name for name, some in groups.items() if _lines(some) > most and name not in conventional]:
        for block in groups.pop(name):
            own = _subject(block)
            groups[own if own != name else f"{name}_{_family(block)}"].append(block)
    for some in groups.values():
        some.sort(key=lambda block: block.span.start)
    return groups


def _subject(block: CodeBlock) -> str:
    """The first word of a block's name, or its family where the name says nothing."""
    if block.kind not in _NAMED or not block.labels:
        return _by_kind(block)
    return _word(block) or _family(block)


def _word(block: CodeBlock) -> str:
    """What a block is about by its own name; empty where that says nothing."""
    if block.kind not in _NAMED or not block.labels:
        return ""
    word = re.split(r"[_-]", block.labels[-1].lower(), maxsplit=1)[0]
    return "" if word in _SAY_NOTHING or not word.isalnum() or word.isdigit() else word


def _by_kind(block: CodeBlock) -> str:
    return _BY_KIND.get(block.kind, "moves" if block.kind in ("moved", "import", "removed") else "checks")


def _family(block: CodeBlock) -> str:
    if block.kind == "module":
        return "modules"
    if block.kind not in _NAMED or not block.labels:
        return _by_kind(block)
    kind = block.labels[0].lower()
    found = next((name for name, words in _FAMILIES if any(word in kind for word in words.split())), "")
    return found or kind.partition("_")[0]


def _lines(blocks: Collection[CodeBlock]) -> int:
    """Lines of the blocks, one empty line behind each."""
    return sum(block.lines + 1 for block in blocks)
