"""A new object beside another one, as a resource of the same provider right behind it.

It is written as its neighbour is: versioned type names, the namespace by the same reference, a name that is put
together from the same parts, and for each of the same keys where the neighbour stands for several.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from shoreup.formats.edits import CannotWrite
from shoreup.formats.hcl.rendering import Code, NewAttribute, NewBlock, NewItem, Plain, data_in, expression_text, plain
from shoreup.formats.hcl.syntax import Call, Template
from shoreup.formats.yaml.writing import new_document
from shoreup.model.location import Route
from shoreup.model.value import Value, at
from shoreup.sources.provider.conversion import MANIFEST
from shoreup.sources.provider.table import table
from shoreup.sources.provider.writing import object_items, resource_type
from shoreup.sources.terraform.objects import ObjectWriting, code_of
from shoreup.sources.terraform.pen import Pen
from shoreup.sources.terraform.plainly import PlainWriting
from shoreup.terraform.module import ResourceInstance

NAME: Route = ("metadata", "name")
NAMESPACE: Route = ("metadata", "namespace")


def add_object(
    beside: ObjectWriting | PlainWriting,
    known: Mapping[str, Value],
    body: Mapping[str, Value],
    like: tuple[tuple[Route, Route], ...],
    pen: Pen,
) -> None:
    """Write a new object behind ``beside``, whose own body is ``known``."""
    instance = beside.instance
    kind = resource_type(str(body.get("apiVersion")), str(body.get("kind")), instance.type)
    if instance.type == MANIFEST or kind is None:
        kind = MANIFEST
    codes = [(route, _expression(beside, other)) for route, other in (*_usual(beside, known, body), *like)]
    held: Value = dict(body)
    for route, code in codes:
        held = held if code is None else blanked(held, route)
    made = plain(held)
    for route, code in codes:
        made = made if code is None else with_code(made, route, code)
    name = _name_code(beside, known, body)
    if name is not None and NAME not in [route for route, _ in like]:
        made = with_code(made, NAME, name)
    assert isinstance(made, Mapping)
    items: list[NewItem] = [*_meta(instance)]
    found = table().kind(kind)
    items += [NewAttribute("manifest", made)] if found is None else object_items(found, made)
    label = label_for(instance, kind, str(at(dict(body), *NAME)))
    block = instance.block
    pen.write(
        block.body, pen.on(block.body).add_block(block, NewBlock("resource", tuple(items), (kind, label), ordered=True))
    )


def blanked(value: Value, route: Route) -> Value:
    """A value without what is written as code: it need not be known."""
    if not route:
        return ""
    if isinstance(value, dict) and route[0] in value:
        return {key: blanked(item, route[1:]) if key == route[0] else item for key, item in value.items()}
    if isinstance(value, list):
        return [blanked(item, route[1:]) if index == route[0] else item for index, item in enumerate(value)]
    return value


def add_yaml(instance: ResourceInstance, attribute: str, body: Mapping[str, Value], pen: Pen) -> None:
    """Write a new object behind a resource that holds its own as YAML in an attribute."""
    block = instance.block
    written = block.body.attributes[attribute].expression if attribute in block.body.attributes else None
    text: Plain
    if isinstance(written, Call) and written.name == "yamlencode":
        style = pen.on(block.body).style
        text = Code(f"yamlencode({expression_text(plain(dict(body)), '', style)})")
    elif isinstance(written, Template) and written.encoding in ("hcl-heredoc", "hcl-quoted"):
        text = new_document(dict(body))
    else:
        raise CannotWrite(f"{instance.address} takes its objects from elsewhere, and a new one has no place there yet")
    label = label_for(instance, instance.type, str(at(dict(body), *NAME)))
    items = (*(item for item in _meta(instance) if item.name == "provider"), NewAttribute(attribute, text))
    new = NewBlock("resource", items, (instance.type, label))
    pen.write(block.body, pen.on(block.body).add_block(block, new))


def with_code(value: Plain, route: Route, code: Code) -> Plain:
    """A value with an expression in place of what is at a route; unchanged where nothing is."""
    if not route:
        return code if code.value is not None else Code(code.text, data_in(value))
    step = route[0]
    if isinstance(value, Mapping) and step in value:
        return {key: with_code(item, route[1:], code) if key == step else item for key, item in value.items()}
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return [with_code(item, route[1:], code) if index == step else item for index, item in enumerate(value)]
    return value


def _usual(
    beside: ObjectWriting | PlainWriting, known: Mapping[str, Value], body: Mapping[str, Value]
) -> list[tuple[Route, Route]]:
    """What is written as the neighbour writes it without being asked: the namespace, if it is the same."""
    other = NAMESPACE if isinstance(beside, ObjectWriting) else ("namespace",)
    namespace = at(dict(body), *NAMESPACE)
    same = namespace is not None and namespace == at(dict(known), *other)
    return [(NAMESPACE, other)] if same else []


def _expression(beside: ObjectWriting | PlainWriting, route: Route) -> Code | None:
    if isinstance(beside, ObjectWriting):
        return beside.expression(route, beside.instance.scope)
    found = beside.argument(route)
    return code_of(found.attribute.expression) if found is not None and not found.rest else None


def _name_code(
    beside: ObjectWriting | PlainWriting, known: Mapping[str, Value], body: Mapping[str, Value]
) -> Code | None:
    """A name that holds the neighbour's is put together from the neighbour's, where that is no plain text."""
    route: Route = NAME if isinstance(beside, ObjectWriting) else ("name",)
    old, new = at(dict(known), *route), at(dict(body), *NAME)
    found = beside.argument(route)
    if not isinstance(old, str) or not isinstance(new, str) or not old or found is None or found.rest:
        return None
    written = found.attribute.expression
    if isinstance(written, Template) and written.constant is not None:
        return None
    code = code_of(written)
    if code is None or old not in new or "\n" in code.text:
        return None
    before, _, after = new.partition(old)
    if not re.fullmatch(r"[\w.-]*", before + after):
        return None
    if isinstance(written, Template) and written.encoding == "hcl-quoted":
        return Code(f'"{before}{code.text[1:-1]}{after}"')
    return Code(f'"{before}${{{code.text}}}{after}"') if before or after else code


def _meta(instance: ResourceInstance) -> list[NewAttribute]:
    """The arguments that say how often and with which provider a resource is made."""
    items: list[NewAttribute] = []
    for name in ("count", "for_each", "provider"):
        attribute = instance.block.body.attributes.get(name)
        if attribute is not None:
            code = code_of(attribute.expression)
            if code is None:
                raise CannotWrite(f"{name} of {instance.address} cannot be written twice")
            items.append(NewAttribute(name, code))
    return items


def _kind_word(kind: str) -> str:
    """``deployment`` for ``kubernetes_deployment_v1``."""
    return re.sub(r"_v[0-9][a-z0-9]*$", "", kind.partition("_")[2])


def label_for(instance: ResourceInstance, kind: str, name: str) -> str:
    """A name in Terraform that nothing of the type has yet: the neighbour's, else one made of the object's name."""
    taken = {label for resource, label in instance.module.module.resources if resource == kind}
    made = re.sub(r"\W", "_", name) or "object"
    made = f"_{made}" if made[0].isdigit() else made
    # a neighbour that is called after its kind has a neighbour that is called after its own
    own = _kind_word(kind) if instance.name == _kind_word(instance.type) else instance.name
    for label in (own, made, *(f"{made}_{number}" for number in range(2, 1000))):
        if label not in taken:
            return label
    raise CannotWrite(f"every name for a new {kind} is taken")
