"""One call of a module: its variables, locals, resources and outputs, each evaluated when it is asked for.

The same directory called three times is one parsed configuration and three instances. References are followed
on demand, so that a root with an unreadable corner still tells everything else; a reference that leads
back to itself is an error of that reference alone.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from msgspec import Struct, field

from shoreup.formats.hcl.syntax import Attribute, Block, Body, Call
from shoreup.formats.yaml import Document
from shoreup.model.value import PartialText, Unknown, Value
from shoreup.terraform import computed
from shoreup.terraform import files as file_functions
from shoreup.terraform.configuration import Configurations, Module, local_source
from shoreup.terraform.constraints import Constraint, convert, read_constraint
from shoreup.terraform.expressions import (
    ModuleOutputs,
    Namespace,
    evaluate_or_unknown,
)
from shoreup.terraform.functions import call
from shoreup.terraform.operators import pairs
from shoreup.terraform.plan import Plan
from shoreup.terraform.scope import Binding, EvaluationError, JsonObject, ResourceObject, Scope, UnknownKey
from shoreup.terraform.variables import Given

MAX_CALL_DEPTH = 30
"""Calls inside calls; Terraform configurations stay under 10."""
MAX_EFFORT = 1_000_000
"""Rounds of loops in one root, ten for an instance or a dynamic block, a hundred for a module. Code that people write
stays under a tenth of it."""
MAX_WEIGHT = 200_000
"""Values inside one value, counted as often as they would be written."""
META_ARGUMENTS = frozenset({"count", "for_each", "provider", "providers", "depends_on"})
META_BLOCKS = frozenset({"lifecycle", "provisioner", "connection", "timeouts"})

T = TypeVar("T")


class ResourceInstance(Struct, eq=False):
    """One instance of a resource block. ``address`` is Terraform's, instance key included."""

    module: ModuleInstance
    block: Block
    type: str
    name: str
    address: str
    scope: Scope


class Root(Struct, eq=False):
    """What every module of one root shares. ``path`` is the root's directory."""

    configurations: Configurations
    path: str
    known_after_apply: Callable[[str, dict[str, Value], str], Value | None]
    """Asked for an attribute that a resource's configuration does not set: (type, object, attribute)."""
    plan: Plan | None = None
    effort: int = 0
    documents: dict[str, Document | None] = field(default_factory=dict)
    """Texts that were decoded to find where values in them are written; ``None`` for those that are no document."""
    tries: int = 0
    """How many ``try``, ``can`` and traces are under way: what they miss is expected, or was said before."""

    def spend(self, rounds: int) -> None:
        """Count rounds of loops and instances. Raises :class:`EvaluationError` when they are beyond all reason."""
        self.effort += rounds
        if self.effort > MAX_EFFORT:
            raise EvaluationError("the root unfolds to more than can be followed")


class Called(Struct, frozen=True, eq=False):
    """Where a module is called: by which module, in which block, for which key's ``scope``."""

    module: ModuleInstance
    block: Block
    scope: Scope


class _Failed(Struct, frozen=True):
    """Kept in place of a value. The exception itself would keep alive whatever its frames hold."""

    cause: str


