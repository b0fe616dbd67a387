"""From a field of a Kubernetes object back to the Terraform that gives it, to read and to write."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from msgspec.structs import replace

from shoreup.formats.edits import CannotWrite, Replacement
from shoreup.formats.files import Reader
from shoreup.formats.hcl.rendering import Code, Plain, plain
from shoreup.formats.yaml import Document
from shoreup.formats.yaml.inside import origin_inside
from shoreup.formats.yaml.writing import Page
from shoreup.model.location import Route
from shoreup.model.origin import Origin, Segment
from shoreup.model.value import Value, at
from shoreup.sources.editing import Like, Names
from shoreup.sources.pages import PageEditor
from shoreup.sources.provider import terraform_route
from shoreup.sources.terraform.adding import add_object, add_yaml, blanked, with_code
from shoreup.sources.terraform.jsonly import JsonWriting, is_json
from shoreup.sources.terraform.objects import ObjectWriting, code_of
from shoreup.sources.terraform.pen import Pen
from shoreup.sources.terraform.plainly import PlainWriting
from shoreup.sources.terraform.renaming import become, names_a_secret, of_the_secret, renamed
from shoreup.sources.terraform.sharing import why_shared
from shoreup.sources.terraform.switching import switched
from shoreup.terraform.module import ResourceInstance
from shoreup.terraform.trace import trace_resource

W = TypeVar("W", ObjectWriting, PlainWriting)


class _Writable(ABC, Generic[W]):
    """A resource's edits: in the file's own syntax, or in JSON where it is written so."""

    __slots__ = ()

    instance: ResourceInstance

    @abstractmethod
    def _known(self) -> Mapping[str, Value]:
        """The resource's own body."""

    @abstractmethod
    def _writing(self, pen: Pen, alone: bool) -> W:
        """What writes into the resource's block."""

    @abstractmethod
    def _alike(self, writing: W, value: Value, like: Like) -> Plain:
        """A value with those fields written as others of the resource are."""

    def put(
        self, route: Route, value: Value, read: Reader, *, like: Like = (), alone: bool = False
    ) -> tuple[Replacement, ...]:
        """Give a field a value; see :class:`shoreup.sources.editing.Editor`."""
        return self._made(
            read,
            alone,
            lambda page: page.put(route, value),
            lambda writing: writing.put(route, self._alike(writing, value, like)),
        )

    def append(
        self, route: Route, value: Value, read: Reader, *, like: Like = (), alone: bool = False
    ) -> tuple[Replacement, ...]:
        """Add an item to a list of values or of blocks."""
        return self._made(
            read,
            alone,
            lambda page: page.append(route, value),
            lambda writing: writing.append(route, self._alike(writing, value, like)),
        )

    def remove(self, route: Route, read: Reader, *, alone: bool = False) -> tuple[Replacement, ...]:
        """Take away a field, a block or an item."""
        return self._made(read, alone, lambda page: page.remove(route), lambda writing: writing.remove(route))

    def add(self, body: Mapping[str, Value], read: Reader, *, like: Like = ()) -> tuple[Replacement, ...]:
        """Write a new Kubernetes object behind this resource."""
        return self._made(
            read,
            False,
            lambda page: page.add(self._known(), body, like),
            lambda writing: add_object(writing, self._known(), body, like, writing.pen),
        )

    def _made(
        self,
        read: Reader,
        alone: bool,
        in_json: Callable[[JsonWriting], tuple[Replacement, ...]],
        natively: Callable[[W], None],
    ) -> tuple[Replacement, ...]:
        if is_json(self.instance):
            return in_json(JsonWriting(self.instance, read, alone))
        pen = _pen(self.instance, read)
        natively(self._writing(pen, alone))
        return pen.replacements()


class PlainTracer(_Writable[PlainWriting]):
    """For resources whose body has Terraform's own shape."""

    __slots__ = ("instance",)

    def __init__(self, instance: ResourceInstance) -> None:
        self.instance = instance

    def trace(self, route: Route) -> Origin | None:
        """The origin of an attribute or block."""
        return trace_resource(self.instance, route)

    def _known(self) -> Mapping[str, Value]:
        return self.instance.module.object_of(self.instance)

    def _writing(self, pen: Pen, alone: bool) -> PlainWriting:
        return PlainWriting(self.instance, pen, alone)

    def _alike(self, writing: PlainWriting, value: Value, like: Like) -> Plain:
        return _alike_plain(writing, value, like)


class ObjectTracer(_Writable[ObjectWriting]):
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

    def _known(self) -> Mapping[str, Value]:
        return self.body

    def _writing(self, pen: Pen, alone: bool) -> ObjectWriting:
        return ObjectWriting(self.instance, self.body, pen, alone)

    def _alike(self, writing: ObjectWriting, value: Value, like: Like) -> Plain:
        return _alike(writing, value, like)

    def switch(
        self, wanted: Mapping[str, Value], more: Sequence[Mapping[str, Value]], read: Reader
    ) -> tuple[Replacement, ...]:
        """Give the module's call the argument that does the same for another call."""
        return switched(self.instance, wanted, more, read)

    def rename(
        self, route: Route, name: str, inside: Names, read: Reader, *, alone: bool = False
    ) -> tuple[Replacement, ...]:
        """Call a block by the name of another one of the provider's."""
        pen = _pen(self.instance, read)
        renamed(ObjectWriting(self.instance, self.body, pen, alone), route, name, inside)
        return pen.replacements()

    def become(self, kind: str, names: Names, read: Reader, *, alone: bool = False) -> tuple[Replacement, ...]:
        """Make it a resource of another type, for all that refer to it."""
        if alone and (why := why_shared(self.instance)):
            raise CannotWrite(f"it cannot be changed for this resource alone: {why}")
        pen = _pen(self.instance, read)
        become(self.instance, str(self.body.get("apiVersion")), kind, pen)
        return pen.replacements()


