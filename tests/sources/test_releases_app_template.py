"""The app-template chart's values become the objects that Helm would make of them, each field with its place."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from releasing import Estate, estate, leaves
from shoreup.model.location import Route
from shoreup.model.value import PartialText, Unknown, Value, at
from shoreup.sources.releases.apptemplate.templating import go_string

RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: %s, namespace: media}
spec:
  chart: {spec: {chart: app-template, version: %s, sourceRef: {kind: HelmRepository, name: bjw-s}}}
  values:
%s
"""
POD: Route = ("spec", "template", "spec")
FIRST: Route = (*POD, "containers", 0)
APP = """\
controllers:
  app:
    containers:
      main:
        image: {repository: example/app, tag: 1.2.3}
"""


def run(root: Path, values: str, version: str = "5.1.0", name: str = "app") -> Estate:
    return estate(root, {"app.yaml": RELEASE % (name, version, textwrap.indent(values, "    "))})


def field(read: Estate, what: str, route: Route) -> Value:
    return at(dict(read.made[what].resource.body), *route)


def test_a_controller_becomes_a_deployment_with_the_charts_defaults(tmp_path: Path) -> None:
    read = run(tmp_path, APP)
    made = read.made["Deployment/app"].resource
    assert (made.api_version, made.namespace, made.source, made.parent) == (
        "apps/v1",
        "media",
        "helm",
        read.release.resource.key,
    )
    spec = made.body["spec"]
    assert (at(spec, "replicas"), at(spec, "strategy")) == (1, {"type": "Recreate"})
    assert field(read, "Deployment/app", FIRST) == {"name": "main", "image": "example/app:1.2.3"}
    assert at(spec, "selector", "matchLabels") == {
        "app.kubernetes.io/name": "app",
        "app.kubernetes.io/instance": "app",
        "app.kubernetes.io/controller": "app",
    }


def test_an_image_is_put_together_from_parts_that_each_keep_their_bytes(tmp_path: Path) -> None:
    read = run(tmp_path, APP)
    origin = read.made["Deployment/app"].tracer.trace((*FIRST, "image"))
    read.agrees(origin, "example/app:1.2.3")
    assert origin is not None
    tag = origin.narrow(len("example/app:"), len("example/app:1.2.3"))
    content = read.tree.read(tag.file)
    assert content is not None
    assert content[tag.start : tag.end] == b"1.2.3"


def test_what_is_not_there_is_traced_to_the_container(tmp_path: Path) -> None:
    read = run(tmp_path, APP)
    tracer = read.made["Deployment/app"].tracer
    assert tracer.trace((*FIRST, "livenessProbe")) is None
    assert read.text_at(tracer.trace(FIRST)).startswith("main:")
    assert read.text_at(tracer.trace(("spec", "strategy"))).startswith("app:")


@pytest.mark.parametrize(
    ("image", "version", "expected"),
    [
        ("{repository: a/b, tag: 1.10}", "3.7.3", "a/b:1.1"),
        ("{repository: a/b, tag: 20240101}", "4.1.1", "a/b:2.0240101e+07"),
        ('{repository: a/b, tag: "20240101"}', "4.1.1", "a/b:20240101"),
        ('{repository: a/b, tag: "1@sha256:0f"}', "4.1.1", "a/b:1@sha256:0f"),
        ("{repository: a/b, tag: 1.2.3, digest: 'sha256:0f'}", "5.1.0", "a/b:1.2.3@sha256:0f"),
        ("a/b:1.2.3", "5.1.0", "a/b:1.2.3"),
        ("{repository: a/b}", "5.1.0", "a/b"),
        ("{repository: a/b}", "4.1.1", Unknown("the chart needs an image tag and the values give none")),
    ],
)
def test_images_as_the_version_writes_them(tmp_path: Path, image: str, version: str, expected: Value) -> None:
    read = run(tmp_path, APP.replace("{repository: example/app, tag: 1.2.3}", image), version)
    assert field(read, "Deployment/app", (*FIRST, "image")) == expected


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (18, "18"),
        (1.1, "1.1"),
        (999999, "999999"),
        (1000000, "1e+06"),
        (0.00001, "1e-05"),
        (True, "true"),
        (1500.0, "1500"),
    ],
)
def test_numbers_are_printed_as_go_prints_them(value: Value, printed: str) -> None:
    assert go_string(value) == printed


