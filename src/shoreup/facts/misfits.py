"""Fields of objects that Kubernetes' types do not have, and values that they cannot hold.

What is applied strictly (by kubectl, by Flux, by Argo CD) is then refused as a whole; by other ways the field is
dropped without a word. Only what is surely so counts: objects of Kubernetes' own kinds, as they are written, and those
of charts whose rendering is known. What is not decided and what somebody fills in later is not judged, nor a text that
looks like that. Terraform's own resource types have their own check. Values in its ``kubernetes_manifest`` are
converted on the way, and a chart writes its values out as text that is read again: of both names alone count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from shoreup.facts.defined_kinds import Defined, defined, shape_in
from shoreup.facts.estate import Estate
from shoreup.facts.kubernetes_fields import FREE, Form, Shape, shape_of
from shoreup.formats.nearest import nearest
from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.model.value import PartialText, Unknown, Value, at

_FIELD = re.compile(r"(?!x-)[A-Za-z][\w-]*")
"""A name that is meant as a field. Others are other programs' marks (``$patch``, ``.anchors``, ``x-common``)."""
_WRITTEN = re.compile(r"[a-z0-9.,:/_ -]*")
"""A text that nobody replaces before it is applied: without brackets, dollars, and words in capitals."""
_FEW = 2
"""A container's fields are those of an ephemeral one too."""
_SOPS = "sops"
_OWN_WORDS = frozenset({"labels", "annotations"})
_MANIFESTS = ("kubectl_manifest.", "k8s_manifest.", "kubernetes_manifest.")
_BUILT = frozenset({"kustomize", "flux", "argo"})
_CHART = "helm"
_JUDGED = _BUILT | {"manifest", "terraform", _CHART}
_FORMS = {"s": "text", "i": "a whole number", "n": "a number", "b": "true or false", "q": "a quantity",
          "x": "a number or text", "[": "a list", "{": "a map", "o": "an object"}  # fmt: skip


class Misfit(Struct, frozen=True, eq=False):
    """A field that does not fit. ``type`` is the Kubernetes type that it stands in.

    Of a field that is not known, ``meant`` is the field of that type that it surely stands for, and ``belongs`` the
    type around it, or in it, that has a field of this very name, ``beneath`` saying that it is one in it. Of a value
    that does not fit, ``given`` and ``wanted`` say what it is and what is taken.
    """

    resource: Resource
    route: Route
    type: str
    meant: str = ""
    belongs: str = ""
    beneath: bool = False
    given: str = ""
    wanted: str = ""
    owned: bool = False
    """Whether the last name of the route is its owner's own, as in labels."""

    @property
    def is_defined_here(self) -> bool:
        """Whether the kind is one that the estate defines, not one of Kubernetes."""
        return shape_of(self.resource.api_version, self.resource.kind) is None

    @property
    def name(self) -> str:
        """The field, for people."""
        *_, last = names = [step for step in self.route if isinstance(step, str)]
        if self.owned:
            return ".".join(names[-2:])
        return last if isinstance(self.route[-1], str) else f"an item of {last}"


def misfits(estate: Estate) -> tuple[Misfit, ...]:
    """Everything that does not fit, object by object. To be asked through :meth:`Estate.once`."""
    return tuple(_misfits(estate))


def _misfits(estate: Estate) -> Iterator[Misfit]:
    shapes = _Shapes(defined(estate))
    for resource in estate.resources:
        source = resource.source
        if source not in _JUDGED or (resource.parent >= 0 and source != _CHART):
            continue
        shape = shapes.of(resource.api_version, resource.kind)
        if shape is None or _SOPS in resource.body:
            continue
        converted = source == _CHART
        if source == "terraform":
            if not any(kind in resource.address for kind in _MANIFESTS):
                continue
            converted = _MANIFESTS[-1] in resource.address
        look = _Look(resource, converted=converted, found=[])
        look.fields(resource.body, shape, (), ())
        yield from look.found


class _Shapes(Struct):
    """The fields of Kubernetes' kinds, and of those that the estate defines, once each."""

    here: Defined
    known: dict[tuple[str, str], Shape | None] = {}

    def of(self, api_version: str, kind: str) -> Shape | None:
        """The fields of a kind, where they are known."""
        shape = shape_of(api_version, kind)
        if shape is not None or not self.here:
            return shape
        key = api_version, kind
        if key not in self.known:
            group, _, version = api_version.rpartition("/")
            definition = self.here.get((group, kind))
            self.known[key] = shape_in(definition, version) if definition is not None else None
        return self.known[key]


