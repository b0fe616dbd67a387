"""Values of any shape, with anything unknown anywhere, give objects or none, and never an accident."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from releasing import leaves
from shoreup.model.location import Route, Span
from shoreup.model.origin import Origin, Segment
from shoreup.model.resource import Resource
from shoreup.model.value import PartialText, Unknown, Value, at
from shoreup.sources.reading import Found
from shoreup.sources.releases import ReleaseReading, Where, expand
from shoreup.sources.releases.layers import Layer, nowhere, stack

WORDS = """
controllers service ingress route persistence configMaps secrets serviceAccount rbac roles bindings main app
type containers initContainers image repository tag digest env envFrom probes liveness readiness enabled custom
spec port ports http path protocol hosts host paths tls rules backendRefs identifier name existingClaim
globalMounts advancedMounts volumeClaimTemplates statefulset cronjob schedule pod defaultPodOptions labels
global nameOverride prefix dependsOn replicas strategy rollingUpdate value valueFrom size accessMode
storageClass rawResources manifest kind subjects roleRef networkpolicies podSelector serviceMonitor endpoints
command args controller subPath portRange start end
""".split()
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 70000),
    st.floats(allow_nan=False),
    st.sampled_from(
        ["", "main", "app", "cronjob", "statefulset", "HTTP", "{{ .Release.Name }}", "{{ if", "{{ .Values.a }}x"]
    ),
    st.just(Unknown("nobody knows")),
    st.just(PartialText(("a", Unknown("nobody knows"), "{{ b"))),
)
VALUES: st.SearchStrategy[Value] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.dictionaries(st.sampled_from(WORDS), inner, max_size=5),
        st.lists(inner, max_size=3),
    ),
    max_leaves=40,
)
MAPS = st.dictionaries(st.sampled_from(WORDS), VALUES, max_size=6)
CONTROLLER = st.dictionaries(st.sampled_from(["main", "app"]), MAPS, max_size=2)


class Written:
    """Every value stands in one file, at a place of its own."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self.values = values

    def trace(self, route: Route) -> Origin | None:
        value = at(dict(self.values), *route)
        span = Span("values.yaml", abs(hash(route)) % 1000, 2000)
        return Origin(span, span, (), (Segment(value, span),) if isinstance(value, str) else ())


def release(values: dict[str, Value], version: str, chart: str, *, known: bool) -> ReleaseReading:
    written = Written(values)
    resource = Resource("helm.toolkit.fluxcd.io/v2", "HelmRelease", "apps", "app", {}, "", ".", "flux", key=0)
    layers = (
        [Layer(values, written.trace)] if known else [Layer(Unknown("a Secret"), nowhere), Layer(values, written.trace)]
    )
    here = Where(0, ())
    return ReleaseReading(Found(resource, written), "app", "apps", chart, "", version, "oci", here, here, stack(layers))


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=50)
@pytest.mark.parametrize("version", ["1.5.1", "2.6.0", "3.7.3", "4.1.1", "5.1.0", "5.3.0"])
@given(
    values=MAPS,
    controllers=st.one_of(CONTROLLER, VALUES),
    chart=st.sampled_from(["app-template", "other"]),
    known=st.booleans(),
)
def test_every_text_of_any_release_is_spelt_by_its_origin(
    version: str, values: dict[str, Value], controllers: Value, chart: str, known: bool
) -> None:
    for item in expand(release({**values, "controllers": controllers}, version, chart, known=known)):
        assert item.tracer.trace(()) is not None
        for route, value in leaves(dict(item.resource.body)):
            origin = item.tracer.trace(route)
            if isinstance(value, str):
                assert origin is not None
                assert origin.text == value


@pytest.mark.timeout(20)
@pytest.mark.parametrize("part", ["{{ ", '{{ "', "{{ `", "{{ a }}", "{{ }", "{{/*", '{{ "\\'])
def test_long_strings_of_braces_take_no_long_time(part: str) -> None:
    values: dict[str, Value] = {"controllers": {"main": {}}, "configMaps": {"a": {"data": {"x": part * 50_000}}}}
    assert expand(release(values, "5.1.0", "app-template", known=True))