class ModuleInstance:
    """A configuration with values for its variables.

    ``address`` is empty for a root, else like ``module.db["a"]``. ``given`` are the values of variables, ``callers``
    the directories of the modules that it is called through, ``called`` the call itself; a root has none.
    """

    def __init__(
        self,
        root: Root,
        module: Module,
        address: str,
        given: dict[str, Given],
        callers: tuple[str, ...] = (),
        called: Called | None = None,
    ) -> None:
        self.root = root
        self.module = module
        self.address = address
        self.given = given
        self.called = called
        self.scope = Scope(self)
        self._callers = callers
        self._known: dict[tuple[str, ...], Any] = {}
        self._active: set[tuple[str, ...]] = set()
        self._by_block: dict[int, list[ResourceInstance]] = {}

    def with_argument(self, name: str, given: Given) -> ModuleInstance:
        """The same call with another value for one variable."""
        return ModuleInstance(
            self.root, self.module, self.address, {**self.given, name: given}, self._callers, self.called
        )

    def _once(self, key: tuple[str, ...], compute: Callable[[], T]) -> T:
        """Compute a value once; an evaluation error is remembered too."""
        if key in self._known:
            known = self._known[key]
            if type(known) is _Failed:
                raise EvaluationError(known.cause)
            return known  # type: ignore[no-any-return]  # stored under the same key by the same caller
        if key in self._active:
            raise EvaluationError(self._circle(key))
        self._active.add(key)
        try:
            value = compute()
        except EvaluationError as problem:
            self._known[key] = _Failed(str(problem))
            raise
        finally:
            self._active.discard(key)
        if isinstance(value, list | dict) and weight(value, MAX_WEIGHT) > MAX_WEIGHT:
            self._known[key] = _Failed(f"{'.'.join(key)} holds more than {MAX_WEIGHT:,} values")
            raise EvaluationError(self._known[key].cause)
        self._known[key] = value
        return value

    def _circle(self, key: tuple[str, ...]) -> str:
        """Note that a value refers to itself, where it stands, and say so."""
        kind, name = key[0], key[-1]
        if kind == "object":
            kind, _, name = name.removeprefix(f"{self.address}.").partition("[")[0].partition(".")
        elif kind.endswith("instances"):
            kind = key[1]
        places: dict[str, Mapping[str, Block | Attribute]] = {
            "local": self.module.locals,
            "output": self.module.outputs,
            "module": self.module.calls,
        }
        found = places[kind].get(name) if kind in places else self.module.resources.get((kind, name))
        cause = f"{kind}.{name} refers to itself"
        if found is not None:
            self._note(found, cause, "its value")
        return cause

    # References

    def reference(self, base: Namespace, name: str) -> Any:
        """``base.name`` where ``base`` is the beginning of a reference."""
        word = base.word
        if base.data_type:
            return self.resource_value(base.data_type, name, data=True)
        if word == "var":
            return self.variable(name)
        if word == "local":
            return self.local(name)
        if word == "module":
            return self.call(name)
        if word in ("data", "ephemeral"):
            return Namespace(self, word, name)
        if word == "path":
            return self._path(name)
        if word in ("terraform", "tofu"):
            return Unknown(f"{word}.{name} is known only when Terraform runs")
        return self.resource_value(word, name, data=False)

    def _path(self, name: str) -> Value:
        if name == "module":
            return posixpath.relpath(self.module.path, self.root.path)
        if name == "root":
            return "."
        return Unknown(f"path.{name} depends on the machine")

    def variable(self, name: str) -> Value:
        """The value of an input variable, converted to its type."""
        return self._once(("var", name), lambda: self._variable(name))

    def _variable(self, name: str) -> Value:
        block = self.module.variables.get(name)
        if block is None:
            raise EvaluationError(f"there is no variable {name}")
        constraint = self.constraint(name)
        given = self.given.get(name)
        default = block.body.attributes.get("default")
        value: Value
        if given is not None:
            value = given.value()
            if value is None and default is not None and _is_false(block, "nullable"):
                value = evaluate_or_unknown(default.expression, self.scope)
        elif default is not None:
            value = evaluate_or_unknown(default.expression, self.scope)
        else:
            return Unknown(f"the variable {name} has no value in the repository")
        return convert(value, constraint)

    def constraint(self, name: str) -> Constraint | None:
        """The type that a variable declares."""
        block = self.module.variables.get(name)
        attribute = block.body.attributes.get("type") if block else None
        if attribute is None:
            return None
        expression = attribute.expression
        return self._once(("type", name), lambda: read_constraint(expression, self.scope))

    def local(self, name: str) -> Value:
        """The value of a local."""
        attribute = self.module.locals.get(name)
        if attribute is None:
            raise EvaluationError(f"there is no local {name}")
        expression = attribute.expression
        return self._once(("local", name), lambda: evaluate_or_unknown(expression, self.scope))

    def output(self, name: str) -> Value:
        """The value of an output."""
        block = self.module.outputs.get(name)
        attribute = block.body.attributes.get("value") if block else None
        if attribute is None:
            raise EvaluationError(f"the module has no output {name}")
        expression = attribute.expression
        return self._once(("output", name), lambda: evaluate_or_unknown(expression, self.scope))

    def outputs(self) -> dict[str, Value]:
        """All outputs; one that cannot be evaluated is unknown."""
        result: dict[str, Value] = {}
        for name in self.module.outputs:
            try:
                result[name] = self.output(name)
            except EvaluationError as problem:
                result[name] = Unknown(str(problem))
        return result

    # Calls

    def call(self, name: str) -> Any:
        """A called module as an expression sees it."""
        block = self.module.calls.get(name)
        if block is None:
            raise EvaluationError(f"there is no module {name}")
        instances = self.calls(name)
        if isinstance(instances, Unknown):
            return instances
        if any(isinstance(key, UnknownKey) for key, _ in instances):
            return Unknown(f"the instances of module.{name} are known only after apply")
        if "count" in block.body.attributes:
            return [ModuleOutputs(instance) for _, instance in instances]
        if "for_each" in block.body.attributes:
            return {str(key): ModuleOutputs(instance) for key, instance in instances}
        return ModuleOutputs(instances[0][1])

    def calls(self, name: str) -> list[tuple[str | int | None, ModuleInstance]] | Unknown:
        """The instances of a module call with their keys; unknown for a module that is not in the estate."""
        return self._once(("module", name), lambda: self._calls(name))

    def _calls(self, name: str) -> list[tuple[str | int | None, ModuleInstance]] | Unknown:
        block = self.module.calls[name]
        directory = local_source(self.module.path, block)
        skipped = f"the module {name}"
        if directory is None:
            self._note(block, "the module's source is not in the estate", skipped)
            return Unknown(f"the source of the module {name} is not in the estate")
        module = self.root.configurations.module(directory)
        if module is None:
            self._note(block, f"there is no module at {directory}", skipped)
            return Unknown(f"there is no module at {directory}")
        callers = (*self._callers, self.module.path)
        if directory in callers:
            self._note(block, "modules call one another in a circle", skipped)
            return Unknown("modules call one another in a circle")
        if len(callers) > MAX_CALL_DEPTH:
            self._note(block, "modules are called too deeply", skipped)
            return Unknown("modules are called too deeply")
        result: list[tuple[str | int | None, ModuleInstance]] = []
        address = f"{self.address}.module.{name}" if self.address else f"module.{name}"
        for key, scope in self.expand(block, address):
            self.root.spend(90)
            given = {
                argument.name: Given(argument.expression, scope)
                for argument in block.body.attributes.values()
                if argument.name not in META_ARGUMENTS and argument.name not in ("source", "version")
            }
            called = Called(self, block, scope)
            instance = ModuleInstance(self.root, module, address + key_text(key), given, callers, called)
            result.append((key, instance))
        return result

    # Resources

    def resource_value(self, kind: str, name: str, *, data: bool) -> Value:
        """A resource (or data source) as an expression sees it: an object, or a list or map of them."""
        table = self.module.data if data else self.module.resources
        block = table.get((kind, name))
        prefix = "data." if data else ""
        if block is None:
            raise EvaluationError(f"there is no {prefix}{kind}.{name}")
        instances = self.instances(kind, name, data=data)
        if any(isinstance(key, UnknownKey) for key, _ in instances):
            return Unknown(f"the instances of {prefix}{kind}.{name} are known only after apply")
        if "count" in block.body.attributes:
            return [self.object_of(instance) for _, instance in instances]
        if "for_each" in block.body.attributes:
            return {str(key): self.object_of(instance) for key, instance in instances}
        return self.object_of(instances[0][1]) if instances else None

    def instances(self, kind: str, name: str, *, data: bool = False) -> list[tuple[str | int | None, ResourceInstance]]:
        """The instances of a resource block with their keys."""
        return self._once(
            ("data instances" if data else "instances", kind, name), lambda: self._instances(kind, name, data)
        )

    def _instances(self, kind: str, name: str, data: bool) -> list[tuple[str | int | None, ResourceInstance]]:
        block = (self.module.data if data else self.module.resources)[(kind, name)]
        path = f"{'data.' if data else ''}{kind}.{name}"
        base = f"{self.address}.{path}" if self.address else path
        return [
            (key, ResourceInstance(self, block, kind, name, base + key_text(key), scope))
            for key, scope in self.expand(block, base)
        ]

    def object_of(self, instance: ResourceInstance) -> ResourceObject:
        """What a resource instance's configuration says, in Terraform's shape: nested blocks are lists."""
        return self._once(("object", instance.address), lambda: self._object(instance))

    def release(self) -> None:
        """Let go of what its resources and those of the modules below say: it is worked out again when it is asked for.

        Of many resources of a large estate it never is.
        """
        for key, known in list(self._known.items()):
            if key[0] == "object":
                del self._known[key]
            elif key[0] == "module" and isinstance(known, list):
                for _, called in known:
                    called.release()
        self.root.effort = 0

    def _object(self, instance: ResourceInstance) -> ResourceObject:
        label = f"{instance.type}.{instance.name}"
        result = body_object(instance.block.body, instance.scope, label, top=True)
        result.computed = lambda name: self._computed(instance, name)
        if self.root.plan is not None:
            self.root.plan.overlay(instance.address, result)
        return result

    def _computed(self, instance: ResourceInstance, name: str) -> Value | None:
        """An attribute that an apply computes and that is certain before it."""
        attributes = self.object_of(instance)
        value = computed.value(instance, attributes, name)
        return self.root.known_after_apply(instance.type, attributes, name) if value is None else value

    def all_instances(self) -> Iterator[ResourceInstance]:
        """Every resource instance of this module and of the modules that it calls. Data sources are left out."""
        for kind, name in self.module.resources:
            try:
                for _, instance in self.instances(kind, name):
                    yield instance
            except EvaluationError as problem:
                self._note(self.module.resources[(kind, name)], str(problem), f"{kind}.{name}")
        for name in self.module.calls:
            try:
                instances = self.calls(name)
            except EvaluationError as problem:
                self._note(self.module.calls[name], str(problem), f"module.{name}")
                continue
            for _, called in [] if isinstance(instances, Unknown) else instances:
                yield from called.all_instances()

    def made_by(self, block: Block) -> Sequence[ResourceInstance]:
        """Those of all instances that a block makes, in this module or in those that it calls."""
        if not self._by_block:
            for instance in self.all_instances():
                self._by_block.setdefault(id(instance.block), []).append(instance)
        return self._by_block.get(id(block), ())

    def expand(self, block: Block, address: str) -> list[tuple[str | int | None, Scope]]:
        """The keys and scopes that ``count`` or ``for_each`` gives at an address without its key.

        One with an :class:`UnknownKey` where they are not known, unless the plan names them.
        """
        attributes = block.body.attributes
        if "for_each" in attributes:
            instances = self._for_each(attributes["for_each"])
        elif "count" in attributes:
            instances = self._count(attributes["count"])
        else:
            self.root.spend(10)
            return [(None, self.scope)]
        planned = self.root.plan.keys.get(address) if self.root.plan else None
        if planned and any(isinstance(key, UnknownKey) for key, _ in instances):
            scope = instances[0][1]
            return [(key, Scope(self, {**scope.values, **_counted(key, scope)})) for key in planned]
        return instances

    def _count(self, attribute: Attribute) -> list[tuple[str | int | None, Scope]]:
        value = evaluate_or_unknown(attribute.expression, self.scope)
        if isinstance(value, str) and value.isdigit():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            if isinstance(value, Unknown | PartialText):
                index: Value = Unknown(f"count is not known: {value.reason}")
                return [(UnknownKey("#"), Scope(self, {"count": {"index": index}}))]
            raise EvaluationError("count is not a number")
        if value > 10_000:
            raise EvaluationError("count is larger than 10,000")
        self.root.spend(10 * int(value))
        return [(index, Scope(self, {"count": {"index": index}})) for index in range(int(value))]

    def _for_each(self, attribute: Attribute) -> list[tuple[str | int | None, Scope]]:
        collection = evaluate_or_unknown(attribute.expression, self.scope)
        if isinstance(collection, Unknown | PartialText):
            unknown = Unknown(f"for_each is not known: {collection.reason}")
            return [(UnknownKey("*"), Scope(self, {"each": {"key": unknown, "value": unknown}}))]
        result: list[tuple[str | int | None, Scope]] = []
        self.root.spend(10 * len(collection) if isinstance(collection, list | dict) else 0)
        for position, key, item in pairs(collection):
            if isinstance(collection, list):
                key = item
            binding = {"each": Binding(attribute.expression, self.scope, position, "pair")}
            name = UnknownKey("*") if isinstance(key, Unknown | PartialText) else str(key)
            result.append((name, Scope(self, {"each": {"key": key, "value": item}}, binding)))
        return result

    def function(self, name: str, values: list[Value]) -> Value:
        """A function that needs nothing but its arguments. Raises ``FunctionError``."""
        return call(name, values)

    def file_function(self, name: str, values: list[Value], scope: Scope) -> Value:
        """``file()``, ``templatefile()`` and their relatives, on the estate's files alone."""
        return file_functions.call(self.root.configurations.tree, self.root.path, name, values, scope)

    def missed(self, node: Call, value: Unknown) -> None:
        """Note a file that a function asks for and that the estate does not have, unless a ``try`` stands around."""
        if value.path and value.path not in self.root.configurations.tree and not self.root.tries:
            self._note(node, value.reason, f"what {node.name}() gives")

    def _note(self, place: Block | Attribute | Call, cause: str, skipped: str) -> None:
        self.root.configurations.tree.error(place.source.path, place.source.line(place.start), cause, skipped)


