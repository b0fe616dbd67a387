"""One kustomization built, in the order in which Kustomize does it (version 5.8).

Resources, then components (which work on what is gathered so far), then generators, then the changes: patches,
namespace, names, labels, annotations, operations, replicas, images, replacements. References follow changed
names at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.model.value import Value
from shoreup.sources.documents import DocumentTracer, objects
from shoreup.sources.kustomize.built import BuiltTracer
from shoreup.sources.kustomize.generators import Generator
from shoreup.sources.kustomize.kustomization import Kustomization, Kustomizations, folders_above, is_remote
from shoreup.sources.kustomize.patches import Patch, apply, inline
from shoreup.sources.kustomize.provenance import NOWHERE, Node, Object, Written, child
from shoreup.sources.kustomize.replacements import replace
from shoreup.sources.kustomize.transform import (
    affix,
    follow_names,
    set_annotations,
    set_images,
    set_labels,
    set_namespace,
    set_replicas,
)
from shoreup.sources.reading import Found

MAX_OBJECTS = 20_000
"""More objects from one kustomization are a bomb of includes."""

MAX_DEPTH = 40

_LISTS = (
    *("resources", "bases", "components", "configMapGenerator", "secretGenerator", "helmCharts", "patches", "labels"),
    *("patchesStrategicMerge", "patchesJson6902", "replicas", "images", "replacements"),
)
_NOT_FOLLOWED = {
    "transformers": "transformers of other kinds are not followed",
    "generators": "generators of other kinds are not followed",
    "vars": "vars are not followed",
    "helmChartInflationGenerator": "an old kind of chart",
}


class _Scope:
    """Objects while more are added, with what is there already."""

    __slots__ = ("_known", "objects")

    def __init__(self, objects: list[Object]) -> None:
        self.objects = objects
        self._known = {_identity(one) for one in objects}

    def has(self, made: Object) -> bool:
        """Whether an object with the same identity is there; what has no name is never the same."""
        return bool(made.name) and _identity(made) in self._known

    def add(self, made: Object) -> None:
        """Add an object at the end."""
        self.objects.append(made)
        self._known.add(_identity(made))


def _identity(item: Object) -> tuple[str, str, str, str]:
    return item.group, item.kind, item.namespace, item.name


class Build:
    """Builds kustomizations. What was built once for one folder is not built again for the next that includes it."""

    def __init__(self, found: Kustomizations) -> None:
        self.found = found
        self.documents = found.documents
        self.tree = found.tree
        self.charts: dict[str, list[Found]] = {}
        """The Helm charts that a kustomization inflates, by the root's folder."""
        self.used: set[str] = set()
        """The files that were built from."""
        self._built: dict[str, list[Object]] = {}
        self._stack: list[str] = []

    def root(self, kustomization: Kustomization) -> list[Object]:
        """The objects of a kustomization that is applied, with references resolved."""
        self._stack = [kustomization.folder]
        self.charts[kustomization.folder] = []
        made = self._run(kustomization, [])
        follow_names(made)
        return made

    def gathered(self, folder: str) -> Kustomization:
        """The kustomization that Flux would write for a folder without one."""
        names: list[Value] = []
        prefix = "" if folder == "." else f"{folder}/"
        roots: dict[str, None] = {}
        for path in self.tree.files:
            if path.startswith(prefix):
                above = [one for one in folders_above(path) if one.startswith(prefix) and one in self.found.paths]
                if above:
                    roots[above[-1]] = None
                elif path.endswith((".yaml", ".yml")):
                    names.append(path[len(prefix) :])
        names.extend(one[len(prefix) :] for one in roots)
        value: dict[str, Value] = {"kind": "Kustomization", "resources": names}
        return Kustomization(f"{prefix}kustomization.yaml", folder, value, NOWHERE)

    def _run(self, kustomization: Kustomization, scope: list[Object]) -> list[Object]:
        self.used.add(kustomization.path)
        gathered = kustomization.path not in self.tree
        own = _Scope(scope)
        for field in ("resources", "bases"):
            for index, item, node in kustomization.items(field):
                for made in self._resource(kustomization, item, node, quiet=gathered):
                    self._add(kustomization, own, made, (field, index))
        for _, item, node in kustomization.items("components"):
            component = self._included(kustomization, item, node)
            if component is not None:
                scope = self._nested(component, kustomization, node, scope)
        self._generate(kustomization, _Scope(scope))
        self._inflate(kustomization)
        for field in _LISTS:
            if not isinstance(kustomization.value.get(field, []), (list, type(None))):
                self.found.complain(kustomization, (field,), "no list", f"the {field}")
        for field, cause in _NOT_FOLLOWED.items():
            if kustomization.value.get(field):
                self.found.complain(kustomization, (field,), cause, f"the {field}")
        return self._change(kustomization, scope)

    def _add(self, kustomization: Kustomization, scope: _Scope, made: Object, route: Route) -> None:
        if scope.has(made):
            cause = f"{made.kind} {made.name} is there already"
            self.found.complain(kustomization, route, cause, "the second one")
        elif len(scope.objects) >= MAX_OBJECTS:
            self.found.complain(kustomization, route, f"more than {MAX_OBJECTS} objects", "the rest")
        else:
            scope.add(made)

    def _resource(self, kustomization: Kustomization, item: Value, node: Node, *, quiet: bool) -> list[Object]:
        if not isinstance(item, str):
            self.found.complain_at(node, kustomization.path, "a resource that is no path", "the resource")
            return []
        path = self.found.resolve(kustomization.folder, item)
        if path is not None and path in self.tree and path not in self.found.folders:
            return self._file(path)
        if path is not None and path in self.found.folders:
            included = self._included(kustomization, item, node)
            if included is None:
                return []
            if included.folder not in self._built or included.is_component:
                made = self._nested(included, kustomization, node, [])
                if included.folder in self._stack:
                    return made
                self._built[included.folder] = made
            return [one.copy() for one in self._built[included.folder]]
        if is_remote(item):
            self.found.complain_at(node, kustomization.path, "remote, not fetched", f"the resource {item[:200]}")
        elif not quiet:
            cause = "leads out of the estate" if path is None else "is not in the estate"
            self.found.complain_at(node, kustomization.path, f"{item[:200]} {cause}", "the resource")
        return []

    def _included(self, kustomization: Kustomization, item: Value, node: Node) -> Kustomization | None:
        path = self.found.resolve(kustomization.folder, item) if isinstance(item, str) else None
        if isinstance(item, str) and is_remote(item) and path not in self.found.folders:
            self.found.complain_at(node, kustomization.path, "remote, not fetched", f"the component {item[:200]}")
            return None
        included = None if path is None else self.found.get(path)
        if included is None:
            self.found.complain_at(node, kustomization.path, f"no kustomization in {str(item)[:200]}", "the folder")
        return included

    def _nested(self, included: Kustomization, by: Kustomization, node: Node, scope: list[Object]) -> list[Object]:
        """Run an included kustomization on what is gathered; where it may not run, that stays as it is."""
        if included.folder in self._stack:
            self.found.complain_at(node, by.path, f"{included.folder} includes itself", "the folder")
            return scope
        if len(self._stack) > MAX_DEPTH:
            self.found.complain_at(node, by.path, f"included more than {MAX_DEPTH} deep", "the folder")
            return scope
        self._stack.append(included.folder)
        try:
            return self._run(included, scope)
        finally:
            self._stack.pop()

    def _file(self, path: str) -> list[Object]:
        path = self.tree.real(path)
        self.used.add(path)
        made: list[Object] = []
        for index, document in enumerate(self.documents.of(path)):
            for prefix, body in objects(document.value):
                version = body.get("apiVersion")
                if isinstance(version, str) and not version.startswith("kustomize.config.k8s.io/"):
                    made.append(Object(body, Written(DocumentTracer(self.documents, path, index, prefix))))
        return made

    def _generate(self, kustomization: Kustomization, scope: _Scope) -> None:
        options = kustomization.mapping("generatorOptions")
        for field, kind in (("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")):
            for index, item, node in kustomization.items(field):
                if not isinstance(item, dict) or not isinstance(item.get("name"), str):
                    self.found.complain_at(node, kustomization.path, "a generator without a name", "the generator")
                    continue
                generator = Generator(
                    kind,
                    item,
                    node,
                    self.tree,
                    partial(self._data, kustomization),
                    partial(self._complain_below, kustomization, (field, index)),
                )
                made = generator.make()
                made.hashed = not (options.get("disableNameSuffixHash") is True or generator.keeps_its_name)
                where = kustomization.where("generatorOptions")
                for name in ("labels", "annotations"):
                    pairs = options.get(name)
                    for key, value in pairs.items() if isinstance(pairs, dict) else ():
                        if made.get("metadata", name, key) is None:
                            made.put(("metadata", name, key), value, child(child(where, name), key))
                self._place(kustomization, scope, made, generator.behavior, (field, index))

    def _place(
        self, kustomization: Kustomization, scope: _Scope, made: Object, behavior: str, route: tuple[str, int]
    ) -> None:
        same = [
            one
            for one in scope.objects
            if one.kind == made.kind and made.name in (one.name, *(n for n, _ in one.names))
        ]
        if behavior == "create" or len(same) != 1:
            self._add(kustomization, scope, made, route)
            return
        present = same[0]
        present.missing = made.missing or (present.missing if behavior == "merge" else "")
        for field in ("labels", "annotations"):
            pairs = made.get("metadata", field)
            for key, value in pairs.items() if isinstance(pairs, dict) else ():
                present.put(("metadata", field, key), value, made.where("metadata", field, key))
        for field in ("data", "stringData", "binaryData"):
            pairs = made.get(field)
            if behavior == "replace":
                present.remove((field,))
                if pairs is not None:
                    present.put((field,), pairs, made.where(field))
            else:
                for key, value in pairs.items() if isinstance(pairs, dict) else ():
                    present.put((field, key), value, made.where(field, key))

    def _complain_below(
        self, kustomization: Kustomization, base: Route, route: Route, cause: str, skipped: str
    ) -> None:
        self.found.complain(kustomization, (*base, *route), cause, skipped)

    def _data(self, kustomization: Kustomization, name: str) -> str | None:
        path = self.found.resolve(kustomization.folder, name)
        if path is None or path not in self.tree:
            return None
        self.used.add(path)
        return path

    def _inflate(self, kustomization: Kustomization) -> None:
        root = self._stack[0] if self._stack else kustomization.folder
        for _, item, node in kustomization.items("helmCharts"):
            if not isinstance(item, dict) or not isinstance(item.get("name"), str):
                continue
            given = item.get("namespace") or kustomization.value.get("namespace")
            namespace = given if isinstance(given, str) else None
            release = item.get("releaseName")
            name = release if isinstance(release, str) and release else str(item["name"])
            resource = Resource(
                api_version="kustomize",
                kind="HelmChart",
                namespace=namespace,
                name=name,
                body=item,
                address="/".join(part for part in ("kustomize/HelmChart", namespace, name) if part),
                root=root,
                source="kustomize",
            )
            self.charts[root].append(Found(resource, BuiltTracer(node, item)))

    def _change(self, kustomization: Kustomization, scope: list[Object]) -> list[Object]:
        for patch, complain in self._patches(kustomization, ("patchesStrategicMerge", "patches")):
            scope = apply(patch, scope, complain)
        namespace = kustomization.text("namespace")
        if namespace:
            set_namespace(scope, namespace, kustomization.where("namespace"))
        prefix, suffix = kustomization.text("namePrefix"), kustomization.text("nameSuffix")
        if prefix or suffix:
            affix(scope, prefix, suffix, kustomization.where("namePrefix"), kustomization.where("nameSuffix"))
        common = kustomization.mapping("commonLabels")
        if common:
            set_labels(scope, common, kustomization.where("commonLabels"), selectors=True, templates=True)
        for _, item, node in kustomization.items("labels"):
            pairs = item.get("pairs") if isinstance(item, dict) else None
            if isinstance(item, dict) and isinstance(pairs, dict):
                selectors, templates = item.get("includeSelectors") is True, item.get("includeTemplates") is True
                set_labels(scope, pairs, child(node, "pairs"), selectors=selectors, templates=templates)
        annotations = kustomization.mapping("commonAnnotations")
        if annotations:
            set_annotations(scope, annotations, kustomization.where("commonAnnotations"))
        for patch, complain in self._patches(kustomization, ("patchesJson6902",)):
            scope = apply(patch, scope, complain)
        self._counts_and_images(kustomization, scope)
        for index, item, node in kustomization.items("replacements"):
            self._replace(kustomization, scope, item, node, index)
        return scope

    def _counts_and_images(self, kustomization: Kustomization, scope: list[Object]) -> None:
        for _, item, node in kustomization.items("replicas"):
            if isinstance(item, dict) and isinstance(item.get("name"), str):
                set_replicas(scope, str(item["name"]), item.get("count"), child(node, "count"))
        for _, item, node in kustomization.items("images"):
            if isinstance(item, dict):
                set_images(scope, item, node)

    def _replace(self, kustomization: Kustomization, scope: list[Object], item: Value, node: Node, index: int) -> None:
        def complain(cause: str) -> None:
            self.found.complain(kustomization, ("replacements", index), cause, "the replacement")

        path = item.get("path") if isinstance(item, dict) else None
        if not isinstance(path, str):
            replace(scope, item, complain)
            return
        target = self._data(kustomization, path)
        if target is None:
            complain(f"{path} is not in the estate")
            return
        for document in self.documents.of(target):
            value = document.value
            for one in value if isinstance(value, list) else [value]:
                replace(scope, one, complain)

    def _patches(
        self, kustomization: Kustomization, fields: tuple[str, ...]
    ) -> Iterator[tuple[Patch, Callable[[str, str], None]]]:
        for field in fields:
            for _, item, node in kustomization.items(field):

                def complain(cause: str, skipped: str, at: Node = node) -> None:
                    self.found.complain_at(at, kustomization.path, cause, skipped)

                entry: dict[str, Value] = item if isinstance(item, dict) else {}
                target = entry.get("target")
                documents: tuple[tuple[Value, Node], ...] = ()
                if isinstance(item, str):
                    documents = self._patch_text(kustomization, item, node, complain)
                elif isinstance(entry.get("path"), str):
                    documents = self._patch_file(kustomization, str(entry["path"]), complain)
                elif isinstance(entry.get("patch"), str):
                    documents = inline(str(entry["patch"]), child(node, "patch"), complain)
                else:
                    complain("a patch without path or text", "the patch")
                yield Patch(documents, target if isinstance(target, dict) else None), complain

    def _patch_text(
        self, kustomization: Kustomization, text: str, node: Node, complain: Callable[[str, str], None]
    ) -> tuple[tuple[Value, Node], ...]:
        if "\n" in text or ": " in text:
            return inline(text, node, complain)
        return self._patch_file(kustomization, text, complain)

    def _patch_file(
        self, kustomization: Kustomization, name: str, complain: Callable[[str, str], None]
    ) -> tuple[tuple[Value, Node], ...]:
        path = self._data(kustomization, name)
        if path is None:
            complain(f"{name[:200]} is not in the estate", "the patch")
            return ()
        return tuple(
            (document.value, Written(DocumentTracer(self.documents, path, index)))
            for index, document in enumerate(self.documents.of(path))
        )