PROBED = (
    APP
    + """\
        probes:
          liveness: {enabled: true}
          readiness: {enabled: true, type: HTTP, path: /ready, port: 9000}
          startup: {enabled: false}
service:
  app:
    controller: app
    ports: {http: {port: 8080}}
"""
)


def test_probes_are_there_when_they_are_enabled_and_go_by_the_primary_service(tmp_path: Path) -> None:
    read = run(tmp_path, PROBED)
    container = field(read, "Deployment/app", FIRST)
    assert at(container, "livenessProbe", "tcpSocket") == {"port": 8080}
    assert at(container, "readinessProbe", "httpGet") == {"path": "/ready", "scheme": "HTTP", "port": 9000}
    assert at(container, "startupProbe") is None


def test_before_version_4_2_a_probe_without_a_service_is_dropped(tmp_path: Path) -> None:
    values = PROBED.partition("service:")[0]
    assert at(field(run(tmp_path / "a", values, "4.1.1"), "Deployment/app", FIRST), "livenessProbe") is None
    assert at(field(run(tmp_path / "b", values, "4.2.0"), "Deployment/app", FIRST), "livenessProbe") is not None


def test_version_2_probes_its_main_container_unasked(tmp_path: Path) -> None:
    values = """\
controllers:
  main:
    containers:
      main: {image: {repository: example/app, tag: 1.2.3}}
service:
  main:
    ports: {http: {port: 8080}}
"""
    container = field(run(tmp_path, values, "2.6.0"), "Deployment/app", FIRST)
    assert at(container, "livenessProbe", "tcpSocket", "port") == 8080
    assert at(container, "startupProbe", "failureThreshold") == 30


@pytest.mark.parametrize(
    ("version", "names"),
    [
        ("5.1.0", {"Deployment/app-web", "Deployment/app-worker"}),
        ("4.1.1", {"Deployment/app-web", "Deployment/app-worker"}),
        ("3.7.3", {"Deployment/app-web", "Deployment/app-worker"}),
    ],
)
def test_several_controllers_bear_their_own_names(tmp_path: Path, version: str, names: set[str]) -> None:
    one = "{containers: {main: {image: {repository: a/b, tag: v1}}}}"
    read = run(tmp_path, f"controllers:\n  web: {one}\n  worker: {one}\n", version)
    assert {name for name in read.made if name.startswith("Deployment/")} == names


def test_kinds_of_controllers(tmp_path: Path) -> None:
    containers = "containers: {main: {image: {repository: a/b, tag: v1}}}"
    read = run(
        tmp_path,
        f"""\
controllers:
  a: {{type: statefulset, replicas: 2, {containers}}}
  b: {{type: daemonset, {containers}}}
  c: {{type: cronjob, cronjob: {{schedule: "0 4 * * *", suspend: true}}, {containers}}}
  d: {{type: job, {containers}}}
  e: {{enabled: false, {containers}}}
""",
    )
    assert {"StatefulSet/app-a", "DaemonSet/app-b", "CronJob/app-c", "Job/app-d"} <= read.made.keys()
    assert not any(name.endswith("-e") for name in read.made)
    job = read.made["CronJob/app-c"].resource.body["spec"]
    assert (at(job, "schedule"), at(job, "suspend"), at(job, "startingDeadlineSeconds")) == ("0 4 * * *", True, 30)
    assert at(job, "jobTemplate", "spec", "template", "spec", "restartPolicy") == "Never"


