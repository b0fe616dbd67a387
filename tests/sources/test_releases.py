"""A Helm release is one thing, whoever declares it: a chart, a version, merged values that know where they stand."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from releasing import estate, leaves
from shoreup.model.value import PartialText, Unknown
from shoreup.sources.kustomize import read_kustomizations
from shoreup.sources.reading import Found
from shoreup.sources.releases import releases

TRAEFIK = """\
resource "helm_release" "traefik" {
  name       = "edge"
  namespace  = "network"
  repository = "https://traefik.github.io/charts"
  chart      = "traefik"
  version    = "31.1.1"
"""

FLUX = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web, namespace: apps}
spec:
  interval: 1h
"""


def test_terraform_lays_values_over_each_other_and_sets_over_all(tmp_path: Path) -> None:
    read = estate(
        tmp_path,
        {
            "main.tf": TRAEFIK
            + """\
  values = [
    <<-EOT
      image:
        tag: v3.1
        registry: docker.io
      replicas: 1
    EOT
    ,
    yamlencode({ replicas = 2, ports = { web = { port = 8000 } } })
  ]
  set {
    name  = "ports.web.expose"
    value = "true"
  }
  set {
    name  = "image.tag"
    value = "v3.2"
    type  = "string"
  }
}
"""
        },
    )
    assert (read.release.name, read.release.namespace, read.release.chart) == ("edge", "network", "traefik")
    assert (read.release.version, read.release.source) == ("31.1.1", "repository")
    assert read.release.values == {
        "image": {"tag": "v3.2", "registry": "docker.io"},
        "replicas": 2,
        "ports": {"web": {"port": 8000, "expose": True}},
    }
    assert read.text_at(read.release.trace_value(("image", "tag"))) in ('"v3.2"', "v3.2")
    read.agrees(read.release.trace_value(("image", "tag")), "v3.2")
    assert read.text_at(read.release.trace_value(("image", "registry"))) == "docker.io"


def test_a_value_from_a_variable_inside_a_heredoc_is_traced_to_its_default(tmp_path: Path) -> None:
    read = estate(
        tmp_path,
        {
            "main.tf": TRAEFIK
            + """\
  values = [<<-EOT
    image:
      tag: ${var.tag}
      repository: "example/${var.name}-edge"
  EOT
  ]
}
variable "tag" { default = "v3.2" }
variable "name" {}
"""
        },
    )
    origin = read.release.trace_value(("image", "tag"))
    read.agrees(origin, "v3.2")
    assert origin is not None
    assert read.text_at(origin) == "v3.2"
    assert [step.name for step in origin.via] == ["var.tag"]
    site = (read.tree.read(origin.site.file) or b"")[origin.site.start : origin.site.end].decode()
    assert site.startswith("tag:")
    repository = read.release.values["image"]
    assert isinstance(repository, dict)
    assert isinstance(repository["repository"], PartialText)
    assert repository["repository"].pattern == "example/*-edge"


def test_a_set_list_and_braces_give_lists_with_the_origin_of_each_item(tmp_path: Path) -> None:
    read = estate(
        tmp_path,
        {
            "main.tf": TRAEFIK
            + """\
  set = [
    { name = "args", value = "{--one,--two}" },
    { name = "hosts[1].name", value = "b.example.com" },
  ]
  set_list {
    name  = "more"
    value = ["x", "y"]
  }
}
"""
        },
    )
    assert read.release.values == {
        "args": ["--one", "--two"],
        "hosts": [None, {"name": "b.example.com"}],
        "more": ["x", "y"],
    }
    for route, value in leaves(dict(read.release.values)):
        if isinstance(value, str):
            read.agrees(read.release.trace_value(route), value)
    assert read.text_at(read.release.trace_value(("args", 1))) == "--two"


def test_values_that_only_an_apply_knows_leave_the_rest_readable(tmp_path: Path) -> None:
    read = estate(
        tmp_path,
        {
            "main.tf": TRAEFIK
            + """\
  values = [yamlencode({ password = random_password.p.result, replicas = 2 })]
}
resource "random_password" "p" { length = 8 }
"""
        },
    )
    assert read.release.values["replicas"] == 2
    assert isinstance(read.release.values["password"], Unknown)


def test_an_unknown_layer_hides_what_lies_below_it(tmp_path: Path) -> None:
    read = estate(
        tmp_path,
        {"main.tf": TRAEFIK + '  values = ["replicas: 2", var.more]\n}\nvariable "more" {}\n'},
    )
    assert isinstance(read.release.values["replicas"], Unknown)
    assert read.release.stack.open_reason


def test_a_chart_by_path_brings_its_own_values(tmp_path: Path) -> None:
    read = estate(
        tmp_path,
        {
            "root/main.tf": 'resource "helm_release" "web" {\n  name = "web"\n  chart = "../charts/web"\n}\n',
            "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\n",
            "charts/web/values.yaml": "image:\n  repository: nginx\n  tag: 1.27.1\n",
        },
    )
    assert (read.release.source, read.release.chart_path) == ("path", "charts/web")
    origin = read.release.trace_value(("image", "tag"))
    read.agrees(origin, "1.27.1")
    assert origin is not None
    assert origin.span.file == "charts/web/values.yaml"


def test_flux_finds_the_chart_where_the_source_is(tmp_path: Path) -> None:
    read = estate(
        tmp_path,
        {
            "web.yaml": FLUX + "  chartRef: {kind: OCIRepository, name: charts, namespace: flux-system}\n",
            "sources.yaml": """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: charts, namespace: flux-system}
spec:
  url: oci://ghcr.io/example/helm/web
  ref: {tag: 5.1.0}
""",
        },
    )
    assert (read.release.chart, read.release.version, read.release.source) == ("web", "5.1.0", "oci")
    source = next(item for item in read.found if item.resource.kind == "OCIRepository")
    assert read.release.version_place.key == source.resource.key
    assert read.release.version_place.route == ("spec", "ref", "tag")


def test_flux_lays_inline_values_over_a_config_map_and_says_what_it_cannot_see(tmp_path: Path) -> None:
    read = estate(
        tmp_path,
        {
            "web.yaml": FLUX
            + """\
  chart: {spec: {chart: web, version: 1.2.3, sourceRef: {kind: HelmRepository, name: x}}}
  valuesFrom:
    - {kind: Secret, name: web-secret}
    - {kind: ConfigMap, name: web-values}
  values:
    replicas: 3
""",
            "values.yaml": """\
apiVersion: v1
kind: ConfigMap
metadata: {name: web-values, namespace: apps}
data:
  values.yaml: |
    replicas: 1
    image:
      repository: example/web
      tag: 2.0.0
""",
        },
    )
    assert read.release.values == {"replicas": 3, "image": {"repository": "example/web", "tag": "2.0.0"}}
    assert "web-secret" in read.release.stack.open_reason
    read.agrees(read.release.trace_value(("image", "tag")), "2.0.0")
    assert read.text_at(read.release.trace_value(("replicas",))) == "3"


def test_argo_parameters_win_over_values_and_values_over_files(tmp_path: Path) -> None:
    read = estate(
        tmp_path,
        {
            "app.yaml": """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web, namespace: argocd}
spec:
  destination: {namespace: apps, server: https://kubernetes.default.svc}
  sources:
    - repoURL: https://charts.example.com
      chart: web
      targetRevision: 1.2.3
      helm:
        releaseName: front
        valueFiles: [$values/apps/web/values.yaml]
        values: |
          b: text
          c: text
        valuesObject: {c: object, d: object}
        parameters:
          - {name: d, value: parameter}
    - repoURL: https://git.example.com/platform
      ref: values
""",
            "apps/web/values.yaml": "a: file\nb: file\n",
        },
    )
    assert (read.release.name, read.release.namespace, read.release.version) == ("front", "apps", "1.2.3")
    assert read.release.values == {"a": "file", "b": "text", "c": "object", "d": "parameter"}
    for key, value in read.release.values.items():
        assert isinstance(value, str)
        read.agrees(read.release.trace_value((key,)), value)


def test_an_application_set_over_a_list_gives_one_release_an_element(tmp_path: Path) -> None:
    text = """\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: web, namespace: argocd}
spec:
  generators:
    - %s
  template:
    metadata: {name: "web-{{stage}}"}
    spec:
      destination: {namespace: "{{stage}}", server: https://kubernetes.default.svc}
      source:
        repoURL: https://charts.example.com
        chart: web
        targetRevision: 1.2.3
        helm: {valuesObject: {host: "{{stage}}.example.com"}}
"""
    certain = estate(tmp_path / "a", {"set.yaml": text % "list: {elements: [{stage: test}, {stage: live}]}"})
    assert [(one.name, one.namespace) for one in certain.releases] == [("web-test", "test"), ("web-live", "live")]
    assert [one.values for one in certain.releases] == [{"host": "test.example.com"}, {"host": "live.example.com"}]
    certain.agrees(certain.releases[0].trace_value(("host",)), "test.example.com")
    uncertain = estate(tmp_path / "b", {"set.yaml": text % "clusters: {}"})
    assert uncertain.release.name == "web-*"
    assert isinstance(uncertain.release.namespace, Unknown)


def test_an_unknown_chart_states_what_its_values_state_and_no_more(tmp_path: Path) -> None:
    read = estate(
        tmp_path,
        {
            "web.yaml": FLUX
            + """\
  chart: {spec: {chart: web, version: 1.2.3, sourceRef: {kind: HelmRepository, name: x}}}
  values:
    server:
      image: {repository: example/server, tag: latest}
      replicaCount: 2
      resources: {limits: {memory: 1Gi}}
    worker:
      image: {repository: example/worker}
    sidecar:
      enabled: false
      image: {repository: example/sidecar, tag: latest}
    exporter:
      image: quay.io/example/exporter:1.0
"""
        },
    )
    made = read.made["ChartValues/web"]
    listed = made.resource.body["components"]
    assert isinstance(listed, list)
    by_path = {str(item["path"]): item for item in listed if isinstance(item, dict)}
    assert list(by_path) == ["['exporter']", "['server']", "['worker']"]
    server, worker, exporter = by_path["['server']"], by_path["['worker']"], by_path["['exporter']"]
    assert server["image"] == {"repository": "example/server", "tag": "latest", "text": "example/server:latest"}
    assert (server["replicas"], server["resources"]) == (2, {"limits": {"memory": "1Gi"}})
    assert worker["image"] == {"repository": "example/worker"}, "a missing tag is the chart's, not latest"
    assert exporter["image"] == {"text": "quay.io/example/exporter:1.0"}
    index = listed.index(server)
    read.agrees(made.tracer.trace(("components", index, "image", "text")), "example/server:latest")
    assert made.resource.parent == read.release.resource.key


@pytest.mark.parametrize("values", ["just text", "- a\n- list", "a: [", "{{ if }}", "a: 1\n---\nb: 2"])
def test_values_that_are_no_map_are_unknown_and_nothing_breaks(tmp_path: Path, values: str) -> None:
    body = "".join(f"    {line}\n" for line in values.splitlines())
    read = estate(tmp_path, {"main.tf": f"{TRAEFIK}  values = [<<-EOT\n{body}  EOT\n  ]\n}}\n"})
    assert read.release.values == {}
    assert read.release.stack.open_reason
    assert read.made.keys() == {"ReleaseValues/edge"}


def test_kustomize_and_k3s_install_charts_too(tmp_path: Path) -> None:
    files = {
        "base/kustomization.yaml": """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
helmCharts:
  - name: web
    repo: https://charts.example.com
    version: 1.2.3
    releaseName: front
    namespace: apps
    valuesFile: values.yaml
    valuesInline: {b: inline}
""",
        "base/values.yaml": "a: file\nb: file\n",
        "k3s.yaml": """\
apiVersion: helm.cattle.io/v1
kind: HelmChart
metadata: {name: edge, namespace: kube-system}
spec:
  repo: https://charts.example.com
  chart: traefik
  targetNamespace: network
  set: {replicas: "2"}
  valuesContent: |
    image: {tag: v3}
""",
    }
    written = estate(tmp_path, files)
    charts = read_kustomizations(written.tree).found
    found = [Found(replace(item.resource, key=key), item.tracer) for key, item in enumerate([*written.found, *charts])]
    by_name = {one.name: one for one in releases(found, written.tree)}
    front, edge = by_name["front"], by_name["edge"]
    assert (front.chart, front.version, front.namespace) == ("web", "1.2.3", "apps")
    assert front.values == {"a": "file", "b": "inline"}
    written.agrees(front.trace_value(("a",)), "file")
    written.agrees(front.trace_value(("b",)), "inline")
    assert (edge.chart, edge.version, edge.namespace) == ("traefik", None, "network")
    assert edge.values == {"image": {"tag": "v3"}, "replicas": 2}
    written.agrees(edge.trace_value(("image", "tag")), "v3")