def weight(value: object, enough: int) -> int:
    """How many values there are in a value, or more than ``enough``. What is shared counts each time."""
    count = 0
    waiting = [value]
    while waiting and count <= enough:
        item = waiting.pop()
        count += 1
        if isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return count + len(waiting)


def _counted(key: str | int, scope: Scope) -> dict[str, Value]:
    """``each`` or ``count`` for a key that the plan names."""
    if isinstance(key, int):
        return {"count": {"index": key}}
    each = scope.values.get("each")
    return {"each": {**each, "key": key}} if isinstance(each, dict) else {}


def key_text(key: str | int | None) -> str:
    """An instance key as Terraform prints it in an address."""
    if key is None:
        return ""
    if isinstance(key, int):
        return f"[{key}]"
    if isinstance(key, UnknownKey) and key == "#":
        return "[*]"
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    return f'["{escaped}"]'


def body_object(body: Body, scope: Scope, label: str, *, top: bool = False) -> ResourceObject:
    """A body's arguments and nested blocks as values."""
    result = ResourceObject(label)
    for name, attribute in body.attributes.items():
        if not (top and name in META_ARGUMENTS):
            value = evaluate_or_unknown(attribute.expression, scope)
            result[name] = JsonObject.of(value) if attribute.source.path.endswith(".json") else value
    for block in body.blocks:
        if top and block.kind in META_BLOCKS:
            continue
        kind = block.labels[0] if block.kind == "dynamic" and block.labels else block.kind
        found = result.setdefault(kind, [])
        if not isinstance(found, list):
            continue  # the same name as an argument: Terraform refuses it
        for inner, inner_scope in expand_block(block, scope):
            if isinstance(inner_scope, Unknown):
                found.append(inner_scope)
            else:
                found.append(body_object(inner.body, inner_scope, f"{label}.{kind}"))
    return result


