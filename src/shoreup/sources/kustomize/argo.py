"""Argo CD ``Application`` objects that apply a folder of the estate: a kustomization, or manifests as they lie.

Charts are releases and read elsewhere. Argo changes a kustomization as ``kustomize edit`` would, and puts what names no
namespace into the destination's. Of sets of Applications, those count that are made for folders of a repository.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from msgspec import Struct

from shoreup.model.location import Route
from shoreup.model.value import Value, at, pattern
from shoreup.sources.kustomize.build import Build
from shoreup.sources.kustomize.kustomization import Kustomization
from shoreup.sources.kustomize.provenance import NOWHERE, Changed, Composed, Node, Object, Piece, child
from shoreup.sources.kustomize.transform import CLUSTER_KINDS, set_annotations

GROUP = "argoproj.io/"
_NO_FOLDER = ("chart", "helm", "plugin")
_WHOLE = re.compile(r"\{\{\s*\.?path(?:\.path)?\s*\}\}")
_BASENAME = re.compile(r"\{\{\s*\.?path\.basename\s*\}\}")
_IMAGE = re.compile(r"(?:(?P<old>[^=]+)=)?(?P<name>[^@]*?)(?::(?P<tag>[\w][\w.-]*))?(?:@(?P<digest>[\w.+-]+:\w+))?")


class Applied(Struct, frozen=True, eq=False):
    """One folder that an Application applies. ``route`` leads to the source in it, ``path`` to the file it is in."""

    path: str
    item: Object
    route: Route
    folder: str
    namespace: str

    @property
    def repository(self) -> str:
        """The address of the repository that holds the folder, without what spells the same one differently."""
        return pattern(self.item.get(*self.route, "repoURL")).lower().removesuffix("/").removesuffix(".git")

    @property
    def identity(self) -> tuple[str, str, str]:
        """What makes two of them the same."""
        return self.item.namespace, self.item.name, self.folder


def is_argo(item: Object) -> bool:
    """Whether an object is an Application of Argo CD, or a set of them."""
    return item.kind in ("Application", "ApplicationSet") and item.api_version.startswith(GROUP)


def applied(path: str, item: Object, build: Build) -> Iterator[Applied]:
    """The folders of the estate that an Application applies, charts aside."""
    base: Route = ("spec",) if item.kind == "Application" else ("spec", "template", "spec")
    several = item.get(*base, "sources")
    routes: list[Route] = (
        [(*base, "sources", index) for index in range(len(several))] if isinstance(several, list) else []
    )
    for route in routes or [(*base, "source")]:
        source = item.get(*route)
        if not isinstance(source, dict) or any(source.get(key) for key in _NO_FOLDER):
            continue
        for folder in _folders(item, at(source, "path"), build):
            if posixpath.normpath(f"{folder}/Chart.yaml") not in build.tree:
                yield Applied(
                    path, item, route, folder, _namespace(item.get(*base, "destination", "namespace"), folder)
                )


def _folders(item: Object, named: Value, build: Build) -> Iterator[str]:
    """The folder that a source names; of a set that is made for folders, each of them."""
    if not isinstance(named, str):
        return
    if _WHOLE.fullmatch(named):
        yield from _listed_folders(item, build)
        return
    folder = posixpath.normpath(named.lstrip("/") or ".")
    if folder in build.found.folders and "{{" not in folder:
        yield folder


def _listed_folders(item: Object, build: Build) -> Iterator[str]:
    generators = item.get("spec", "generators")
    listed = at(generators[0], "git", "directories") if isinstance(generators, list) and len(generators) == 1 else None
    wanted: list[str] = []
    unwanted: list[str] = []
    for one in listed if isinstance(listed, list) else ():
        glob = at(one, "path")
        if isinstance(glob, str):
            (unwanted if at(one, "exclude") is True else wanted).append(glob.strip("/"))
    for folder in sorted(build.found.folders):
        if folder != "." and _matches(folder, wanted) and not _matches(folder, unwanted):
            yield folder


def _matches(folder: str, globs: Iterable[str]) -> bool:
    """Whether a path matches, step by step."""
    steps = folder.split("/")
    return any(len(steps) == len(parts := glob.split("/")) and all(map(fnmatchcase, steps, parts)) for glob in globs)


def _namespace(named: Value, folder: str) -> str:
    """The destination's namespace, empty where it is not decided."""
    text = _BASENAME.sub(folder.rpartition("/")[2], named) if isinstance(named, str) else ""
    return "" if "{{" in text else text


