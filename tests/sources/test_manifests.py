"""Every document that says what it is is a resource; nothing else is."""

from __future__ import annotations

from pathlib import Path

from shoreup.model.value import Unknown
from yaml_estates import Estate, assert_every_text_leads_to_its_bytes

SERVICE = """\
    apiVersion: v1
    kind: Service
    metadata:
      name: web
      namespace: media
    spec:
      ports:
        - port: 80
    """


def test_every_document_of_a_file_is_a_resource(tmp_path: Path) -> None:
    deployment = "---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 2\n"
    estate = Estate(
        tmp_path, {"app/all.yaml": "# first\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\n" + deployment}
    )
    assert estate.addresses == ["apps/v1/Deployment/web", "v1/Pod/p"]
    resource = estate.resource("Deployment", "web")
    assert (resource.root, resource.source, resource.namespace) == ("app", "manifest", None)
    assert estate.written("Deployment", "web", "spec", "replicas") == ("app/all.yaml", "2")
    assert estate.written("Deployment", "web")[1].startswith("apiVersion: apps/v1")
    assert_every_text_leads_to_its_bytes(estate)


def test_the_namespace_is_part_of_the_address(tmp_path: Path) -> None:
    estate = Estate(tmp_path, {"a.yaml": SERVICE})
    assert estate.addresses == ["v1/Service/media/web"]
    assert estate.resource("Service", "web").root == "."


def test_lists_are_their_items(tmp_path: Path) -> None:
    text = """\
        apiVersion: v1
        kind: List
        items:
          - apiVersion: v1
            kind: Service
            metadata: {name: a}
          - apiVersion: v1
            kind: ConfigMapList
            items:
              - {apiVersion: v1, kind: ConfigMap, metadata: {name: b}, data: {k: v}}
        """
    estate = Estate(tmp_path, {"a.yml": text})
    assert estate.addresses == ["v1/ConfigMap/b", "v1/Service/a"]
    assert estate.written("ConfigMap", "b", "data", "k") == ("a.yml", "v")


def test_json_is_read_where_it_holds_objects(tmp_path: Path) -> None:
    estate = Estate(
        tmp_path,
        {
            "a.json": '{\n  "apiVersion": "v1",\n  "kind": "Service",\n  "metadata": {"name": "a\\u0062"}\n}\n',
            "package.json": '{"name": "x"}',
            "broken.json": '{"apiVersion": "v1", "kind": }',
        },
    )
    assert estate.addresses == ["v1/Service/ab"]
    origin = estate.origin("Service", "ab", "metadata", "name")
    assert [(s.text, s.verbatim, s.encodings) for s in origin.segments] == [
        ("a", True, ("json",)),
        ("b", False, ("json",)),
    ]
    assert [(file, line) for file, line, _ in estate.causes] == [("broken.json", 1)]


def test_what_no_cluster_stores_is_no_resource(tmp_path: Path) -> None:
    estate = Estate(
        tmp_path,
        {
            "values.yaml": "image: {tag: latest}\n",
            "kubeconfig.yaml": "apiVersion: v1\nkind: Config\nmetadata: {}\nusers: []\n",
            "kind.yaml": "apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\nmetadata: {name: x}\n",
            "nothing.yaml": "apiVersion: v1\nkind: Service\n",
            "list.yaml": "- apiVersion: v1\n  kind: Service\n  metadata: {name: x}\n",
        },
    )
    assert estate.addresses == []
    assert estate.causes == []


def test_charts_keep_their_templates(tmp_path: Path) -> None:
    estate = Estate(
        tmp_path,
        {
            "charts/x/Chart.yaml": "apiVersion: v2\nname: x\nversion: 1.0.0\n",
            "charts/x/templates/a.yaml": SERVICE,
            "charts/x/templates/b.yaml": "kind: {{ .Values.kind }}\napiVersion: v1\n",
            "charts/x/crds/c.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: outside}\n",
        },
    )
    assert estate.addresses == ["v1/Service/outside"]
    assert estate.tree.skipped == {}


def test_a_template_outside_a_chart_is_left_alone(tmp_path: Path) -> None:
    estate = Estate(tmp_path, {"a.yaml": "apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .name }}\n"})
    assert (estate.addresses, estate.causes) == ([], [])
    assert estate.tree.skipped == {"a.yaml": "template"}


def test_a_broken_document_costs_itself(tmp_path: Path) -> None:
    whole = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n"
    estate = Estate(tmp_path, {"a.yaml": f"{whole}---\nkind: [\n---\n{whole.replace('a}', 'b}')}"})
    assert estate.addresses == ["v1/Service/a", "v1/Service/b"]
    ((file, line, _),) = estate.causes
    assert (file, line) == ("a.yaml", 6)


def test_an_encrypted_secret_has_keys_and_no_values(tmp_path: Path) -> None:
    text = """\
        apiVersion: v1
        kind: Secret
        metadata:
            name: db
        stringData:
            password: ENC[AES256_GCM,data:Zm9v,iv:eA==,tag:eA==,type:str]
        sops:
            lastmodified: "2026-01-01T00:00:00Z"
            mac: ENC[AES256_GCM,data:eA==]
        """
    estate = Estate(tmp_path, {"db.sops.yaml": text})
    assert estate.value("Secret", "db", "stringData", "password") == Unknown("encrypted with sops")
    assert estate.origin("Secret", "db", "stringData", "password") is not None
    assert "sops" not in estate.resource("Secret", "db").body
    assert estate.tree.skipped == {"db.sops.yaml": "encrypted"}


