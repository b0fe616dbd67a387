"""What Kustomize builds, built without it, and every field traced to the file that set it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from shoreup.formats.yaml import load
from shoreup.model.value import PartialText, Unknown, Value
from yaml_estates import Estate, assert_every_text_leads_to_its_bytes

DEPLOYMENT = """\
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: web
      labels:
        app: web
    spec:
      replicas: 1
      selector:
        matchLabels:
          app: web
      template:
        metadata:
          labels:
            app: web
        spec:
          serviceAccountName: web
          containers:
            - name: web
              image: nginx:1.20
              args: [a, b]
              env:
                - name: X
                  value: "1"
                - name: Y
                  value: "2"
              ports:
                - containerPort: 80
                - containerPort: 53
                  protocol: UDP
              volumeMounts:
                - {name: data, mountPath: /data}
            - name: side
              image: ghcr.io/x/side:3
          tolerations:
            - {key: a, operator: Exists}
          volumes:
            - name: data
              configMap: {name: settings}
    """
SERVICE = """\
    apiVersion: v1
    kind: Service
    metadata: {name: web}
    spec:
      selector: {app: web}
      ports: [{name: http, port: 80}]
    """
BASE = {"base/kustomization.yaml": "resources: [deploy.yaml]\n", "base/deploy.yaml": DEPLOYMENT}
POD = ("spec", "template", "spec")
CONTAINER = (*POD, "containers", 0)


def overlay(tmp_path: Path, text: str, **more: str) -> Estate:
    files = {**BASE, "over/kustomization.yaml": f"resources: [../base]\n{text}"}
    return Estate(tmp_path, {**files, **{f"over/{name.replace('__', '.')}": content for name, content in more.items()}})


def test_a_base_is_resources_of_the_overlay_alone(tmp_path: Path) -> None:
    estate = Estate(
        tmp_path,
        {
            **BASE,
            "one/kustomization.yaml": "resources: [../base]\n",
            "two/kustomization.yml": "bases: [../base/]\nnamePrefix: x-\n",
        },
    )
    assert {(found.resource.root, found.resource.name) for found in estate.found} == {("one", "web"), ("two", "x-web")}
    assert estate.written("Deployment", "web", "spec", "replicas", root="one") == ("base/deploy.yaml", "1")
    assert estate.resource("Deployment", "web").source == "kustomize"
    assert estate.causes == []


def test_a_strategic_patch_traces_into_the_patch(tmp_path: Path) -> None:
    patch = """\
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web}
        spec:
          template:
            spec:
              containers:
                - name: side
                  image: ghcr.io/x/side:4
                - name: web
                  resources: {limits: {memory: 1Gi}}
                  env: [{name: Y, $patch: delete}, {name: NEW, value: n}]
                  ports: [{containerPort: 53, protocol: UDP, name: dns}]
        """
    estate = overlay(tmp_path, "patches: [{path: patch.yaml}]\n", patch__yaml=patch)
    side, web = (*POD, "containers", 0), (*POD, "containers", 1)
    assert estate.written("Deployment", "web", *side, "image") == ("over/patch.yaml", "ghcr.io/x/side:4")
    assert estate.written("Deployment", "web", *web, "image") == ("base/deploy.yaml", "nginx:1.20")
    assert estate.written("Deployment", "web", *web, "resources", "limits", "memory") == ("over/patch.yaml", "1Gi")
    assert estate.value("Deployment", "web", *web, "env") == [
        {"name": "NEW", "value": "n"},
        {"name": "X", "value": "1"},
    ]
    assert estate.written("Deployment", "web", *web, "env", 1, "value") == ("base/deploy.yaml", '"1"')
    assert estate.value("Deployment", "web", *web, "ports", 0) == {
        "containerPort": 53,
        "protocol": "UDP",
        "name": "dns",
    }
    assert_every_text_leads_to_its_bytes(estate)


def test_a_patch_inside_the_kustomization_traces_into_its_text(tmp_path: Path) -> None:
    text = (
        "patches:\n  - target: {kind: Deployment, name: 'w.*'}\n    patch: |-\n"
        "      - op: replace\n        path: /spec/template/spec/containers/0/image\n        value: nginx:2\n"
        '      - op: add\n        path: /spec/template/spec/containers/0/args/-\n        value: "c\\td"\n'
        "      - {op: add, path: /spec/template/spec/containers/0/args/0, value: first}\n"
        "      - {op: remove, path: /spec/template/spec/tolerations}\n"
        "      - {op: add, path: /metadata/annotations, value: {}}\n"
        "      - {op: add, path: /metadata/annotations/a~1b, value: v}\n"
    )
    estate = overlay(tmp_path, text)
    assert estate.causes == []
    assert estate.written("Deployment", "web", *CONTAINER, "image") == ("over/kustomization.yaml", "nginx:2")
    (segment,) = estate.origin("Deployment", "web", *CONTAINER, "image").segments
    assert segment.encodings == ("yaml-literal", "yaml-plain")
    assert estate.value("Deployment", "web", *CONTAINER, "args") == ["first", "a", "b", "c\td"]
    assert estate.written("Deployment", "web", *CONTAINER, "args", 2) == ("base/deploy.yaml", "b")
    assert estate.value("Deployment", "web", *POD, "tolerations") is None
    assert estate.value("Deployment", "web", "metadata", "annotations") == {"a/b": "v"}
    assert_every_text_leads_to_its_bytes(estate)


def test_an_operation_that_leads_nowhere_is_said(tmp_path: Path) -> None:
    estate = overlay(
        tmp_path,
        "patches:\n  - target: {kind: Deployment}\n    patch: '[{op: remove, path: /spec/absent}]'\n",
    )
    assert estate.causes == [("over/kustomization.yaml", 3, "/spec/absent leads nowhere")]


def test_patches_delete_and_replace(tmp_path: Path) -> None:
    text = (
        "patches:\n  - patch: |\n      $patch: delete\n      apiVersion: v1\n      kind: Service\n"
        "      metadata: {name: web}\n"
        "  - patch: |\n      apiVersion: apps/v1\n      kind: Deployment\n      metadata: {name: web}\n"
        "      spec: {replicas: null, template: {$patch: replace, spec: {containers: []}}}\n"
    )
    files = {**BASE, "base/svc.yaml": SERVICE, "base/kustomization.yaml": "resources: [deploy.yaml, svc.yaml]\n"}
    estate = Estate(tmp_path, {**files, "over/kustomization.yaml": f"resources: [../base]\n{text}"})
    assert estate.addresses == ["apps/v1/Deployment/web"]
    assert estate.value("Deployment", "web", "spec", "replicas") is None
    assert estate.value("Deployment", "web", "spec", "template") == {"spec": {"containers": []}}


def test_images_trace_to_the_tag_that_was_asked_for(tmp_path: Path) -> None:
    estate = overlay(
        tmp_path, "images:\n  - {name: nginx, newTag: 1.27}\n  - {name: ghcr.io/x/side, newName: mirror/side}\n"
    )
    assert estate.value("Deployment", "web", *CONTAINER, "image") == "nginx:1.27"
    origin = estate.origin("Deployment", "web", *CONTAINER, "image")
    assert (origin.span.file, estate.bytes_of(origin.span)) == ("over/kustomization.yaml", "1.27")
    assert (origin.site.file, estate.bytes_of(origin.site)) == ("base/deploy.yaml", "image: nginx:1.20")
    assert [(s.text, s.span.file if s.span else "") for s in origin.segments] == [
        ("nginx", "base/deploy.yaml"),
        (":", ""),
        ("1.27", "over/kustomization.yaml"),
    ]
    assert estate.value("Deployment", "web", *POD, "containers", 1, "image") == "mirror/side:3"
    assert_every_text_leads_to_its_bytes(estate)


def test_a_digest_takes_the_place_of_a_tag(tmp_path: Path) -> None:
    digest = "sha256:" + "1" * 64
    estate = overlay(tmp_path, f"images: [{{name: nginx, digest: '{digest}'}}]\n")
    assert estate.value("Deployment", "web", *CONTAINER, "image") == f"nginx@{digest}"


def test_replicas_namespace_labels_and_annotations_trace_to_the_overlay(tmp_path: Path) -> None:
    estate = overlay(
        tmp_path,
        "namespace: media\nreplicas: [{name: web, count: 3}]\ncommonAnnotations: {note: hi}\n"
        "labels: [{pairs: {tier: front}, includeTemplates: true}]\ncommonLabels: {team: core}\n",
    )
    assert estate.addresses == ["apps/v1/Deployment/media/web"]
    assert estate.written("Deployment", "web", "spec", "replicas") == ("over/kustomization.yaml", "3")
    assert estate.written("Deployment", "web", "metadata", "namespace") == ("over/kustomization.yaml", "media")
    assert estate.value("Deployment", "web", "spec", "selector", "matchLabels") == {"app": "web", "team": "core"}
    labels = estate.value("Deployment", "web", "spec", "template", "metadata", "labels")
    assert labels == {"app": "web", "team": "core", "tier": "front"}
    assert estate.written("Deployment", "web", "metadata", "annotations", "note") == ("over/kustomization.yaml", "hi")
    assert_every_text_leads_to_its_bytes(estate)


def test_a_namespace_renames_the_namespace_object_and_spares_cluster_kinds(tmp_path: Path) -> None:
    text = (
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: not-used}\n---\n"
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r}\n"
    )
    estate = Estate(tmp_path, {"kustomization.yaml": "namespace: media\nresources: [a.yaml]\n", "a.yaml": text})
    assert estate.addresses == ["rbac.authorization.k8s.io/v1/ClusterRole/r", "v1/Namespace/media"]


def test_references_follow_renamed_objects(tmp_path: Path) -> None:
    more = """\
        apiVersion: v1
        kind: ServiceAccount
        metadata: {name: web}
        """
    generator = "configMapGenerator: [{name: settings, literals: [A=1]}]\n"
    files = {
        **BASE,
        "base/sa.yaml": more,
        "base/kustomization.yaml": f"resources: [deploy.yaml, sa.yaml]\n{generator}",
        "over/kustomization.yaml": "resources: [../base]\nnamePrefix: pre-\n",
        "top/kustomization.yaml": "resources: [../over]\nnameSuffix: -x\n",
    }
    estate = Estate(tmp_path, files)
    assert estate.addresses == [
        "apps/v1/Deployment/pre-web-x",
        "v1/ConfigMap/pre-settings-x",
        "v1/ServiceAccount/pre-web-x",
    ]
    pod = estate.value("Deployment", "pre-web-x", *POD)
    assert isinstance(pod, dict)
    assert pod["serviceAccountName"] == "pre-web-x"
    assert pod["volumes"] == [{"name": "data", "configMap": {"name": "pre-settings-x"}}]
    segments = estate.origin("Deployment", "pre-web-x", *POD, "serviceAccountName").segments
    assert [(s.text, s.span.file if s.span else "") for s in segments] == [
        ("pre-", "over/kustomization.yaml"),
        ("web", "base/deploy.yaml"),
        ("-x", "top/kustomization.yaml"),
    ]
    assert_every_text_leads_to_its_bytes(estate)


def test_generated_objects_trace_every_key_to_its_file_or_literal(tmp_path: Path) -> None:
    estate = Estate(
        tmp_path,
        {
            "kustomization.yaml": (
                "configMapGenerator:\n  - name: settings\n    files: [conf/app.ini, other=conf/app.ini]\n"
                "    literals: [A=1, \"B='x=y'\"]\n    envs: [e.env]\n"
                "secretGenerator: [{name: tok, literals: [t=s3cret], type: x/y}]\n"
                "generatorOptions: {disableNameSuffixHash: true, labels: {gen: 'yes'}}\n"
            ),
            "conf/app.ini": "[a]\nb = é\n",
            "e.env": "# note\nE=v 1\n\n",
        },
    )
    assert estate.value("ConfigMap", "settings", "data") == {
        "app.ini": "[a]\nb = é\n",
        "other": "[a]\nb = é\n",
        "E": "v 1",
        "A": "1",
        "B": "x=y",
    }
    assert estate.written("ConfigMap", "settings", "data", "app.ini") == ("conf/app.ini", "[a]\nb = é\n")
    assert [s.text for s in estate.origin("ConfigMap", "settings", "data", "E").segments] == ["v 1"]
    assert estate.written("Secret", "tok", "metadata", "name") == ("kustomization.yaml", "tok")
    assert estate.value("ConfigMap", "settings", "metadata", "labels") == {"gen": "yes"}
    assert estate.addresses == ["v1/ConfigMap/settings", "v1/Secret/tok"]
    assert_every_text_leads_to_its_bytes(estate)


def test_generated_values_that_cannot_be_read_are_unknown(tmp_path: Path) -> None:
    estate = Estate(
        tmp_path,
        {
            "kustomization.yaml": "secretGenerator: [{name: s, files: [gone, a.enc, b.bin], envs: [c.env]}]\n",
            "a.enc": '{"data": "ENC[AES256_GCM,data:x]", "sops": {}}',
            "b.bin": b"\xff\xfe\xfd",
            "c.env": "P=ENC[AES256_GCM,data:x]\nsops_mac=ENC[AES256_GCM,data:y]\n",
        },
    )
    data = estate.value("Secret", "s", "stringData")
    assert isinstance(data, dict)
    assert all(isinstance(value, Unknown) for value in data.values())
    assert set(data) == {"gone", "a.enc", "b.bin", "P"}
    assert ("kustomization.yaml", 1, "gone is not in the estate") in estate.causes


def test_a_generator_may_add_to_a_base(tmp_path: Path) -> None:
    files = {
        "base/kustomization.yaml": "configMapGenerator: [{name: s, literals: [A=1, B=2]}]\n",
        "over/kustomization.yaml": (
            "resources: [../base]\nconfigMapGenerator: [{name: s, behavior: merge, literals: [B=3, C=4]}]\n"
        ),
    }
    estate = Estate(tmp_path, files)
    assert estate.value("ConfigMap", "s", "data") == {"A": "1", "B": "3", "C": "4"}
    assert [s.span.file for s in estate.origin("ConfigMap", "s", "data", "B").segments if s.span] == [
        "over/kustomization.yaml"
    ]


def test_components_change_what_is_gathered_and_are_no_roots(tmp_path: Path) -> None:
    component = """\
        apiVersion: kustomize.config.k8s.io/v1alpha1
        kind: Component
        resources: [extra.yaml]
        patches:
          - target: {kind: Deployment}
            patch: '[{op: replace, path: /spec/replicas, value: 9}]'
        """
    extra = "apiVersion: v1\nkind: Service\nmetadata: {name: extra}\n"
    files = {**BASE, "comp/kustomization.yaml": component, "comp/extra.yaml": extra}
    estate = Estate(tmp_path, {**files, "over/kustomization.yaml": "resources: [../base]\ncomponents: [../comp]\n"})
    assert estate.addresses == ["apps/v1/Deployment/web", "v1/Service/extra"]
    assert estate.written("Deployment", "web", "spec", "replicas") == ("comp/kustomization.yaml", "9")
    alone = Estate(tmp_path / "alone", {"comp/kustomization.yaml": component, "comp/extra.yaml": extra})
    assert alone.addresses == []


def test_replacements_copy_values(tmp_path: Path) -> None:
    text = (
        "replacements:\n  - source: {kind: ConfigMap, name: src, fieldPath: data.tag}\n    targets:\n"
        "      - select: {kind: Deployment}\n"
        "        fieldPaths: ['spec.template.spec.containers.[name=web].image']\n"
        "        options: {delimiter: ':', index: 1}\n"
    )
    files = {**BASE, "over/src.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: src}\ndata: {tag: '9'}\n"}
    estate = Estate(tmp_path, {**files, "over/kustomization.yaml": f"resources: [../base, src.yaml]\n{text}"})
    assert estate.value("Deployment", "web", *CONTAINER, "image") == "nginx:9"
    assert estate.written("Deployment", "web", *CONTAINER, "image") == ("over/src.yaml", "'9'")


def test_trials_that_nothing_includes_are_no_roots_and_an_environment_for_tests_is_one(tmp_path: Path) -> None:
    alone = {"kustomization.yaml": "resources: [a.yaml]\n", "a.yaml": SERVICE}
    folders = {"redis/test": False, "web/prod": True, "web/test": True, "overlays/demo": True, "old/_archive/x": False}
    files = {f"{folder}/{name}": text for folder in folders for name, text in alone.items()}
    estate = Estate(tmp_path, files)
    assert {one.resource.root for one in estate.found} == {folder for folder, applied in folders.items() if applied}


def test_what_is_replaced_by_what_lies_elsewhere_is_unknown(tmp_path: Path) -> None:
    text = (
        "resources: [route.yaml]\nconfigMapGenerator: [{name: domain, envs: [private.env]}]\n"
        "replacements:\n  - source: {kind: ConfigMap, name: domain, fieldPath: data.suffix}\n    targets:\n"
        "      - select: {kind: HTTPRoute}\n        fieldPaths: [spec.hostnames.0]\n"
        "        options: {delimiter: '.', index: 1}\n"
    )
    route = "apiVersion: x/v1\nkind: HTTPRoute\nmetadata: {name: web}\nspec: {hostnames: [web.filled-in-later]}\n"
    estate = Estate(tmp_path, {"kustomization.yaml": text, "route.yaml": route})
    missing = Unknown("the file private.env is not in the estate")
    assert estate.value("HTTPRoute", "web", "spec", "hostnames", 0) == PartialText(("web.", missing))
    assert [cause for _, _, cause in estate.causes] == ["private.env is not in the estate"]


def test_charts_that_kustomize_inflates_are_named(tmp_path: Path) -> None:
    text = "namespace: media\nhelmCharts: [{name: jellyfin, repo: https://x.test, version: 1.2.3, releaseName: tv}]\n"
    estate = Estate(tmp_path, {"a/kustomization.yaml": text})
    resource = estate.resource("HelmChart", "tv")
    assert (resource.api_version, resource.namespace, resource.root) == ("kustomize", "media", "a")
    assert estate.written("HelmChart", "tv", "version") == ("a/kustomization.yaml", "1.2.3")


def test_yes_is_text_for_kustomize(tmp_path: Path) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: yes, n: 0777}\n"
    estate = Estate(tmp_path, {"kustomization.yaml": "resources: [a.yaml]\n", "a.yaml": text})
    assert estate.value("ConfigMap", "a", "data") == {"k": "yes", "n": 511}


@pytest.mark.parametrize(
    "name",
    [
        "https://github.com/x/y//deploy?ref=v1",
        "github.com/x/y/deploy?ref=v1",
        "git@github.com:x/y.git",
        "ssh://git@host/x",
        "git::https://x/y",
        "https://raw.example.com/x.yaml",
    ],
)
def test_what_is_remote_is_not_fetched(tmp_path: Path, name: str) -> None:
    estate = Estate(tmp_path, {"kustomization.yaml": f"resources:\n  - {name}\n"})
    assert estate.causes == [("kustomization.yaml", 2, "remote, not fetched")]


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("resources: [gone.yaml]\n", "gone.yaml is not in the estate"),
        ("resources: [../../etc/passwd]\n", "../../etc/passwd leads out of the estate"),
        ("resources: [/etc/passwd]\n", "/etc/passwd leads out of the estate"),
        ("resources: [sub]\n", "no kustomization in sub"),
        ("resources: [5]\n", "a resource that is no path"),
        ("resources: [.]\n", "over includes itself"),
        ("resources: [a.yaml, a.yaml]\n", "Service web is there already"),
        ("patches: [{path: gone.yaml}]\n", "gone.yaml is not in the estate"),
        ("patches: [{target: {kind: X}}]\n", "a patch without path or text"),
        ("patches: [{patch: '- op: add'}]\n", "a list of operations needs a target"),
        ("patches: [{patch: 'a: ['}]\n", "no valid YAML"),
        ("configMapGenerator: [{literals: [A=1]}]\n", "a generator without a name"),
        ("configMapGenerator: [{name: a, literals: [A]}]\n", "a literal without ="),
        ("replacements: [{source: {kind: X}, targets: []}]\n", "fits 0 objects"),
        ("vars: [{name: X}]\n", "vars are not followed"),
    ],
)
def test_what_cannot_be_built_is_said_at_its_line(tmp_path: Path, text: str, cause: str) -> None:
    estate = Estate(
        tmp_path, {"over/kustomization.yaml": text, "over/a.yaml": SERVICE, "over/sub/x.txt": "", "over/x.txt": ""}
    )
    assert any(cause in found and (file, line) == ("over/kustomization.yaml", 1) for file, line, found in estate.causes)


def test_kustomizations_in_a_circle_end(tmp_path: Path) -> None:
    estate = Estate(
        tmp_path,
        {
            "a/kustomization.yaml": "resources: [../b]\n",
            "b/kustomization.yaml": "resources: [../a]\n",
            "c/kustomization.yaml": "resources: [../a]\n",
        },
    )
    assert any("includes itself" in cause for _, _, cause in estate.causes)


def test_includes_that_multiply_are_bounded(tmp_path: Path) -> None:
    files = {f"d{n}/kustomization.yaml": f"resources: [../d{n + 1}, ../d{n + 1}/]\n" for n in range(30)}
    files["d30/kustomization.yaml"] = "resources: [a.yaml]\n"
    estate = Estate(tmp_path, {**files, "d30/a.yaml": SERVICE})
    assert estate.addresses == ["v1/Service/web"]


@pytest.mark.parametrize(
    "text",
    [
        "resources: x\npatches: {a: b}\nimages: 5\nnamespace: [a]\nlabels: [5, {pairs: x}]\ngeneratorOptions: 5\n",
        "- a\n- b\n",
        "resources: [a.yaml]\nimages: [5, {name: 5}, {name: web, newTag: true}]\nreplicas: [{name: web, count: x}]\n",
        "resources: [a.yaml]\npatches: [{patch: '5', target: {name: '(('}}]\ncommonLabels: {a: {b: c}}\n",
        "resources: [a.yaml]\nreplacements: [{source: {}, targets: [{select: {}, fieldPaths: [5]}]}]\n",
        "resources: [a.yaml]\npatches: [{patch: '[{op: add}, 5]', target: {}}]\n",
        "helmCharts: [5, {name: 7}]\nconfigMapGenerator: [5, {name: x, files: 5, literals: [1]}]\n",
        "kind: [\n",
        "",
    ],
)
def test_nonsense_costs_no_more_than_itself(tmp_path: Path, text: str) -> None:
    Estate(tmp_path, {"kustomization.yaml": text, "a.yaml": SERVICE})


def test_what_a_kustomization_leaves_out_is_not_applied(tmp_path: Path) -> None:
    estate = Estate(
        tmp_path,
        {
            "kustomization.yaml": "resources:\n  - a.yaml\n  # - b.yaml\n",
            "a.yaml": SERVICE,
            "b.yaml": SERVICE.replace("web", "other"),
            "values.yaml": "x: 1\n",
        },
    )
    assert estate.addresses == ["v1/Service/web"]
    assert estate.tree.skipped == {"b.yaml": "not applied"}


EVERYTHING: dict[str, str] = {
    "base/kustomization.yaml": (
        "resources: [deploy.yaml, svc.yaml, more.yaml]\n"
        "configMapGenerator:\n"
        "- {name: settings, literals: [A=1, \"B='two'\", C=x=y], files: [app.ini], envs: [e.env]}\n"
        "generatorOptions: {disableNameSuffixHash: true}\n"
    ),
    "base/deploy.yaml": DEPLOYMENT,
    "base/svc.yaml": SERVICE,
    "base/app.ini": "x = 1\n",
    "base/e.env": "# c\nE1=v1\n\nE2=a b\n",
    "base/more.yaml": """\
        apiVersion: v1
        kind: ServiceAccount
        metadata: {name: web}
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: RoleBinding
        metadata: {name: web}
        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: web}
        subjects:
        - {kind: ServiceAccount, name: web}
        - {kind: ServiceAccount, name: default}
        - {kind: ServiceAccount, name: other, namespace: elsewhere}
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: Role
        metadata: {name: web}
        rules: []
        ---
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: {name: web}
        spec:
          rules:
          - host: x
            http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
        ---
        apiVersion: batch/v1
        kind: CronJob
        metadata: {name: job}
        spec:
          schedule: "0 0 * * *"
          jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: nginx}]}}}}
        """,
    "comp/kustomization.yaml": (
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [x.yaml]\n"
        "patches: [{target: {kind: Deployment}, patch: '- {op: add, path: /spec/paused, value: false}'}]\n"
    ),
    "comp/x.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: b}\n",
    "one/kustomization.yaml": (
        "resources: [../base]\ncomponents: [../comp]\nnamespace: media\nnamePrefix: pre-\nnameSuffix: -suf\n"
        "commonLabels: {team: core}\ncommonAnnotations: {note: hi}\nreplicas: [{name: web, count: 3}]\n"
        "images: [{name: nginx, newTag: '1.27'}, {name: ghcr.io/x/side, newName: mirror/side}]\n"
    ),
    "two/kustomization.yaml": """\
        resources: [../base]
        labels:
        - {pairs: {tier: front}, includeTemplates: true}
        - {pairs: {sel: "on"}, includeSelectors: true}
        patches:
        - path: patch.yaml
        - target: {kind: Deployment, name: "we.*"}
          patch: |
            - {op: replace, path: /spec/replicas, value: 5}
            - {op: add, path: /spec/template/spec/containers/0/args/-, value: c}
            - {op: add, path: /metadata/annotations, value: {a~b: "1"}}
            - {op: add, path: /metadata/annotations/x~1y, value: "2"}
            - {op: move, from: /spec/template/spec/tolerations, path: /spec/moved}
        - target: {labelSelector: "app=web"}
          patch: |
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: any}
            spec: {minReadySeconds: 7}
        - patch: |
            $patch: delete
            apiVersion: batch/v1
            kind: CronJob
            metadata: {name: job}
        """,
    "two/patch.yaml": """\
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web}
        spec:
          template:
            spec:
              containers:
              - name: web
                env:
                - {name: Y, $patch: delete}
                - {name: NEW, value: n}
                ports: [{containerPort: 80, name: http}]
                volumeMounts: [{mountPath: /new, name: data}]
              - name: added
                image: added:1
              tolerations: [{key: b, operator: Exists}]
              volumes: [{name: data, configMap: null, emptyDir: {}}]
        """,
    "top/kustomization.yaml": """\
        resources: [../one]
        namePrefix: top-
        namespace: other
        patches:
        - patch: |
            apiVersion: v1
            kind: Service
            metadata: {name: web}
            spec: {clusterIP: None}
        """,
}


def test_everything_at_once_leads_to_its_bytes(tmp_path: Path) -> None:
    estate = Estate(tmp_path, EVERYTHING)
    assert estate.causes == []
    assert {found.resource.root for found in estate.built} == {"top", "two"}
    assert_every_text_leads_to_its_bytes(estate)


def kubectl() -> str | None:
    return os.environ.get("SHOREUP_TEST_KUBECTL") or shutil.which("kubectl")


@pytest.mark.skipif(kubectl() is None, reason="no kubectl to compare with (SHOREUP_TEST_KUBECTL names one)")
@pytest.mark.parametrize("root", ["top", "two"])
def test_the_same_as_kustomize_itself_builds(tmp_path: Path, root: str) -> None:
    estate = Estate(tmp_path, EVERYTHING)
    command = [str(kubectl()), "kustomize", "--load-restrictor", "LoadRestrictionsNone", str(tmp_path / root)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    theirs = {name_of(document.value): document.value for document in load(output).documents}
    ours = {
        name_of(dict(found.resource.body)): dict(found.resource.body)
        for found in estate.built
        if found.resource.root == root
    }
    assert ours == theirs


def name_of(value: Value) -> tuple[str, str, str]:
    assert isinstance(value, dict)
    metadata = value["metadata"]
    assert isinstance(metadata, dict)
    return str(value["kind"]), str(metadata.get("namespace")), str(metadata["name"])


def test_a_kustomization_of_another_shape_is_said(tmp_path: Path) -> None:
    estate = Estate(
        tmp_path, {"a/kustomization.yaml": "- not\n- a mapping\n", "b/kustomization.yaml": "resources: {a: b}\n"}
    )
    assert estate.causes == [
        ("a/kustomization.yaml", 1, "a kustomization that is no mapping"),
        ("b/kustomization.yaml", 1, "no list"),
    ]
