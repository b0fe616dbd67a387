"""Every root of Terraform in an estate, evaluated into resources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from shoreup.formats.files import FileTree
from shoreup.formats.yaml import load
from shoreup.model.resource import Resource
from shoreup.model.value import PartialText, Unknown, Value, at, pattern
from shoreup.sources.provider import computed_id, to_kubernetes
from shoreup.sources.reading import Found
from shoreup.sources.terraform.ignored import IgnoredField, ignored_fields
from shoreup.sources.terraform.tracer import ObjectTracer, PlainTracer, YamlBodyTracer
from shoreup.terraform.configuration import Configurations, Module, module_roots
from shoreup.terraform.module import ModuleInstance, ResourceInstance, Root
from shoreup.terraform.scope import Scope
from shoreup.terraform.variables import Given, given_in_files, unreadable_files

_YAML_BODIES = {"kubectl_manifest": "yaml_body", "k8s_manifest": "content"}


@dataclass(slots=True)
class TerraformReading:
    """What the Terraform of an estate declares.

    ``ignored`` are the ``ignore_changes`` entries with the index in ``found``; ``roots`` the roots' directories.
    """

    found: list[Found] = field(default_factory=list)
    ignored: list[tuple[int, IgnoredField]] = field(default_factory=list)
    roots: list[str] = field(default_factory=list)
    configurations: Configurations | None = None


def read_terraform(tree: FileTree, only: Iterable[str] | None = None) -> TerraformReading:
    """Evaluate the estate's roots, or those that ``only`` names."""
    configurations = Configurations(tree)
    reading = TerraformReading(configurations=configurations)
    wanted = None if only is None else set(only)
    for path in module_roots(configurations):
        if wanted is None or path in wanted:
            reading.roots.append(path)
            read_root(configurations, path, reading)
    return reading


def read_root(configurations: Configurations, path: str, reading: TerraformReading) -> None:
    """Evaluate one root and add its resources to the reading."""
    module = configurations.module(path)
    if module is None:
        return
    root = Root(configurations, path, known_after_apply)
    instance = ModuleInstance(root, module, "", {})
    instance.given.update(_unreadable(configurations, path, module, instance.scope))
    instance.given.update(given_in_files(configurations, path, instance.scope))
    for declared in instance.all_instances():
        for found in _resources(declared, path):
            index = len(reading.found)
            reading.found.append(found)
            reading.ignored.extend((index, entry) for entry in ignored_fields(declared, found.resource))


def _unreadable(configurations: Configurations, path: str, module: Module, scope: Scope) -> dict[str, Given]:
    """What an encrypted variable file may set: every variable, to something that is not known."""
    for file in unreadable_files(configurations, path):
        unknown = Unknown(f"the variable may be set in {file}, which is encrypted", file)
        return {name: Given(None, None, unknown) for name in module.variables}
    return {}


def known_after_apply(kind: str, attributes: dict[str, Value], name: str) -> Value | None:
    """Attributes that an apply computes and that are certain before it."""
    if name == "id":
        body = to_kubernetes(kind, attributes)
        return computed_id(kind, body) if body else None
    if name == "output" and kind == "terraform_data":
        return attributes.get("input")
    return None


def _resources(instance: ResourceInstance, root: str) -> Iterator[Found]:
    attributes = instance.module.object_of(instance)
    written_as = _YAML_BODIES.get(instance.type)
    if written_as:
        yield from _from_yaml(instance, root, written_as, attributes.get(written_as))
        return
    body = to_kubernetes(instance.type, attributes)
    if body is not None:
        yield Found(_object(body, instance.address, root), ObjectTracer(instance, body))
        return
    name = pattern(attributes.get("name")) or instance.name
    namespace = attributes.get("namespace")
    resource = Resource(
        "terraform",
        instance.type,
        pattern(namespace) if namespace is not None else None,
        name,
        attributes,
        instance.address,
        root,
        "terraform",
    )
    yield Found(resource, PlainTracer(instance))


def _object(body: dict[str, Value], address: str, root: str) -> Resource:
    namespace = at(body, "metadata", "namespace")
    name = at(body, "metadata", "name")
    if name is None and (prefix := at(body, "metadata", "generateName")) is not None:
        name = f"{pattern(prefix)}*"
    return Resource(
        pattern(body.get("apiVersion")),
        pattern(body.get("kind")),
        pattern(namespace) if namespace is not None else None,
        pattern(name),
        body,
        address,
        root,
        "terraform",
    )


def _from_yaml(instance: ResourceInstance, root: str, attribute: str, text: Value) -> Iterator[Found]:
    if isinstance(text, str):
        known = text
    elif isinstance(text, PartialText):
        known = text.pattern
    else:
        return
    documents = [document for document in load(known).documents if isinstance(document.value, dict)]
    for document in documents:
        body = document.value
        if isinstance(body, dict) and "kind" in body:
            if isinstance(text, PartialText):
                body = {key: _starred(value, text.reason) for key, value in body.items()}
            yield Found(_object(body, instance.address, root), YamlBodyTracer(instance, attribute, document))


def _starred(value: Value, reason: str) -> Value:
    """Values of a partly known text: whatever holds the mark of an unknown part is unknown."""
    if isinstance(value, str) and "*" in value:
        return Unknown(reason)
    if isinstance(value, dict):
        return {key: _starred(item, reason) for key, item in value.items()}
    if isinstance(value, list):
        return [_starred(item, reason) for item in value]
    return value