def test_persistence_becomes_volumes_mounts_and_claims(tmp_path: Path) -> None:
    read = run(
        tmp_path,
        APP
        + """\
persistence:
  config: {existingClaim: "{{ .Release.Name }}-config"}
  data: {accessMode: ReadWriteOnce, size: 5Gi, globalMounts: [{path: /srv/data}]}
  media: {type: nfs, server: nas.example.com, path: /export/media}
  scratch: {type: emptyDir, advancedMounts: {other: {main: [{path: /x}]}}}
  notes: {type: configMap, identifier: notes, globalMounts: [{path: /notes.txt, subPath: notes.txt, readOnly: true}]}
configMaps:
  notes: {data: {notes.txt: "for {{ .Release.Namespace }}"}}
""",
    )
    assert field(read, "Deployment/app", (*POD, "volumes")) == [
        {"name": "config", "persistentVolumeClaim": {"claimName": "app-config"}},
        {"name": "data", "persistentVolumeClaim": {"claimName": "app"}},
        {"name": "media", "nfs": {"server": "nas.example.com", "path": "/export/media"}},
        {"name": "notes", "configMap": {"name": "app"}},
    ]
    assert field(read, "Deployment/app", (*FIRST, "volumeMounts")) == [
        {"name": "config", "mountPath": "/config"},
        {"name": "data", "mountPath": "/srv/data"},
        {"name": "media", "mountPath": "/media"},
        {"name": "notes", "mountPath": "/notes.txt", "subPath": "notes.txt", "readOnly": True},
    ]
    assert field(read, "PersistentVolumeClaim/app", ("spec", "resources", "requests", "storage")) == "5Gi"
    assert field(read, "ConfigMap/app", ("data", "notes.txt")) == "for media"


