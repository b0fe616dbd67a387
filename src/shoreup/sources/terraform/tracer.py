"""From a field of a Kubernetes object back to the Terraform that gives it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from shoreup.formats.yaml import Document
from shoreup.formats.yaml.inside import origin_inside
from shoreup.model.location import Route
from shoreup.model.origin import Origin, Segment
from shoreup.model.value import Value, at
from shoreup.sources.provider import terraform_route
from shoreup.terraform.module import ResourceInstance
from shoreup.terraform.trace import trace_resource


class PlainTracer:
    """For resources whose body has Terraform's own shape."""

    __slots__ = ("instance",)

    def __init__(self, instance: ResourceInstance) -> None:
        self.instance = instance

    def trace(self, route: Route) -> Origin | None:
        """The origin of an attribute or block."""
        return trace_resource(self.instance, route)


class ObjectTracer:
    """For resources that the provider turns into a Kubernetes object."""

    __slots__ = ("body", "instance")

    def __init__(self, instance: ResourceInstance, body: Mapping[str, Value]) -> None:
        self.instance = instance
        self.body = body

    def trace(self, route: Route) -> Origin | None:
        """The origin of a field of the object."""
        if not route:
            return trace_resource(self.instance, ())
        attributes = self.instance.module.object_of(self.instance)
        terraform = terraform_route(self.instance.type, route, attributes)
        origin = None if terraform is None else trace_resource(self.instance, terraform)
        value = at(dict(self.body), *route)
        if origin is None or not isinstance(value, str) or origin.text == value:
            return origin
        # the provider writes some values anew, such as a mode as an octal number
        return replace(origin, segments=(Segment(value, origin.span, derived="the provider", via=origin.via),))


class YamlBodyTracer:
    """For an object that is written as YAML in an attribute (``kubectl_manifest``).

    ``text`` is the attribute's value as ``document`` was read from it, with placeholders for unknown parts.
    """

    __slots__ = ("attribute", "document", "instance", "text")

    def __init__(self, instance: ResourceInstance, attribute: str, document: Document, text: str) -> None:
        self.instance = instance
        self.attribute = attribute
        self.document = document
        self.text = text

    def trace(self, route: Route) -> Origin | None:
        """The origin of a field of the object, inside the attribute's text."""
        whole = trace_resource(self.instance, (self.attribute,) if route else ())
        if whole is None or not route:
            return whole
        found = self.document.trace(route)
        return None if found is None else origin_inside(found, whole, self.text)
