"""What the chart knows while it makes its objects: names, versions, what is enabled.

The rules were read from the chart's sources, versions 2.6.0, 3.7.3, 4.1.1 and 5.3.0 (November 2026). They
differ in how objects are named and in what is there without being asked for; :class:`Rules` holds the differences.
"""

from __future__ import annotations

import re

from msgspec import Struct
from msgspec.structs import replace

from shoreup.model.value import Unknown, Value, pattern
from shoreup.sources.releases.apptemplate.templating import Scope, plain, tpl
from shoreup.sources.releases.derive import DerivedTracer, From, Tree, lay_out
from shoreup.sources.releases.layers import Layer, Node, Stack, nowhere, root
from shoreup.sources.releases.values import StackValues


class Rules(Struct, frozen=True):
    """How a range of versions behaves; the defaults are the newest."""

    since: tuple[int, int]
    service_links: bool = False
    mounts_token: bool = False
    default_account: bool = True
    """A ServiceAccount named after the release is made when none is declared."""
    account_by_identifier: bool = False
    """A pod asks for the only ServiceAccount by its identifier, even where its name is another."""
    override_names: bool = False
    """Names are changed by ``nameOverride`` and not by ``forceRename``, ``prefix`` and ``suffix``."""
    main_is_plain: bool = False
    """Whatever is called ``main`` bears the release's name, and the chart brings values for it."""
    probes_need_service: bool = False
    image_needs_tag: bool = False
    evaluates_all: bool = False
    """Template expressions are evaluated in every value, not only where earlier versions expect them."""
    pod_label: str = "app.kubernetes.io/controller"
    """The label by which a controller's pods are told from another's; empty where there is only one controller."""


_COMPONENT = "app.kubernetes.io/component"
_V42 = Rules((4, 2), mounts_token=True, default_account=False, image_needs_tag=True)
_V40 = replace(_V42, since=(4, 0), probes_need_service=True, account_by_identifier=True)
_V3 = replace(_V40, since=(3, 0), override_names=True, pod_label=_COMPONENT, account_by_identifier=False)
_V2 = replace(_V3, since=(2, 0), service_links=True, main_is_plain=True)
_V1 = replace(_V2, since=(0, 0), pod_label="")

RULES = (Rules((5, 3), evaluates_all=True), Rules((5, 0)), _V42, _V40, _V3, _V2, _V1)
"""The newest first."""


def rules_for(version: str | Unknown | None) -> Rules:
    """The rules of a version or range; the newest known ones where it is not decided."""
    numbers = re.match(r"[v^~>=<\s]*(\d+)(?:\.(\d+))?", version) if isinstance(version, str) else None
    if numbers is None:
        return RULES[0]
    wanted = (int(numbers[1]), int(numbers[2] or 99))
    return next(rules for rules in RULES if wanted >= rules.since)


class Chart(Struct, frozen=True, eq=False):
    """One release of the chart. ``values`` are its merged values; ``namespace`` is ``None`` where nothing says it."""

    rules: Rules
    values: Node
    release: str
    namespace: str | Unknown | None
    scope: Scope

    def enabled(self, key: str) -> dict[str, Node]:
        """The enabled maps below a key of the values, by identifier. What is not said to be off is on."""
        return switched_on(self.values[key])

    def tpl(self, node: Node) -> Tree:
        """A value with its template expressions evaluated."""
        return tpl(node, self.scope)

    def name(self, identifier: str, node: Node, count: int, *, always: bool = False) -> str:
        """The name of an object, one of ``count`` of its kind that are enabled; ``always`` appends the identifier."""
        full = self.scope.full_name
        if self.rules.override_names:
            return self._overridden(identifier, node, count, always=always)
        force = node["forceRename"]
        if not force.empty:
            return pattern(plain(force, self.scope)).lower()
        prefix, suffix = (pattern(plain(node[key], self.scope)) for key in ("prefix", "suffix"))
        name = full
        if prefix and prefix != name:
            name = f"{prefix}-{name}"
        append = count > 1 or self.values.dig("global", "alwaysAppendIdentifierToResourceName").value is True
        if append and not name.endswith(f"-{identifier}") and identifier != name:
            name = f"{name}-{identifier}"
        if suffix and not name.endswith(f"-{suffix}"):
            name = f"{name}-{suffix}"
        return name.lower()

    def _overridden(self, identifier: str, node: Node, count: int, *, always: bool) -> str:
        full = self.scope.full_name
        override = pattern(plain(node["nameOverride"], self.scope))
        if override:
            return full if override in ("-", full) else f"{full}-{override}"
        if self.rules.main_is_plain and not always:
            return full if identifier == "main" else f"{full}-{identifier}"
        if (always or count > 1) and identifier != full:
            return f"{full}-{identifier}"
        return full

    def metadata(self, node: Node, name: str, extra: dict[str, Tree] | None = None, *, scoped: bool = True) -> Tree:
        """The metadata of an object made from ``node``. ``extra`` are further labels."""
        labels = self.labels(node["labels"], extra)
        made: dict[str, Tree] = {"name": name, "labels": labels}
        annotations = self.annotations(node["annotations"])
        if annotations:
            made["annotations"] = annotations
        if scoped and self.namespace is not None:
            made["namespace"] = self.namespace
        return made

    def labels(self, node: Node, extra: dict[str, Tree] | None = None) -> dict[str, Tree]:
        """The chart's labels with those of an object over them."""
        made: dict[str, Tree] = {**self.selector(), "app.kubernetes.io/managed-by": "Helm"}
        for source in (self.values.dig("global", "labels"), node):
            made.update({key: self.tpl(item) for key, item in source.items()})
        made.update(extra or {})
        return made

    def annotations(self, node: Node) -> dict[str, Tree]:
        """The annotations of an object, with the global ones."""
        made: dict[str, Tree] = {}
        for source in (self.values.dig("global", "annotations"), node):
            made.update({key: self.tpl(item) for key, item in source.items()})
        return made

    def selector(self) -> dict[str, Tree]:
        """The labels by which everything of the release is found."""
        return {"app.kubernetes.io/name": self.scope.name, "app.kubernetes.io/instance": self.release}

    def controller_selector(self, identifier: str) -> dict[str, Tree]:
        """The labels of one controller's pods."""
        extra = self.values.dig("controllers", identifier, "extraSelectorLabels")
        made = {**self.selector(), **self.pod_label(identifier)}
        made.update({key: self.tpl(item) for key, item in extra.items()})
        return made

    def pod_label(self, identifier: str) -> dict[str, Tree]:
        """The label that tells one controller's pods."""
        return {self.rules.pod_label: identifier} if self.rules.pod_label else {}

    def only_controller(self) -> str:
        """The identifier of the controller when there is exactly one, else empty."""
        controllers = list(self.enabled("controllers"))
        return controllers[0] if len(controllers) == 1 else ""

    def primary_service(self, controller: str) -> Node | None:
        """The service that a controller's probes go by."""
        mine = {
            identifier: node
            for identifier, node in self.enabled("service").items()
            if (node["controller"].text or self.only_controller()) == controller
        }
        for node in mine.values():
            if node["primary"].value is True:
                return node
        return next(iter(mine.values()), None)