class _Look(Struct):
    """One object that is looked through. ``converted`` says that scalars are, on the way to the cluster."""

    resource: Resource
    converted: bool
    found: list[Misfit]

    def fields(self, body: Mapping[str, Value], shape: Shape, route: Route, around: tuple[Shape, ...]) -> None:
        """The fields of one object of the type ``shape``, which stands in those ``around``, the outermost first."""
        known = shape.fields
        for name, value in body.items():
            form = known.get(name)
            if form is None:
                if _FIELD.fullmatch(name):
                    self.found.append(self._stranger(name, value, body, shape, (*route, name), around))
            elif type(value) is not form.exact and value is not None and form.code != FREE:
                self._value(value, form, shape, (*route, name), around)

    def _value(self, value: Value, form: Form, shape: Shape, route: Route, around: tuple[Shape, ...]) -> None:
        code = form.code
        if isinstance(value, (Unknown, PartialText)):
            return
        if code == "o" and isinstance(value, dict):
            self.fields(value, form.shape, route, (*around, shape))
        elif code == "[" and isinstance(value, list):
            self._inside(enumerate(value), form.inner, shape, route, around)
        elif code == "{" and isinstance(value, dict):
            self._inside(value.items(), form.inner, shape, route, around)
        elif code != FREE and not _fits(value, code) and not self._is_converted(value, code, route):
            owned = isinstance(route[-1], str) and route[-1] not in shape.fields
            given, wanted = _called(value), _FORMS.get(code, code)
            self.found.append(Misfit(self.resource, route, shape.name, given=given, wanted=wanted, owned=owned))

    def _inside(
        self,
        entries: Iterable[tuple[int | str, Value]],
        form: Form | None,
        shape: Shape,
        route: Route,
        around: tuple[Shape, ...],
    ) -> None:
        assert form is not None
        exact = form.exact
        for key, value in entries:
            if type(value) is not exact and value is not None:
                self._value(value, form, shape, (*route, key), around)

    def _is_converted(self, value: Value, code: str, route: Route) -> bool:
        """Whether something on the way makes it fit: Terraform of every scalar, Kustomize of labels."""
        if isinstance(value, (dict, list)) or code in "[{o":
            return False
        return self.converted or (self.resource.source in _BUILT and bool(_OWN_WORDS.intersection(route)))

    def _stranger(
        self, name: str, value: Value, body: Mapping[str, Value], shape: Shape, route: Route, around: tuple[Shape, ...]
    ) -> Misfit:
        field = next((step for step in reversed(route[:-1]) if isinstance(step, str)), "")
        for outer in reversed(around):
            alike = outer.fields.get(field)  # as a pod and its containers both have a security context
            for place in (outer, alike.shape) if alike is not None and alike.code == "o" else (outer,):
                if name in place.fields:
                    return Misfit(self.resource, route, shape.name, belongs=place.name)
        beneath = _beneath(shape, name, value)
        if beneath:
            return Misfit(self.resource, route, shape.name, belongs=beneath, beneath=True)
        free = (field for field, form in shape.fields.items() if field not in body and _may_hold(form, value))
        return Misfit(self.resource, route, shape.name, meant=nearest(name, free))


def _beneath(shape: Shape, name: str, value: Value) -> str:
    """The type right inside of another that has a field of this name. What many have is not meant."""
    types: dict[str, None] = {}
    for form in shape.fields.values():
        inner = form.inner if form.code == "[" and form.inner else form
        if inner.code == "o" and name in inner.shape.fields and _may_hold(inner.shape.fields[name], value):
            types[inner.shape.name] = None
    return next(iter(types)) if 0 < len(types) <= _FEW else ""


def _may_hold(form: Form, value: Value) -> bool:
    """Whether a value could be that of a field of this form."""
    if value is None or isinstance(value, (Unknown, PartialText)) or form.code == FREE:
        return True
    if isinstance(value, dict):
        return form.code in "{o"
    if isinstance(value, list):
        return form.code == "["
    return form.code not in "[{o" and _fits(value, form.code)


def _fits(value: Value, code: str) -> bool:
    """Whether the API server takes a decided value. A text that may be filled in yet fits everywhere."""
    if isinstance(value, str):
        return code in "sqx" or _WRITTEN.fullmatch(value) is None
    if isinstance(value, bool):
        return code == "b"
    if isinstance(value, int):
        return code in "inqx"
    if isinstance(value, float):
        return code in "nq" or (code in "ix" and value.is_integer())
    return False


def _called(value: Value) -> str:
    """What a value is, without what it says."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, list) else "a map"


def held_by(misfit: Misfit) -> str:
    """The name of the container that a misfit stands in; empty where it stands in none."""
    for index, step in enumerate(misfit.route[:-1]):
        if step in ("containers", "initContainers"):
            name = at(dict(misfit.resource.body), *misfit.route[: index + 2], "name")
            return name if isinstance(name, str) else ""
    return ""
