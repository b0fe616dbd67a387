"""A new object beside one that is there: in the same file where that holds several, else in a file of its own.

A file of its own is called as the folder calls its files, and is listed where the file beside it is listed.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Mapping

from msgspec import Struct

from shoreup.formats.edits import CannotWrite, Replacement
from shoreup.formats.files import FileTree, Reader
from shoreup.formats.sourcemap import whole
from shoreup.formats.yaml.changes import Change
from shoreup.formats.yaml.inside import written_inside
from shoreup.formats.yaml.stream import load, load_json
from shoreup.formats.yaml.writing import Page, appended_document, new_document
from shoreup.model.location import Route, Span
from shoreup.model.origin import Origin
from shoreup.model.value import Value, at

BOM = b"\xef\xbb\xbf"
KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_SUFFIXES = (".yaml", ".yml", ".json")
_MOST_SIBLINGS = 200
_KIND = re.compile(r"^kind:[ \t]*[\"']?([A-Za-z]+)", re.MULTILINE)
_NAME = re.compile(
    r"^metadata:[ \t]*\r?\n(?:[ \t]+.*\n)*?[ \t]+name:[ \t]*(?:&\S+[ \t]+)?[\"']?([\w.-]+)", re.MULTILINE
)


class Home(Struct, frozen=True):
    """Where a resource stands: the file, the document in it (0-based), and the way inside that."""

    path: str
    index: int
    prefix: Route


def added(tree: FileTree, beside: Home, body: Mapping[str, Value], read: Reader) -> tuple[Replacement, ...]:
    """Write ``body`` beside a resource. Raises :class:`CannotWrite`."""
    path = beside.path
    text = _text(tree, path)
    is_json = path.endswith(".json")
    new = dict(body)
    if beside.prefix:
        page = Page(text, beside.index, is_json=is_json)
        return _inside(tree, path, page.append(beside.prefix[:-1], new), read)
    stream = load_json(text) if is_json else load(text)
    if stream.problems:
        raise CannotWrite(f"{path} is not read without problems")
    if len(stream.documents) > 1:
        return _inside(tree, path, (appended_document(text, new),), read)
    name = _new_name(tree, path, new)
    manner = Page(text, is_json=is_json).manner
    made = new_document(new, manner, marked=text.startswith("---"))
    listing = _listed(tree, path, name, read)
    return (Replacement(name, 0, 0, made.encode()), *listing)


def _inside(tree: FileTree, path: str, changes: tuple[Change, ...], read: Reader) -> tuple[Replacement, ...]:
    text = _text(tree, path)
    content = tree.read(path) or b""
    offset = len(BOM) if content.startswith(BOM) else 0
    span = Span(path, offset, len(content))
    return written_inside(changes, Origin(span, span, (), whole(path, text, offset)), text, read)


def _text(tree: FileTree, path: str) -> str:
    text = tree.text(path)
    if text is None:
        raise CannotWrite(f"{path} cannot be read")
    return text


# Names


class _Sibling(Struct, frozen=True):
    stem: str
    suffix: str
    kind: str
    name: str


def _new_name(tree: FileTree, path: str, body: Mapping[str, Value]) -> str:
    """A path for a new object, as the folder of ``path`` names its files."""
    folder, _, own = path.rpartition("/")
    siblings = [_sibling(tree, one) for one in _files(tree, folder)]
    known = [one for one in siblings if one is not None]
    stem, suffix = posixpath.splitext(own)
    kind = str(body.get("kind", "object"))
    name = str(at(dict(body), "metadata", "name") or stem)
    manners = Counter(manner for one in known for manner in _manners(one))
    beside = _sibling(tree, path)
    own_kind = "" if beside is None else beside.kind
    hyphens = any(one.stem == _hyphened(one.kind) and one.kind.lower() != _hyphened(one.kind) for one in known)
    word = _hyphened(kind) if hyphens else kind.lower()
    written = {
        "kind": word,
        "name-kind": f"{name}-{word}",
        "kind-name": f"{word}-{name}",
        "name.kind": f"{name}.{word}",
    }
    manner = max(written, key=lambda one: manners[one])
    stems = [written[manner]] if manners[manner] else []
    same = sum(one.kind == own_kind for one in known)
    if manner == "kind" and same > 1:
        manner, stems = "name-kind", [written["name-kind"]]  # a name of its kind alone would not say whose it is
    elif not manners[manner]:
        stems = [f"{stem}-{word}"]
    stems += [f"{stem}-{word}", f"{name}-{word}"]
    taken = {one.rpartition("/")[2] for one in tree.files if one.rpartition("/")[0] == folder}
    for candidate in stems:
        full = f"{re.sub(r'[^A-Za-z0-9._-]', '-', candidate)}{suffix}"
        if full not in taken:
            return f"{folder}/{full}" if folder else full
    raise CannotWrite(f"{folder or 'the estate'} has files by every name that fits the new {kind}")


def _files(tree: FileTree, folder: str) -> list[str]:
    found = [one for one in tree.files if one.rpartition("/")[0] == folder and one.endswith(_SUFFIXES)]
    return [one for one in found if one.rpartition("/")[2] not in KUSTOMIZATIONS][:_MOST_SIBLINGS]


def _sibling(tree: FileTree, path: str) -> _Sibling | None:
    text = tree.text(path)
    if text is None or "kind" not in text:
        return None
    kind = re.search(r"^kind:[ \t]*[\"']?([A-Za-z]+)", text, re.MULTILINE)
    name = re.search(
        r"^metadata:[ \t]*\n(?:[ \t]+.*\n)*?[ \t]+name:[ \t]*(?:&\S+[ \t]+)?[\"']?([\w.-]+)", text, re.MULTILINE
    )
    if kind is None or name is None:
        return None
    stem, suffix = posixpath.splitext(path.rpartition("/")[2])
    return _Sibling(stem, suffix, kind[1], name[1])


def _manners(one: _Sibling) -> list[str]:
    words = {one.kind.lower(), _hyphened(one.kind)}
    found = ["kind"] if one.stem in words else []
    for word in words:
        for manner, text in _spellings(one.name, word).items():
            if one.stem == text and manner not in found:
                found.append(manner)
    return found


def _spellings(name: str, word: str) -> dict[str, str]:
    return {"name-kind": f"{name}-{word}", "kind-name": f"{word}-{name}", "name.kind": f"{name}.{word}"}


def _hyphened(kind: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", kind).lower()


# Listings


def _listed(tree: FileTree, path: str, new: str, read: Reader) -> tuple[Replacement, ...]:
    """List a new file wherever the one beside it is listed."""
    made: list[Replacement] = []
    here, listed = "", False
    folder = posixpath.dirname(path)
    while True:
        for name in KUSTOMIZATIONS:
            full = posixpath.join(folder, name)
            if full in tree:
                found = _listing(tree, full, path, new, read)
                here = here or (full if folder == posixpath.dirname(path) else "")
                listed = listed or found is not None
                made += found or ()
        if not folder:
            break
        folder = posixpath.dirname(folder)
    if here and not listed:
        raise CannotWrite(f"{here} does not list {path} among its resources, so a new file beside it is not applied")
    return tuple(made)


def _listing(tree: FileTree, listing: str, path: str, new: str, read: Reader) -> tuple[Replacement, ...] | None:
    folder = posixpath.dirname(listing)
    text = _text(tree, listing)
    for index, document in enumerate(load(text, words=False).documents):
        items = at(document.value, "resources")
        if not isinstance(items, list):
            continue
        names = [item if isinstance(item, str) else "" for item in items]
        here = [number for number, name in enumerate(names) if posixpath.normpath(posixpath.join(folder, name)) == path]
        if not here:
            continue
        relative = posixpath.relpath(new, folder or ".")
        name = f"./{relative}" if names[here[0]].startswith("./") else relative
        if name in names:
            return ()
        place = len(names)
        if len(names) > 1 and names == sorted(names):
            place = next((number for number, one in enumerate(names) if one > name), len(names))
        page = Page(text, index, words=False)
        return _inside(tree, listing, page.insert(("resources", place), name), read)
    return None
