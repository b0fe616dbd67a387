"""Every root of Terraform in an estate, evaluated into resources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct, field

from shoreup.formats.files import FileTree
from shoreup.formats.yaml import load
from shoreup.formats.yaml.inside import marked, restored
from shoreup.model.resource import Resource
from shoreup.model.value import PartialText, Unknown, Value, at, pattern
from shoreup.sources.provider import computed_id, to_kubernetes
from shoreup.sources.reading import Found
from shoreup.sources.terraform.backends import RootBackend, backends
from shoreup.sources.terraform.code import CodeComment, FileShape, comments, shapes
from shoreup.sources.terraform.ignored import IgnoredField, ignored_fields
from shoreup.sources.terraform.roots import RootShape, root_shapes
from shoreup.sources.terraform.tracer import ObjectTracer, PlainTracer, YamlBodyTracer
from shoreup.sources.terraform.unknown_arguments import note_unknown_arguments
from shoreup.terraform.configuration import Configurations, Module, module_roots
from shoreup.terraform.module import ModuleInstance, ResourceInstance, Root
from shoreup.terraform.plan import Plan
from shoreup.terraform.scope import EvaluationError, Scope, UnknownKey
from shoreup.terraform.terragrunt import Terragrunt
from shoreup.terraform.variables import Given, given_in_files, unreadable_files

_YAML_BODIES = {"kubectl_manifest": "yaml_body", "k8s_manifest": "content"}


class TerraformReading(Struct):
    """What some roots of Terraform declare.

    ``ignored`` are the ``ignore_changes`` entries, each with the index of its resource in ``found``; ``comments`` come
    with the index of the first resource that their block makes, or -1. ``roots`` are the roots' directories.
    """

    found: list[Found] = field(default_factory=list)
    ignored: list[tuple[int, IgnoredField]] = field(default_factory=list)
    shapes: list[FileShape] = field(default_factory=list)
    comments: list[tuple[int, CodeComment]] = field(default_factory=list)
    roots: list[str] = field(default_factory=list)
    backends: list[RootBackend] = field(default_factory=list)
    root_shapes: list[RootShape] = field(default_factory=list)
    """Of the roots that Terraform applies by itself."""

    def add(self, other: TerraformReading) -> None:
        """Take in what other roots declare. Files that both have read (shared modules) count once."""
        shift = len(self.found)
        known = {shape.path for shape in self.shapes}
        self.found.extend(other.found)
        self.ignored.extend((index + shift, entry) for index, entry in other.ignored)
        self.shapes.extend(shape for shape in other.shapes if shape.path not in known)
        self.comments.extend(
            (index + shift if index >= 0 else -1, comment)
            for index, comment in other.comments
            if comment.span.file not in known
        )
        self.roots.extend(other.roots)
        self.backends.extend(other.backends)
        self.root_shapes.extend(other.root_shapes)


def read_terraform(tree: FileTree, plan: Plan | None = None) -> TerraformReading:
    """Evaluate every root of the estate."""
    configurations = Configurations(tree)
    terragrunt = Terragrunt(configurations, known_after_apply)
    return read_roots(configurations, plain_roots(configurations, terragrunt), terragrunt, rest=True, plan=plan)


def plain_roots(configurations: Configurations, terragrunt: Terragrunt) -> list[str]:
    """The directories that Terraform applies by itself; those that Terragrunt applies are its units'."""
    applied = {unit.module for unit in terragrunt.units()}
    return [path for path in module_roots(configurations) if path not in applied]


def read_roots(
    configurations: Configurations,
    roots: Sequence[str],
    terragrunt: Terragrunt | None,
    *,
    rest: bool,
    plan: Plan | None = None,
    sparing: bool = False,
) -> TerraformReading:
    """Evaluate some roots, and Terragrunt's units. ``rest`` also reads, as code, directories that no root reaches.

    ``plan`` counts for the root that it fits best. ``sparing`` keeps less in memory, and works it out again for places
    that are traced.
    """
    reading = TerraformReading()
    for unit in terragrunt.units() if terragrunt else ():
        instance = terragrunt.instance(unit) if terragrunt else None
        if instance is not None:
            reading.roots.append(unit.directory)
            _read_instance(instance, unit.directory, reading, sparing=sparing)
    planned = _planned(configurations, roots, plan) if plan else None
    for path in roots:
        reading.roots.append(path)
        read_root(configurations, path, reading, plan if path == planned else None, sparing=sparing)
    reading.root_shapes.extend(root_shapes(configurations, roots))
    if rest:
        for directory in configurations.directories:
            configurations.module(directory)
    note_unknown_arguments(configurations)
    blocks = _first_resources(reading)
    reading.shapes.extend(shapes(configurations))
    reading.comments.extend(
        (blocks.get((comment.span.file, comment.top), -1), comment) for comment in comments(configurations)
    )
    return reading