def switched_on(node: Node) -> dict[str, Node]:
    """The maps below a node that are not switched off, in order."""
    found = {}
    for key, child in node.items():
        if isinstance(child.value, dict) and child["enabled"].value is not False:
            found[key] = child
    return found


def primary_port(service: Node) -> Node | None:
    """The port that stands for a service: the one marked primary, else the first by name."""
    ports = switched_on(service["ports"])
    for port in ports.values():
        if port["primary"].value is True:
            return port
    return next(iter(ports.values()), None)


def chart(values: Node, rules: Rules, release: str, namespace: str | Unknown | None, chart_name: str) -> Chart:
    """Bind values to a release. The app-template chart takes the release's name for its own; others that use the
    library do not.
    """
    override = values.dig("global", "nameOverride")
    base = chart_name if chart_name != "app-template" else release
    for node in (values["nameOverride"], override):
        if not node.empty:
            base = pattern(node.value) if chart_name != "app-template" or node is override else base
    name = base[:63].removesuffix("-")
    full = ""
    for node in (values["fullnameOverride"], values.dig("global", "fullnameOverride")):
        if not node.empty:
            full = pattern(node.value)
    if not full:
        full = release if name in release else f"{release}-{name}"
    full = full[:63].removesuffix("-")
    inside = Unknown("the namespace is not declared") if namespace is None else namespace
    scope = Scope(release=release, namespace=inside, chart=chart_name, full_name=full, name=name, values=values.value)
    return Chart(rules, values, release, namespace, scope)


def evaluated(values: Stack, made: Chart) -> Stack:
    """Values with every template expression evaluated, each still leading to where it is written."""
    if not _has_template(values.values):
        return values
    body, marks = lay_out(tpl(root(values), made.scope))
    assert isinstance(body, dict)
    tracer = DerivedTracer(body, marks, values.trace, nowhere)
    return Stack((Layer(body, tracer.trace, StackValues(values)),), body, values.open_reason)


def _has_template(value: Value) -> bool:
    if isinstance(value, dict):
        return any(map(_has_template, value.values()))
    if isinstance(value, list):
        return any(map(_has_template, value))
    return isinstance(value, str) and "{{" in value


def copied(node: Node) -> Tree:
    """A value as it stands."""
    return From(node.value, node.route, exact=True)


def put(made: dict[str, Tree], key: str, node: Node) -> None:
    """Copy a value under ``key`` unless Helm would find it empty."""
    if not node.empty:
        made[key] = copied(node)


def number(node: Node, default: int) -> Tree:
    """A number, or the chart's default where nothing is said."""
    return default if node.value is None else copied(node)


def ordered(items: dict[str, Node]) -> list[str]:
    """Identifiers sorted by name, with what they depend on before them."""
    waiting: dict[str, list[str]] = {}
    for key, node in items.items():
        needs = node["dependsOn"].value
        listed = needs if isinstance(needs, list) else [needs]
        waiting[key] = [need for need in listed if isinstance(need, str)]
    done: list[str] = []
    while waiting:
        ready = next((key for key in sorted(waiting) if not waiting[key]), None)
        if ready is None:  # a circle, or something that is not there: Helm would fail
            return done + sorted(waiting)
        del waiting[ready]
        done.append(ready)
        waiting = {key: [need for need in needs if need != ready] for key, needs in waiting.items()}
    return done
