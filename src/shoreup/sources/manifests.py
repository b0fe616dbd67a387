"""Plain Kubernetes manifests: every document that says what it is.

What a chart's templates or a kustomization hold is theirs; what is left is applied as it stands, each folder as one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from shoreup.formats.files import FileTree
from shoreup.model.location import locate
from shoreup.model.resource import Resource
from shoreup.model.value import PartialText, Unknown, Value, pattern
from shoreup.sources.aside import SUFFIXES, set_aside
from shoreup.sources.documents import Documents, DocumentTracer, objects
from shoreup.sources.reading import Found

CONFIGURATION_GROUPS = (
    "kustomize.config.k8s.io/",
    "kind.x-k8s.io/",
    "k3d.io/",
    "skaffold/",
    "kubeadm.k8s.io/",
    "kubelet.config.k8s.io/",
    "apiserver.config.k8s.io/",
    "audit.k8s.io/",
)
"""Groups of files that programs read from disk: no cluster ever stores such an object."""


_BLANK = re.compile(r"__[A-Za-z]+__|<[\w -]+>|%[A-Z_]+%|@[A-Z_]+@|(?:^|[-.])[A-Z][A-Z_]{2,}(?:$|[-.])")
"""A name that no cluster takes: what a script or a person fills in before it applies the object."""
_BLANK_BESIDE = re.compile(rf"{_BLANK.pattern}|\$\{{?\w")
"""The same beside kustomizations, which apply what they fill in themselves."""
_NO_BLANK = re.compile(r"(?!)")
"""Whoever asks what lies in a file, and not what runs, wants what is filled in first as well."""


def read_manifests(tree: FileTree, taken: frozenset[str], documents: Documents | None = None) -> Iterator[Found]:
    """Every object in the tree's YAML and JSON files but those in ``taken`` and in charts' or Terraform's templates."""
    documents = documents or Documents(tree)
    charts = _charts(tree)
    aside = set_aside(tree) - taken
    for path in tree.files:
        if not path.endswith(SUFFIXES) or path in taken or path in tree.templates:
            continue
        if path in aside:
            tree.not_applied(path)
            continue
        if not _in_chart(path, charts) and _is_own(tree, path):
            blank = _BLANK_BESIDE if taken else _BLANK
            yield from objects_in(documents, path, path.rpartition("/")[0] or ".", blank)


def read_aside(tree: FileTree, taken: frozenset[str]) -> Iterator[Found]:
    """Every object in the files that are set aside: nothing applies it, and it is in the repository all the same."""
    documents = Documents(tree)
    charts = _charts(tree)
    for path in sorted(set_aside(tree) - taken):
        content = tree.read(path)
        if content is None or b"apiVersion" not in content or path in tree.templates:
            continue
        if not _in_chart(path, charts) and _is_own(tree, path):
            yield from objects_in(documents, path, path.rpartition("/")[0] or ".", _NO_BLANK)


def objects_in(documents: Documents, path: str, root: str, blank: re.Pattern[str]) -> Iterator[Found]:
    """Every object that a file holds, without those whose name is a ``blank`` that somebody fills in first."""
    content = documents.tree.read(path)
    if content is None:
        return
    if b"apiVersion" not in content or b"kind" not in content:
        if not path.endswith(".json"):  # JSON is written for many readers, who know other rules
            documents.look(path)
        return
    found: dict[tuple[str, str, str], Found] = {}
    for index, document in enumerate(documents.of(path)):
        for prefix, body in objects(document.value):
            resource = resource_of(body, root, "manifest")
            if resource is None or blank.search(resource.name) or blank.search(resource.namespace or ""):
                continue
            name = resource.name if "*" not in resource.name else str(len(found))  # what is generated is never the same
            key = (f"{resource.api_version} {resource.kind}", resource.namespace or "", name)
            one = Found(resource, DocumentTracer(documents, path, index, prefix))
            if found.pop(key, None) is not None:
                cause = f"{resource.kind} {resource.name} is declared twice in this file"
                documents.tree.error(path, _line(one, content), cause, "the first one")
            found[key] = one
    yield from found.values()


def _line(found: Found, content: bytes) -> int:
    origin = found.tracer.trace(())
    return 0 if origin is None else locate(origin.span, content).line


def resource_of(body: Mapping[str, Value], root: str, source: str) -> Resource | None:
    """The resource that a manifest declares; ``None`` where it is no object that a cluster would store."""
    version, kind, metadata = body.get("apiVersion"), body.get("kind"), body.get("metadata")
    if not isinstance(version, str) or not isinstance(kind, str) or not isinstance(metadata, dict):
        return None
    if version.startswith(CONFIGURATION_GROUPS) or (version == "v1" and kind == "Config"):
        return None
    given = metadata.get("namespace")
    namespace = None if given is None or given == "" else pattern(given)
    name = _name(metadata)
    return Resource(
        api_version=version,
        kind=kind,
        namespace=namespace,
        name=name,
        body=body,
        address=address_of(version, kind, namespace, name),
        root=root,
        source=source,
    )


def address_of(version: str, kind: str, namespace: str | None, name: str) -> str:
    """How an object is called: ``apps/v1/Deployment/namespace/name``, shorter where no namespace is given."""
    return "/".join(part for part in (version, kind, namespace, name) if part)


def _name(metadata: Mapping[str, Value]) -> str:
    name = metadata.get("name")
    if name is not None:
        return pattern(name)
    generated = metadata.get("generateName")
    return f"{pattern(generated)}*" if isinstance(generated, (str, PartialText, Unknown)) else "*"


def _is_own(tree: FileTree, path: str) -> bool:
    """Whether the file is no link to another that is read anyway."""
    target = tree.real(path)
    return target == path or target not in tree


def _charts(tree: FileTree) -> frozenset[str]:
    return frozenset(path.rpartition("/")[0] for path in tree.files if path.rpartition("/")[2] == "Chart.yaml")


def _in_chart(path: str, charts: frozenset[str]) -> bool:
    """Whether a file is a part of a chart that Helm renders or reads values from."""
    folder = path
    while charts and folder:
        folder = folder.rpartition("/")[0]
        if folder in charts:
            inside = path[len(folder) + 1 :] if folder else path
            if inside.startswith(("templates/", "tests/", "charts/", "values")):
                return True
    return False