def test_environment_as_a_map_is_sorted_and_keeps_what_it_depends_on_first(tmp_path: Path) -> None:
    read = run(
        tmp_path,
        APP
        + """\
        env:
          B: {value: "$(Z)", dependsOn: Z}
          A: 1
          Z: "{{ .Release.Name }}"
          S: {valueFrom: {secretKeyRef: {name: s, key: k}}}
""",
    )
    assert field(read, "Deployment/app", (*FIRST, "env")) == [
        {"name": "A", "value": "1"},
        {"name": "S", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        {"name": "Z", "value": "app"},
        {"name": "B", "value": "$(Z)"},
    ]


def test_services_ingresses_and_routes_find_each_other(tmp_path: Path) -> None:
    read = run(
        tmp_path,
        PROBED
        + """\
ingress:
  app:
    className: nginx
    hosts: [{host: "{{ .Release.Name }}.example.com", paths: [{path: /, service: {identifier: app, port: http}}]}]
route:
  app:
    hostnames: [app.example.com]
    parentRefs: [{name: external, namespace: network}]
    rules: [{backendRefs: [{identifier: app}]}]
""",
    )
    assert field(read, "Service/app", ("spec", "selector", "app.kubernetes.io/controller")) == "app"
    rule = field(read, "Ingress/app", ("spec", "rules", 0))
    assert at(rule, "host") == "app.example.com"
    assert at(rule, "http", "paths", 0, "backend", "service") == {"name": "app", "port": {"number": 8080}}
    reference = field(read, "HTTPRoute/app", ("spec", "rules", 0, "backendRefs", 0))
    assert (at(reference, "name"), at(reference, "port")) == ("app", 8080)


def test_version_5_makes_a_service_account_unless_one_is_declared(tmp_path: Path) -> None:
    new, old = run(tmp_path / "a", APP), run(tmp_path / "b", APP, "4.1.1")
    assert "ServiceAccount/app" in new.made
    assert field(new, "Deployment/app", (*POD, "serviceAccountName")) == "app"
    assert field(new, "Deployment/app", (*POD, "automountServiceAccountToken")) is False
    assert "ServiceAccount/app" not in old.made
    assert field(old, "Deployment/app", (*POD, "serviceAccountName")) == "default"
    assert field(old, "Deployment/app", (*POD, "automountServiceAccountToken")) is True


def test_with_values_from_elsewhere_an_absence_is_a_question(tmp_path: Path) -> None:
    text = RELEASE % ("app", "5.1.0", textwrap.indent(APP, "    "))
    read = estate(tmp_path, {"app.yaml": text + "  valuesFrom: [{kind: Secret, name: more}]\n"})
    container = field(read, "Deployment/app", FIRST)
    assert isinstance(at(container, "livenessProbe"), Unknown)
    assert isinstance(at(container, "resources"), Unknown)
    assert at(container, "image") == "example/app:1.2.3"


def test_a_template_that_cannot_be_evaluated_leaves_the_rest(tmp_path: Path) -> None:
    read = run(tmp_path, APP.replace("1.2.3", '"{{ .Values.global.tag | sha256sum }}-alpine"'))
    value = field(read, "Deployment/app", (*FIRST, "image"))
    assert isinstance(value, PartialText)
    assert value.pattern == "example/app:*-alpine"


def test_a_post_renderer_that_replaces_a_field_is_applied_or_makes_it_unknown(tmp_path: Path) -> None:
    text = RELEASE % ("app", "5.1.0", textwrap.indent(APP, "    "))
    patches = """\
  postRenderers:
    - kustomize:
        patches:
          - target: {kind: Deployment, name: app}
            patch: |
              apiVersion: apps/v1
              kind: Deployment
              metadata: {name: app}
              spec:
                template: {spec: {hostUsers: false, containers: [{name: main, tty: true}]}}
          - target: {kind: Deployment}
            patch: |
              - {op: replace, path: /spec/replicas, value: 3}
"""
    read = estate(tmp_path, {"app.yaml": text + patches})
    assert field(read, "Deployment/app", (*POD, "hostUsers")) is False
    assert field(read, "Deployment/app", (*FIRST, "tty")) is True
    assert field(read, "Deployment/app", (*FIRST, "image")) == "example/app:1.2.3"
    assert isinstance(field(read, "Deployment/app", ("spec", "replicas")), Unknown)


OLD = """\
image: {repository: example/app, tag: 1.2.3}
controller: {replicas: 2}
env: {TZ: Europe/Berlin}
service: {main: {ports: {http: {port: 8080}}}}
persistence:
  config: {enabled: true, existingClaim: app-config}
  unsaid: {type: emptyDir}
  data: {enabled: true, type: nfs, server: nas, path: /data, subPath: [{path: a, mountPath: /a, readOnly: true}]}
sidecars:
  proxy: {image: "example/proxy:2", volumeMounts: [{name: config, mountPath: /etc/proxy}]}
"""


def test_version_1_has_one_controller_at_the_top_of_the_values(tmp_path: Path) -> None:
    read = run(tmp_path, OLD, "1.5.1")
    assert field(read, "Deployment/app", ("spec", "replicas")) == 2
    main = field(read, "Deployment/app", FIRST)
    assert (at(main, "name"), at(main, "image")) == ("app", "example/app:1.2.3")
    assert at(main, "readinessProbe", "tcpSocket", "port") == 8080, "probes are there unasked"
    assert at(main, "volumeMounts") == [
        {"name": "config", "mountPath": "/config"},
        {"name": "data", "mountPath": "/a", "subPath": "a", "readOnly": True},
    ]
    assert field(read, "Deployment/app", (*POD, "containers", 1)) == {
        "name": "proxy",
        "image": "example/proxy:2",
        "volumeMounts": [{"name": "config", "mountPath": "/etc/proxy"}],
    }
    tracer = read.made["Deployment/app"].tracer
    read.agrees(tracer.trace((*FIRST, "image")), "example/app:1.2.3")
    assert read.text_at(tracer.trace((*FIRST, "env", 0, "value"))) == "Europe/Berlin"


def test_from_version_5_3_every_value_is_a_template(tmp_path: Path) -> None:
    values = APP + '        args: ["--name={{ .Release.Name }}"]\n'
    new, old = run(tmp_path / "a", values, "5.3.0"), run(tmp_path / "b", values, "5.2.0")
    assert field(new, "Deployment/app", (*FIRST, "args")) == ["--name=app"]
    assert field(old, "Deployment/app", (*FIRST, "args")) == ["--name={{ .Release.Name }}"]
    new.agrees(new.made["Deployment/app"].tracer.trace((*FIRST, "args", 0)), "--name=app")


def test_every_string_of_every_object_is_spelled_by_its_segments(tmp_path: Path) -> None:
    read = run(
        tmp_path,
        PROBED
        + """\
defaultPodOptions:
  securityContext: {runAsUser: 1000, fsGroupChangePolicy: OnRootMismatch}
persistence:
  a: {type: hostPath, hostPath: /dev/dri}
  runner-secret: {type: secret, name: other-name}
rbac:
  roles: {app: {type: ClusterRole, rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]}}
  bindings: {app: {type: ClusterRoleBinding, roleRef: {identifier: app}, subjects: [{kind: ServiceAccount, name: x}]}}
""",
    )
    for item in read.made.values():
        for route, value in leaves(dict(item.resource.body)):
            origin = item.tracer.trace(route)
            assert origin is not None, (item.resource.kind, route)
            if isinstance(value, str):
                read.agrees(origin, value)
