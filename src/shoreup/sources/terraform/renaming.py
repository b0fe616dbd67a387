"""Blocks and resources of the provider under another name: what stands in them stays as it is written.

What refers to a ConfigMap refers to the Secret that takes its place: code that names the one by its address names the
other by the address that it has, or gets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from shoreup.formats.edits import CannotWrite
from shoreup.formats.hcl.alignment import Change
from shoreup.formats.hcl.rendering import Code, key_text
from shoreup.formats.hcl.syntax import Block, Expression, File, ListOf, ObjectOf, Template
from shoreup.model.location import Route
from shoreup.sources.editing import Names
from shoreup.sources.provider.table import Shape, table
from shoreup.sources.provider.writing import field_named, resource_type
from shoreup.sources.terraform.objects import AtArgument, AtBlock, ObjectWriting
from shoreup.sources.terraform.pen import Pen
from shoreup.terraform.expressions import object_key
from shoreup.terraform.module import ResourceInstance

_SECRET_FIELDS = frozenset({"secret", "secretRef", "secretKeyRef"})
_ADDRESS = re.compile(r"(?<![\w.])(?P<type>kubernetes_config_map(?P<version>_v1)?)\.(?P<label>[\w-]+)\b")


def names_a_secret(route: Route) -> bool:
    """Whether a field says which Secret is meant."""
    return not _SECRET_FIELDS.isdisjoint(map(str, route))


def of_the_secret(code: Code, instance: ResourceInstance) -> Code | None:
    """Code that names a ConfigMap's attribute as that of the Secret beside it; ``None`` where that is not there."""
    known = instance.module.module.resources
    for found in _ADDRESS.finditer(code.text):
        if (found["type"], found["label"]) in known and (_secret_type(found), found["label"]) in known:
            return None
    return Code(_ADDRESS.sub(lambda found: f"{_secret_type(found)}.{found['label']}", code.text))


def _secret_type(found: re.Match[str]) -> str:
    return f"kubernetes_secret{found['version'] or ''}"


def renamed(writing: ObjectWriting, route: Route, name: str, inside: Names) -> None:
    """Call the block or argument at ``route`` by another of its parent's names."""
    stand = writing.stand(route)
    if isinstance(stand, AtArgument) and stand.field is None:
        if inside:
            raise CannotWrite("keys inside of a manifest's key are not renamed yet")
        _rename_key(writing, stand, name)
        return
    if isinstance(stand, AtArgument) and len(stand.rest) == 1 and not inside:
        _rename_entry(writing, stand, str(stand.rest[0]), name)
        return
    if not isinstance(stand, AtBlock):
        raise CannotWrite(f"{route[-1]} is not written as a block")
    _, found = field_named(writing.instance.type, _shape_above(writing, route), name)
    block = stand.block
    if stand.outer is not block:
        line = stand.outer.source.line(stand.outer.start)
        raise CannotWrite(f"a dynamic block in line {line} of {stand.outer.source.path} makes it")
    writing._only_here(stand.scope)
    changes = [Change(block.start, block.start + len(block.kind), found.terraform)]
    for old, new in inside:
        before = writing.argument((*route, old))
        if before is not None and not before.rest and before.body is block.body:
            _, field = field_named(writing.instance.type, found.inner, new)
            start = before.attribute.start
            changes.append(Change(start, start + len(before.attribute.name), field.terraform))
    if name in _SECRET_FIELDS:
        for attribute in block.body.attributes.values():
            changes += _follow(attribute.expression, writing.instance)
    writing.pen.write(block.body, changes)


def _follow(expression: Expression, instance: ResourceInstance) -> Iterator[Change]:
    """Addresses of ConfigMaps as those of the Secrets beside them; those whose place is taken stay, for their value."""
    text = expression.source.text[expression.start : expression.end]
    if of_the_secret(Code(text), instance) is None:
        return
    for found in _ADDRESS.finditer(text):
        start = expression.start + found.start()
        yield Change(start, start + len(found[0]), f"{_secret_type(found)}.{found['label']}")


def _rename_entry(writing: ObjectWriting, stand: AtArgument, old: str, new: str) -> None:
    source = stand.attribute.source
    text = source.text[stand.attribute.expression.start : stand.attribute.expression.end]
    found = list(re.finditer(rf"(?<![\w./-])\"?{re.escape(old)}\"?(?=\s*[=:])", text))
    if len(found) != 1:
        raise CannotWrite(f"the entry {old} is not found where it is written")
    start = stand.attribute.expression.start + found[0].start()
    writing.pen.write(stand.body, [Change(start, start + len(found[0][0]), f'"{new}"')])


def _rename_key(writing: ObjectWriting, stand: AtArgument, name: str) -> None:
    """A key of a manifest, which has to be written out down to it."""
    node: Expression | None = stand.attribute.expression
    key: Expression | None = None
    for step in stand.rest:
        key = None
        if isinstance(node, ObjectOf):
            held = [item for item in node.items if object_key(item[0], stand.scope) == step]
            key, node = held[0] if len(held) == 1 else (None, None)
        elif isinstance(node, ListOf) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
        else:
            node = None
    if key is None or not isinstance(key, Template) or key.constant is None:
        raise CannotWrite(f"{stand.rest[-1]} is not written out as a key of {writing.instance.address}")
    writing._only_here(stand.scope)
    writing.pen.write(stand.body, [Change(key.start, key.end, key_text(name))])


def _shape_above(writing: ObjectWriting, route: Route) -> Shape:
    if len(route) > 1:
        above = writing.stand(route[:-1])
        if isinstance(above, AtBlock):
            return above.field.inner
    raise CannotWrite(f"what {route[-1]} stands in is not written as a block")


def become(instance: ResourceInstance, api_version: str, kind: str, pen: Pen) -> None:
    """Make a resource one of another type, and every address that names it in the module."""
    new = resource_type(api_version, kind, instance.type)
    old = table().kind(instance.type)
    if new is None or old is None:
        raise CannotWrite(f"{instance.address} cannot be written as a {kind}")
    module = instance.module.module
    label = instance.name
    if (new, label) in module.resources:
        label = next(each for number in range(2, 100) if (new, each := f"{label}_{number}") not in module.resources)
    address = re.compile(rf"(?<![\w.]){re.escape(instance.type)}\.{re.escape(instance.name)}(?![\w-])")
    for file in module.files:
        text = file.source.text
        changes = [Change(at.start(), at.end(), f"{new}.{label}") for at in address.finditer(text)]
        changes += _heads(file, instance, new, label)
        if changes:
            pen.write(file.body, changes)


def _heads(file: File, instance: ResourceInstance, new: str, label: str) -> Iterator[Change]:
    for block in file.body.blocks:
        if block.kind == "resource" and block.labels == [instance.type, instance.name]:
            yield from _head(block, {instance.type: new, instance.name: label})


def _head(block: Block, names: Mapping[str, str]) -> Iterator[Change]:
    text = block.source.text
    end = text.index("{", block.start)
    head = text[block.start : end]
    found = re.fullmatch(r'(resource\s+"?)([\w-]+)("?\s+"?)([\w-]+)("?\s*)', head)
    if found is None:
        raise CannotWrite(f"the head of the block in line {block.source.line(block.start)} is not understood")
    for group in (2, 4):
        start = block.start + found.start(group)
        if names[found[group]] != found[group]:
            yield Change(start, start + len(found[group]), names[found[group]])