class YamlBodyTracer:
    """For an object that is written as YAML in an attribute (``kubectl_manifest``).

    ``text`` is the attribute's value as ``document``, its document ``index``, was read from it, with placeholders for
    unknown parts.
    """

    __slots__ = ("attribute", "document", "index", "instance", "text")

    def __init__(
        self, instance: ResourceInstance, attribute: str, document: Document, text: str, index: int = 0
    ) -> None:
        self.instance = instance
        self.attribute = attribute
        self.document = document
        self.text = text
        self.index = index

    def trace(self, route: Route) -> Origin | None:
        """The origin of a field of the object, inside the attribute's text."""
        whole = trace_resource(self.instance, (self.attribute,) if route else ())
        if whole is None or not route:
            return whole
        found = self.document.trace(route)
        return None if found is None else origin_inside(found, whole, self.text)

    def put(
        self, route: Route, value: Value, read: Reader, *, like: Like = (), alone: bool = False
    ) -> tuple[Replacement, ...]:
        """Give a field a value: in the text, or in the code that the text is made of."""
        code = PlainWriting(self.instance, _pen(self.instance, read), alone)
        return self._either(
            lambda: self._page(alone, read).put(route, value, read, like=like, alone=alone),
            lambda: code.put((self.attribute, *route), plain(value)),
            code,
        )

    def append(
        self, route: Route, value: Value, read: Reader, *, like: Like = (), alone: bool = False
    ) -> tuple[Replacement, ...]:
        """Add an item to a list."""
        code = PlainWriting(self.instance, _pen(self.instance, read), alone)
        return self._either(
            lambda: self._page(alone, read).append(route, value, read, like=like, alone=alone),
            lambda: code.append((self.attribute, *route), plain(value)),
            code,
        )

    def remove(self, route: Route, read: Reader, *, alone: bool = False) -> tuple[Replacement, ...]:
        """Take away a field or an item."""
        code = PlainWriting(self.instance, _pen(self.instance, read), alone)
        return self._either(
            lambda: self._page(alone, read).remove(route, read, alone=alone),
            lambda: code.remove((self.attribute, *route)),
            code,
        )

    def rename(
        self, route: Route, name: str, inside: Names, read: Reader, *, alone: bool = False
    ) -> tuple[Replacement, ...]:
        """Call a key otherwise, in the attribute's text."""
        return self._page(alone, read).rename(route, name, inside, read)

    def become(self, kind: str, names: Names, read: Reader, *, alone: bool = False) -> tuple[Replacement, ...]:
        """Make the object in the attribute's text one of another kind."""
        return self._page(alone, read).become(kind, names, read)

    def add(self, body: Mapping[str, Value], read: Reader, *, like: Like = ()) -> tuple[Replacement, ...]:
        """Write a new object behind this one, as YAML like it."""
        pen = _pen(self.instance, read)
        add_yaml(self.instance, self.attribute, body, pen)
        return pen.replacements()

    def _page(self, alone: bool, read: Reader) -> PageEditor:
        """The attribute's text, to write into."""
        if alone:
            PlainWriting(self.instance, _pen(self.instance, read), alone).check_alone((self.attribute,))
        return PageEditor(lambda: Page(self.text, self.index), lambda: trace_resource(self.instance, (self.attribute,)))

    def _either(
        self, text: Callable[[], tuple[Replacement, ...]], code: Callable[[], None], writing: PlainWriting
    ) -> tuple[Replacement, ...]:
        try:
            return text()
        except CannotWrite as problem:
            try:
                code()
                return writing.pen.replacements()
            except CannotWrite:
                raise problem from None


def _pen(instance: ResourceInstance, read: Reader) -> Pen:
    return Pen(instance.module.root.configurations, read)


def _alike(writing: ObjectWriting, value: Value, like: Like) -> Plain:
    """A value, with those fields written as others of the resource are that mean the same where it goes."""
    codes: dict[Route, Code] = {}
    for route, other in like:
        code = writing.expression(other, writing.instance.scope)
        if code is not None and names_a_secret(route):
            code = of_the_secret(code, writing.instance)
        codes |= {} if code is None else {route: code}
    return _spoken(value, codes)


def _alike_plain(writing: PlainWriting, value: Value, like: Like) -> Plain:
    codes: dict[Route, Code] = {}
    for route, other in like:
        found = writing.argument(other)
        code = code_of(found.attribute.expression) if found and not found.rest else None
        codes |= {} if code is None else {route: code}
    return _spoken(value, codes)


def _spoken(value: Value, codes: Mapping[Route, Code]) -> Plain:
    """A value with expressions in it; what they stand for need not be known."""
    held = value
    for route in codes:
        held = blanked(held, route)
    made = plain(held)
    for route, code in codes.items():
        made = with_code(made, route, Code(code.text, at(value, *route)))
    return made