def test_a_name_that_the_cluster_makes_is_shown_as_such(tmp_path: Path) -> None:
    estate = Estate(tmp_path, {"a.yaml": "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: run-}\n"})
    assert estate.addresses == ["batch/v1/Job/run-*"]


def test_a_link_to_a_manifest_is_not_a_second_resource(tmp_path: Path) -> None:
    (tmp_path / "link.yaml").symlink_to("a.yaml")
    estate = Estate(tmp_path, {"a.yaml": SERVICE})
    assert estate.addresses == ["v1/Service/media/web"]


def test_a_byte_order_mark_and_windows_lines_do_not_shift_bytes(tmp_path: Path) -> None:
    text = "apiVersion: v1\r\nkind: ConfigMap\r\nmetadata: {name: a}\r\ndata:\r\n  k: |\r\n    é\r\n    b\r\n"
    estate = Estate(tmp_path, {"a.yaml": b"\xef\xbb\xbf" + text.encode()})
    assert estate.value("ConfigMap", "a", "data", "k") == "é\nb\n"
    assert_every_text_leads_to_its_bytes(estate)


def test_positions_survive_forgetting_the_contents(tmp_path: Path) -> None:
    estate = Estate(tmp_path, {"a.yaml": SERVICE})
    estate.tree.forget()
    assert estate.written("Service", "web", "metadata", "name") == ("a.yaml", "web")


def test_broken_yaml_is_said_also_where_no_object_is_in_it(tmp_path: Path) -> None:
    estate = Estate(
        tmp_path,
        {
            "values.yaml": "image:\n  tag: [1, 2\nport: 1\n",
            "deep.yaml": "a: " + "[" * 5000 + "]" * 5000,
            "template.yaml": "{{ if .x }}\na: [\n{{ end }}\n",
            "data.json": "// a comment\n{}\n",
        },
    )
    assert [(file, line) for file, line, _ in estate.causes] == [("deep.yaml", 1), ("values.yaml", 3)]
    assert estate.tree.skipped == {"template.yaml": "template"}


def test_names_that_somebody_fills_in_first_are_no_objects(tmp_path: Path) -> None:
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: jobs}}\n"
    names = {
        "a.yaml": "shell-HOSTNAME",
        "b.yaml": "__NAME__",
        "c.yaml": '"<name>"',
        "d.yaml": '"${APP}"',
        "e.yaml": "x",
    }
    estate = Estate(tmp_path, {path: pod.format(name=name) for path, name in names.items()})
    assert estate.addresses == ["v1/Pod/jobs/${APP}", "v1/Pod/jobs/x"]


def test_trials_beside_an_estate_are_not_applied(tmp_path: Path) -> None:
    trial = "apiVersion: v1\nkind: Pod\nmetadata: {name: trial}\n"
    estate = Estate(tmp_path, {"apps/web.yaml": SERVICE, "test/benchmark/disk.yaml": trial, "hack/wipe.yaml": trial})
    assert estate.addresses == ["v1/Service/media/web"]
    assert estate.tree.skipped == {"hack/wipe.yaml": "not applied", "test/benchmark/disk.yaml": "not applied"}


def test_pages_examples_and_what_was_retired_are_not_applied(tmp_path: Path) -> None:
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: shown}\n"
    aside = (
        "site/docs/k8s/pod.yaml",
        "experiments/a.yaml",
        "apps/_archive/b.yaml",
        "db/example-pod.yaml",
        "x-tmpl.yaml",
    )
    files = {"apps/web.yaml": SERVICE, "site/docs/intro.md": "# The site\n", **dict.fromkeys(aside, pod)}
    estate = Estate(tmp_path, files)
    assert estate.addresses == ["v1/Service/media/web"]
    assert estate.tree.skipped == dict.fromkeys(aside, "not applied")


def test_an_application_called_docs_and_an_overlay_called_demo_are_applied(tmp_path: Path) -> None:
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: shown}\n"
    estate = Estate(tmp_path, {"apps/docs/pod.yaml": pod, "overlays/demo/pod.yaml": pod, "web.yaml": SERVICE})
    assert len(estate.addresses) == 3


def test_an_estate_of_examples_is_one(tmp_path: Path) -> None:
    estate = Estate(tmp_path, {"examples/web.yaml": SERVICE, ".github/workflows/check.yaml": "on: push\n"})
    assert estate.addresses == ["v1/Service/media/web"]


def test_of_two_objects_with_one_name_in_a_file_the_last_is_applied(tmp_path: Path) -> None:
    twice = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: x}\ndata: {k: '1'}\n"
    made = "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: a-}\n"
    text = f"{twice}---\n{twice.replace('1', '2').replace('v2', 'v1')}---\n{made}---\n{made}"
    estate = Estate(tmp_path, {"a.yaml": text, "b.yaml": twice})
    assert estate.causes == [("a.yaml", 6, "ConfigMap a is declared twice in this file")]
    assert [one.resource.body.get("data") for one in estate.loose if one.resource.kind == "ConfigMap"] == [
        {"k": "2"},
        {"k": "1"},
    ]
    assert len([one for one in estate.loose if one.resource.kind == "Job"]) == 2
