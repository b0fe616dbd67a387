"""Flux Kustomizations apply folders: with what they add on top, what they substitute, and what they leave out."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoreup.model.value import PartialText, Unknown, Value
from shoreup.sources.kustomize.provenance import NOWHERE, Object
from shoreup.sources.kustomize.substitute import Variables, substitute
from yaml_estates import Estate, assert_every_text_leads_to_its_bytes

SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {port: 1}\n"


def flux(name: str, path: str, more: str = "", source: str = "flux-system") -> str:
    return (
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n"
        f"metadata:\n  name: {name}\n  namespace: flux-system\nspec:\n  path: {path}\n"
        f"  sourceRef: {{kind: GitRepository, name: {source}}}\n{more}"
    )


def test_a_folder_is_applied_with_the_target_namespace(tmp_path: Path) -> None:
    estate = Estate(
        tmp_path,
        {
            "cluster/ks.yaml": flux("app", "./apps/web", "  targetNamespace: media\n"),
            "apps/web/kustomization.yaml": "resources: [svc.yaml]\n",
            "apps/web/svc.yaml": SERVICE,
        },
    )
    assert estate.addresses == [
        "kustomize.toolkit.fluxcd.io/v1/Kustomization/flux-system/app",
        "v1/Service/media/web",
    ]
    resource = estate.resource("Service", "web")
    assert (resource.root, resource.source) == ("apps/web", "flux")
    assert estate.written("Service", "web", "metadata", "namespace") == ("cluster/ks.yaml", "media")
    assert estate.causes == []
    assert_every_text_leads_to_its_bytes(estate)


def test_a_folder_without_a_kustomization_is_all_that_is_in_it(tmp_path: Path) -> None:
    estate = Estate(
        tmp_path,
        {
            "cluster/ks.yaml": flux("apps", "./apps"),
            "apps/ns.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: media}\n",
            "apps/one/svc.yaml": SERVICE,
            "apps/two/kustomization.yaml": "namePrefix: two-\nresources: [svc.yaml]\n",
            "apps/two/svc.yaml": SERVICE,
            "apps/two/deep/left-out.yaml": SERVICE,
            "apps/values.yaml": "a: 1\n",
            "other/kustomization.yaml": "namePrefix: other-\nresources: [svc.yaml]\n",
            "other/svc.yaml": SERVICE,
        },
    )
    built = {(found.resource.root, found.resource.name) for found in estate.built}
    assert built == {("apps", "media"), ("apps", "web"), ("apps", "two-web"), ("other", "other-web")}


def test_what_a_folder_brings_may_apply_further_folders(tmp_path: Path) -> None:
    patch = (
        "  patches:\n    - target: {kind: Kustomization}\n      patch: |-\n        apiVersion: v1\n"
        "        kind: Kustomization\n        metadata: {name: _}\n        spec: {targetNamespace: patched}\n"
    )
    estate = Estate(
        tmp_path,
        {
            "flux/cluster.yaml": flux("cluster", "./apps", patch),
            "apps/media/kustomization.yaml": "namespace: media\nresources: [./web/ks.yaml]\n",
            "apps/media/web/ks.yaml": flux("web", "./apps/media/web/app"),
            "apps/media/web/app/kustomization.yaml": "resources: [svc.yaml]\n",
            "apps/media/web/app/svc.yaml": SERVICE,
        },
    )
    assert "v1/Service/patched/web" in estate.addresses
    origin = estate.origin("Service", "web", "metadata", "namespace")
    assert (origin.span.file, estate.bytes_of(origin.span)) == ("flux/cluster.yaml", "patched")
    assert_every_text_leads_to_its_bytes(estate)


def test_an_application_that_is_commented_out_is_not_applied(tmp_path: Path) -> None:
    estate = Estate(
        tmp_path,
        {
            "flux/cluster.yaml": flux("cluster", "./apps"),
            "apps/kustomization.yaml": "resources:\n  - ./on/ks.yaml\n  # - ./off/ks.yaml\n",
            "apps/on/ks.yaml": flux("on", "./apps/on/app"),
            "apps/on/app/svc.yaml": SERVICE,
            "apps/off/ks.yaml": flux("off", "./apps/off/app"),
            "apps/off/app/kustomization.yaml": "resources: [svc.yaml]\n",
            "apps/off/app/svc.yaml": SERVICE.replace("web", "off"),
        },
    )
    assert [found.resource.name for found in estate.found if found.resource.kind == "Service"] == ["web"]
    assert estate.tree.skipped == {"apps/off/ks.yaml": "not applied"}


def test_a_cluster_folder_that_applies_itself_is_applied_once(tmp_path: Path) -> None:
    estate = Estate(
        tmp_path,
        {
            "clusters/prod/flux-system/kustomization.yaml": "resources: [gotk-sync.yaml]\n",
            "clusters/prod/flux-system/gotk-sync.yaml": flux("flux-system", "./clusters/prod"),
            "clusters/prod/apps.yaml": flux("apps", "./apps"),
            "apps/svc.yaml": SERVICE,
        },
    )
    assert [found.resource.root for found in estate.found if found.resource.kind == "Service"] == ["apps"]
    assert sum(found.resource.name == "flux-system" for found in estate.found) == 1
    assert estate.loose == []


def test_the_same_folder_may_be_applied_twice(tmp_path: Path) -> None:
    estate = Estate(
        tmp_path,
        {
            "ks.yaml": "---\n".join(
                flux(name, "./app", f"  postBuild: {{substitute: {{APP: {name}}}}}\n") for name in ("one", "two")
            ),
            "app/svc.yaml": SERVICE.replace("web", '"${APP}-web"'),
        },
    )
    assert [found.resource.name for found in estate.found if found.resource.kind == "Service"] == ["one-web", "two-web"]
    assert estate.written("Service", "two-web", "metadata", "name")[0] == "app/svc.yaml"
    first, second = estate.origin("Service", "two-web", "metadata", "name").segments
    assert (first.text, first.span.file if first.span else "") == ("two", "ks.yaml")
    assert (second.text, second.span.file if second.span else "") == ("-web", "app/svc.yaml")
    assert_every_text_leads_to_its_bytes(estate)


def test_a_folder_of_another_repository_is_not_looked_for_here(tmp_path: Path) -> None:
    sources = "---\n".join(
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\n"
        f"metadata: {{name: {name}}}\nspec: {{url: {url}}}\n"
        for name, url in (("flux-system", "https://x.test/mine"), ("theirs", "https://x.test/theirs"))
    )
    estate = Estate(
        tmp_path,
        {
            "flux/sources.yaml": sources,
            "flux/ks.yaml": flux("mine", "./apps") + "---\n" + flux("theirs", "./", source="theirs"),
            "apps/svc.yaml": SERVICE,
        },
    )
    assert [found.resource.root for found in estate.found if found.resource.kind == "Service"] == ["apps"]
    assert [cause for _, _, cause in estate.causes] == ["its source GitRepository theirs is not this repository"]


@pytest.mark.parametrize("path", ["./gone", "../outside", "./${CLUSTER}"])
def test_a_folder_that_is_not_there_is_said(tmp_path: Path, path: str) -> None:
    estate = Estate(tmp_path, {"flux/ks.yaml": flux("app", path)})
    ((file, line, _),) = estate.causes
    assert (file, line) == ("flux/ks.yaml", 7)


def test_variables_come_from_the_object_and_from_config_maps(tmp_path: Path) -> None:
    post = (
        "  postBuild:\n    substitute: {OWN: mine}\n"
        "    substituteFrom: [{kind: ConfigMap, name: settings}, {kind: Secret, name: gone, optional: true}]\n"
    )
    text = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata:\n"
        '  own: "${OWN}"\n  shared: x-${SHARED}-y\n  default: ${ABSENT:=d}\n  unknown: a${ABSENT}b\n'
        '  escaped: "$${OWN}"\n  number: ${PORT}\n  kept: $OWN {OWN}\n'
    )
    settings = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {SHARED: s, PORT: '80', OWN: theirs}\n"
    )
    estate = Estate(
        tmp_path, {"flux/ks.yaml": flux("app", "./app", post), "flux/settings.yaml": settings, "app/a.yaml": text}
    )
    reason = Unknown("ABSENT: the Secret gone is not in the estate")
    assert estate.value("ConfigMap", "web", "data") == {
        "own": "mine",
        "shared": "x-s-y",
        "default": reason,
        "unknown": PartialText(("a", reason, "b")),
        "escaped": "${OWN}",
        "number": 80,
        "kept": "$OWN {OWN}",
    }
    assert estate.written("ConfigMap", "web", "data", "own") == ("flux/ks.yaml", "mine")
    assert [s.unknown for s in estate.origin("ConfigMap", "web", "data", "unknown").segments] == ["", reason.reason, ""]


def test_without_a_source_in_doubt_an_absent_variable_is_empty(tmp_path: Path) -> None:
    post = "  postBuild: {substitute: {A: a}}\n"
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {x: 'a${B}c', y: '${B:-d}', z: '${A:-d}'}\n"
    estate = Estate(tmp_path, {"flux/ks.yaml": flux("app", "./app", post), "app/a.yaml": text})
    assert estate.value("ConfigMap", "web", "data") == {"x": "ac", "y": "d", "z": "a"}


def test_without_post_build_nothing_is_substituted(tmp_path: Path) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {x: '${B}'}\n"
    estate = Estate(tmp_path, {"flux/ks.yaml": flux("app", "./app"), "app/a.yaml": text})
    assert estate.value("ConfigMap", "web", "data") == {"x": "${B}"}


def test_an_object_may_forbid_substitution(tmp_path: Path) -> None:
    post = "  postBuild: {substitute: {B: b}}\n"
    text = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n"
        "  annotations: {kustomize.toolkit.fluxcd.io/substitute: disabled}\ndata: {x: '${B}'}\n"
    )
    estate = Estate(tmp_path, {"flux/ks.yaml": flux("app", "./app", post), "app/a.yaml": text})
    assert estate.value("ConfigMap", "web", "data") == {"x": "${B}"}


def test_components_images_and_common_metadata_of_the_object(tmp_path: Path) -> None:
    more = (
        "  components: [../comp]\n  images: [{name: nginx, newTag: '2'}]\n  namePrefix: p-\n"
        "  commonMetadata: {labels: {team: core}, annotations: {a: b}}\n"
    )
    estate = Estate(
        tmp_path,
        {
            "flux/ks.yaml": flux("app", "./app", more),
            "app/pod.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{image: nginx}]}\n",
            "comp/kustomization.yaml": "kind: Component\nresources: [svc.yaml]\n",
            "comp/svc.yaml": SERVICE,
        },
    )
    assert estate.value("Pod", "p-web", "spec", "containers", 0, "image") == "nginx:2"
    assert estate.written("Pod", "p-web", "spec", "containers", 0, "image") == ("flux/ks.yaml", "'2'")
    assert estate.value("Service", "p-web", "metadata", "labels") == {"team": "core"}
    assert_every_text_leads_to_its_bytes(estate)


def substituted(text: str, **values: Value) -> Value:
    variables = Variables({name: (value, NOWHERE) for name, value in values.items()})
    item = Object({"data": {"x": text}}, NOWHERE)
    substitute([item], variables)
    return item.get("data", "x")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${A}", "a"),
        ("${A}${A}", "aa"),
        ("${E:-${A}}", "a"),
        ("${E-d}", None),
        ("${E:-d}", "d"),
        ("${GONE-d}", "d"),
        ("${GONE:=}", None),
        ("${GONE:-{a}}", "{a}"),
        ("$${A}", "${A}"),
        ("${1}", "${1}"),
        ("${A", "${A"),
        ("${}", "${}"),
        ("${N}", 8080),
        ("${N}0", 80800),
        ("${T}", True),
        ('"${N}"', '"8080"'),
        ("a ${N}", "a 8080"),
        ("${A^^}", Unknown("${A^^} is not computed")),
    ],
)
def test_the_forms_of_substitution(text: str, value: Value) -> None:
    found = substituted(text, A="a", E="", N="8080", T="true")
    assert found == value
    assert type(found) is type(value)


@given(st.text(alphabet="${}AB:-= a", max_size=40))
def test_any_text_can_be_substituted(text: str) -> None:
    substituted(text, A="a")