def _first_resources(reading: TerraformReading) -> dict[tuple[str, int], int]:
    """The index of the first resource that each top-level block makes, by file and first byte."""
    result: dict[tuple[str, int], int] = {}
    for index, found in enumerate(reading.found):
        origin = found.tracer.trace(())
        if origin is not None:
            result.setdefault((origin.span.file, origin.span.start), index)
    return result


def _planned(configurations: Configurations, roots: Sequence[str], plan: Plan) -> str | None:
    """The root that a plan is of: the one that declares most of what it holds."""
    fits = {path: plan.fits(module) for path in roots if (module := configurations.module(path))}
    best = max(fits, key=lambda path: fits[path], default=None)
    return best if best is not None and fits[best] else None


def read_root(
    configurations: Configurations,
    path: str,
    reading: TerraformReading,
    plan: Plan | None = None,
    *,
    sparing: bool = False,
    planned_only: bool = False,
) -> None:
    """Evaluate one root and add its resources to the reading.

    ``planned_only`` leaves unknown what a plan would: what providers compute, though it is certain.
    """
    module = configurations.module(path)
    if module is None:
        return
    instance = _root_instance(configurations, module, plan, planned_only=planned_only)
    reading.backends.extend(backends(module, path))
    _read_instance(instance, path, reading, sparing=sparing)


def _root_instance(
    configurations: Configurations, module: Module, plan: Plan | None, *, planned_only: bool
) -> ModuleInstance:
    root = Root(configurations, module.path, _not_in_a_plan if planned_only else known_after_apply, plan)
    instance = ModuleInstance(root, module, "", {})
    instance.given.update(_unreadable(configurations, module.path, module, instance.scope))
    instance.given.update(given_in_files(configurations, module.path, instance.scope))
    return instance


def called_modules(configurations: Configurations, path: str) -> Iterator[ModuleInstance]:
    """Every instance of a module that a root calls, directly or through others, as a plan knows its variables."""
    module = configurations.module(path)
    waiting = [_root_instance(configurations, module, None, planned_only=True)] if module else []
    while waiting:
        caller = waiting.pop(0)
        for name in caller.module.calls:
            called = caller.calls(name)
            known = (
                () if isinstance(called, Unknown) else [one for key, one in called if not isinstance(key, UnknownKey)]
            )
            waiting.extend(known)
            yield from known


def read_called(called: ModuleInstance, withheld: frozenset[str]) -> TerraformReading:
    """What a called module declares, as if it were a root of its own. The variables ``withheld`` are not known then."""
    unknown = Given(None, None, Unknown("it is kept out of the test"))
    given = {**called.given, **dict.fromkeys(withheld, unknown)}
    reading = TerraformReading()
    alone = ModuleInstance(called.root, called.module, "", given)
    _read_instance(alone, called.module.path, reading, sparing=False)
    return reading


def _read_instance(instance: ModuleInstance, path: str, reading: TerraformReading, *, sparing: bool) -> None:
    for declared in instance.all_instances():
        try:
            made = list(_resources(declared, path))
        except Exception as problem:  # a fault of ours in one resource must not hide all the others
            block = declared.block
            ours = f"Shoreup failed to evaluate this: {type(problem).__name__}"
            cause = str(problem) if isinstance(problem, EvaluationError) else ours
            tree = instance.root.configurations.tree
            tree.error(block.source.path, block.source.line(block.start), cause, declared.address)
            continue
        for found in made:
            index = len(reading.found)
            reading.found.append(found)
            reading.ignored.extend((index, entry) for entry in ignored_fields(declared, found.resource))
    if sparing:
        instance.release()


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


def _not_in_a_plan(kind: str, attributes: dict[str, Value], name: str) -> Value | None:
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
    if not isinstance(text, str | PartialText):
        return
    filled, reasons = marked(text)
    stream = load(filled)
    block = instance.block
    for problem in stream.problems:
        line = block.source.line(block.start)
        cause = f"line {problem.line} of its {attribute}: {problem.cause}"
        instance.module.root.configurations.tree.error(block.source.path, line, cause, instance.address)
    for index, document in enumerate(stream.documents):
        body = restored(document.value, reasons)
        if isinstance(body, dict) and "kind" in body:
            tracer = YamlBodyTracer(instance, attribute, document, filled, index)
            yield Found(_object(body, instance.address, root), tracer)