def apply(build: Build, one: Applied) -> list[Object]:
    """The objects that Argo makes of a folder."""
    kustomization = build.found.get(one.folder)
    if kustomization is None:
        made = build.root(_lying(build, one))
    else:
        made = build.root(_edited(kustomization, one))
        annotations = one.item.get(*one.route, "kustomize", "commonAnnotations")
        if isinstance(annotations, dict):
            set_annotations(made, annotations, one.item.where(*one.route, "kustomize", "commonAnnotations"))
    if one.namespace:
        base = one.route[: one.route.index("source" if "source" in one.route else "sources")]
        where = one.item.where(*base, "destination", "namespace")
        written = one.item.get(*base, "destination", "namespace") == one.namespace
        _settle(made, one.namespace, where if written else Composed(where, (Piece(text=one.namespace),), where))
    return made


def _settle(made: Iterable[Object], namespace: str, node: Node) -> None:
    for item in made:
        of_cluster = item.kind in CLUSTER_KINDS or (item.kind.startswith("Cluster") and item.kind != "Cluster")
        if not of_cluster and "namespace" not in item.metadata:
            item.remember()
            item.put(("metadata", "namespace"), namespace, node)


def _lying(build: Build, one: Applied) -> Kustomization:
    """The manifests of a folder without a kustomization: those directly in it, or, if so asked, all below it."""
    directory = one.item.get(*one.route, "directory")
    deep = at(directory, "recurse") is True
    included, excluded = _globs(at(directory, "include")), _globs(at(directory, "exclude"))
    prefix = "" if one.folder == "." else f"{one.folder}/"
    names: list[Value] = []
    for path in build.tree.files:
        name = path[len(prefix) :]
        if not path.startswith(prefix) or not name.endswith((".yaml", ".yml", ".json")) or ("/" in name and not deep):
            continue
        if (included and not _fits(name, included)) or _fits(name, excluded):
            continue
        names.append(name)
    return Kustomization(f"{prefix}kustomization.yaml", one.folder, {"resources": names}, NOWHERE)


def _globs(value: Value) -> list[str]:
    text = value if isinstance(value, str) else ""
    inner = text.removeprefix("{").removesuffix("}") if text.startswith("{") and text.endswith("}") else None
    return [part.strip() for part in (inner.split(",") if inner is not None else [text]) if part.strip()]


def _fits(name: str, globs: Iterable[str]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)


def _edited(kustomization: Kustomization, one: Applied) -> Kustomization:
    """The kustomization after the edits that the Application asks for."""
    asked = one.item.get(*one.route, "kustomize")
    if not isinstance(asked, dict):
        return kustomization
    where = one.item.where(*one.route, "kustomize")
    result = kustomization
    for field in ("namePrefix", "nameSuffix", "namespace"):
        value = asked.get(field)
        if isinstance(value, str) and value:
            result = result.with_field(field, value, child(where, field))
    for field in ("patches", "components", "replicas"):
        values = asked.get(field)
        if isinstance(values, list):
            result = result.with_more(field, values, [child(child(where, field), n) for n in range(len(values))])
    images = asked.get("images")
    for index, text in enumerate(images if isinstance(images, list) else ()):
        result = _with_image(result, text, child(child(where, "images"), index))
    labels = asked.get("commonLabels")
    if isinstance(labels, dict):
        entry: dict[str, Value] = {"pairs": labels, "includeSelectors": asked.get("labelWithoutSelector") is not True}
        entry["includeTemplates"] = asked.get("labelIncludeTemplates") is True
        result = result.with_more("labels", [entry], [Changed(where, {"pairs": child(where, "commonLabels")})])
    return result


def _with_image(kustomization: Kustomization, text: Value, node: Node) -> Kustomization:
    """``name:tag``, ``name@digest`` or ``old=name:tag``, in place of what the kustomization says of that image."""
    found = _IMAGE.fullmatch(text) if isinstance(text, str) else None
    if found is None or not found["name"]:
        return kustomization
    old = found["old"] or found["name"]
    entry: dict[str, Value] = {"name": old}
    nodes: dict[str, Node] = {}
    for key, group in (("newName", "name"), ("newTag", "tag"), ("digest", "digest")):
        if found[group] and (group != "name" or found["old"]):
            entry[key] = found[group]
            nodes[key] = Composed(node, (Piece(node, *found.span(group), found[group]),), node)
    kept = [(item, where) for _, item, where in kustomization.items("images") if at(item, "name") != old]
    emptied = kustomization.with_field("images", [], kustomization.where("images"))
    return emptied.with_more(
        "images", [*(item for item, _ in kept), entry], [*(one for _, one in kept), Changed(node, nodes)]
    )
