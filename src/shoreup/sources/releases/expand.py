"""From a release to what it runs."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from shoreup.model.location import Route
from shoreup.model.origin import Origin
from shoreup.model.resource import Resource
from shoreup.model.value import PartialText, Unknown, Value, at, pattern
from shoreup.sources.helm import helm_program
from shoreup.sources.reading import Found
from shoreup.sources.releases.apptemplate import objects
from shoreup.sources.releases.apptemplate.chart import Rules, chart, evaluated, rules_for
from shoreup.sources.releases.apptemplate.defaults import with_defaults
from shoreup.sources.releases.apptemplate.legacy import is_legacy, modernised
from shoreup.sources.releases.apptemplate.saying import AppTemplate
from shoreup.sources.releases.conventions import components
from shoreup.sources.releases.derive import From, Tree, lay_out
from shoreup.sources.releases.derived import DerivedObject, Silence
from shoreup.sources.releases.layers import Stack, root
from shoreup.sources.releases.patches import patched
from shoreup.sources.releases.reading import ReleaseReading
from shoreup.sources.releases.rendered import Refused, TemplateTracer, render
from shoreup.sources.releases.values import StackValues


def expand(release: ReleaseReading) -> list[Found]:
    """The objects that a release makes.

    First a ``ReleaseValues`` resource: the merged values, wherever they are written. Then, from the
    app-template chart, real workloads; so too from a chart in the repository, if Helm is at hand. For any other
    chart there is one ``ChartValues`` resource with what its values state beyond doubt (see
    :mod:`.conventions`), or nothing where they state nothing.
    """
    return [_values(release), *_objects(release)]


def _objects(release: ReleaseReading) -> Iterator[Found]:
    if is_app_template(release):
        return _from_app_template(release)
    made = _rendered(release)
    return _from_conventions(release) if made is None else iter(made)


def _values(release: ReleaseReading) -> Found:
    body: dict[str, Tree] = {
        "chart": release.chart,
        "repository": release.repository,
        "values": From(release.values, (), exact=True),
    }
    return _found(release, "helm", "ReleaseValues", release.name, body)


def _rendered(release: ReleaseReading) -> list[Found] | None:
    if release.tree is None or not release.chart_path or f"{release.chart_path}/Chart.yaml" not in release.tree:
        return None
    helm = helm_program()
    if helm is None:
        return None
    made = render(release, release.tree, helm)
    if isinstance(made, str):
        path = f"{release.chart_path}/Chart.yaml"
        if isinstance(made, Refused):
            release.tree.error(path, 0, str(made), "the chart's objects")
        else:
            release.tree.skipped[path] = "chart not rendered"
        return None
    found: list[Found] = []
    for body, path in made:
        name = at(body, "metadata", "name")
        item = _found(release, pattern(at(body, "apiVersion")), pattern(at(body, "kind")), pattern(name), body)
        own = at(body, "metadata", "namespace")
        if isinstance(own, str):
            item = Found(replace(item.resource, namespace=own), item.tracer)
        found.extend(patched(release, Found(item.resource, TemplateTracer(body, path, release.tree))))
    return found


def is_app_template(release: ReleaseReading) -> bool:
    """Whether the release runs the app-template chart in a version whose rules are known."""
    if release.chart != "app-template":
        return False
    legacy = rules_for(release.version).main_is_plain and is_legacy(root(release.stack))
    return legacy or "controllers" in release.values


def _from_app_template(release: ReleaseReading) -> Iterator[Found]:
    rules = rules_for(release.version)
    values = release.stack
    if rules.main_is_plain:
        values = modernised(values) if is_legacy(root(values)) else with_defaults(values)
    made = chart(root(values), rules, release.name, release.namespace, release.chart)
    if rules.evaluates_all:
        values = evaluated(values, made)
        made = replace(made, values=root(values))
    for api_version, kind, name, tree in objects(made):
        yield from patched(release, _found(release, api_version, kind, name, tree, values, rules))


def _from_conventions(release: ReleaseReading) -> Iterator[Found]:
    found = components(root(release.stack))
    if not found:
        return
    body: dict[str, Tree] = {"chart": release.chart, "components": found}
    yield _found(release, "helm", "ChartValues", release.name, body)


def _found(
    release: ReleaseReading,
    api_version: str,
    kind: str,
    name: str,
    tree: Tree,
    values: Stack | None = None,
    rules: Rules | None = None,
) -> Found:
    body, marks = lay_out(tree)
    assert isinstance(body, dict)
    namespace = _namespace(release.namespace)
    scoped = namespace if kind not in _CLUSTER_WIDE else None
    resource = Resource(
        api_version=api_version,
        kind=kind,
        namespace=scoped,
        name=name,
        body=body,
        address="/".join(part for part in (api_version, kind, scoped or "", name) if part),
        root=release.resource.root,
        source="helm",
        parent=release.resource.key,
    )
    said = values or release.stack
    dialect = Silence() if rules is None else AppTemplate(body, marks, said.values, rules)
    tracer = DerivedObject(
        body, marks, said.trace, _ReleasePlace(release), StackValues(said), dialect, release.found.tracer
    )
    return Found(resource, tracer)


_CLUSTER_WIDE = frozenset({"ClusterRole", "ClusterRoleBinding", "PersistentVolume", "StorageClass", "Namespace"})


class _ReleasePlace:
    """The place of the release itself, for what no value says."""

    def __init__(self, release: ReleaseReading) -> None:
        self._release = release

    def __call__(self, route: Route) -> Origin | None:
        values = self._release.values_route
        origin = self._release.found.tracer.trace(values) if values else None
        return origin or self._release.found.tracer.trace(())


def _namespace(value: Value) -> str | None:
    return pattern(value) if isinstance(value, (str, Unknown, PartialText)) else None