def expand_block(block: Block, scope: Scope) -> Iterator[tuple[Block, Scope | Unknown]]:
    """The blocks that one block stands for: itself, or what a ``dynamic`` block makes."""
    if block.kind != "dynamic" or not block.labels:
        yield block, scope
        return
    attributes = block.body.attributes
    content = next((inner for inner in block.body.blocks if inner.kind == "content"), None)
    if content is None or "for_each" not in attributes:
        yield block, Unknown("a dynamic block without for_each or content")
        return
    expression = attributes["for_each"].expression
    collection = evaluate_or_unknown(expression, scope)
    if isinstance(collection, Unknown | PartialText):
        yield content, Unknown(collection.reason)
        return
    iterator = iterator_name(block)
    try:
        rounds = pairs(collection) if collection is not None else []
    except EvaluationError as problem:
        yield content, Unknown(str(problem))
        return
    for position, key, item in rounds:
        try:
            scope.module.root.spend(10)
        except EvaluationError as problem:
            yield content, Unknown(str(problem))
            return
        binding = {iterator: Binding(expression, scope, position, "pair")}
        yield content, scope.with_names({iterator: {"key": key, "value": item}}, binding)


def iterator_name(block: Block) -> str:
    """The name that a dynamic block's content calls its item by."""
    attribute = block.body.attributes.get("iterator")
    name = getattr(attribute.expression, "name", None) if attribute else None
    return name or block.labels[0]


def _is_false(block: Block, name: str) -> bool:
    attribute = block.body.attributes.get(name)
    return attribute is not None and getattr(attribute.expression, "value", None) is False
