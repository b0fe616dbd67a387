"""Applications of Argo CD apply folders: into their namespace, and with what they change of a kustomization."""

from __future__ import annotations

from pathlib import Path

from shoreup.model.value import at
from yaml_estates import Estate, assert_every_text_leads_to_its_bytes

SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {port: 1}\n"
ROLE = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: web}\n"
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
        - {name: web, image: "nginx:latest"}
        - {name: side, image: "redis:latest"}
"""


def application(name: str, path: str, source: str = "", url: str = "https://git.example.com/me/platform") -> str:
    return (
        f"apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}, namespace: argocd}}\n"
        f"spec:\n  destination: {{namespace: {name}}}\n  source:\n    repoURL: {url}\n    path: {path}\n{source}"
    )


def addresses(estate: Estate) -> list[str]:
    return [one for one in estate.addresses if "Application" not in one]


def test_what_names_no_namespace_goes_into_the_destination(tmp_path: Path) -> None:
    other = SERVICE.replace("name: web", "name: other, namespace: elsewhere")
    estate = Estate(
        tmp_path,
        {"argo/a.yaml": application("shop", "apps/shop"), "apps/shop/all.yaml": f"{SERVICE}---\n{other}---\n{ROLE}"},
    )
    assert addresses(estate) == [
        "rbac.authorization.k8s.io/v1/ClusterRole/web",
        "v1/Service/elsewhere/other",
        "v1/Service/shop/web",
    ]
    assert_every_text_leads_to_its_bytes(estate)


def test_a_folder_is_read_as_deep_as_it_is_asked_for(tmp_path: Path) -> None:
    files = {"apps/shop/web.yaml": SERVICE, "apps/shop/deep/role.yaml": ROLE, "apps/shop/not.yaml": DEPLOYMENT}
    deep = application("shop", "apps/shop", "    directory: {recurse: true, exclude: '{not.yaml,never.yaml}'}\n")
    flat = Estate(tmp_path / "flat", {"argo/a.yaml": application("shop", "apps/shop"), **files})
    assert "v1/Service/shop/web" in flat.addresses
    assert "apps/v1/Deployment/shop/web" in flat.addresses
    estate = Estate(tmp_path / "deep", {"argo/a.yaml": deep, **files})
    assert "rbac.authorization.k8s.io/v1/ClusterRole/web" in estate.addresses
    assert "v1/Service/shop/web" in estate.addresses
    assert "apps/v1/Deployment/shop/web" not in estate.addresses


def test_a_kustomization_is_edited_as_the_application_asks(tmp_path: Path) -> None:
    edits = (
        "    kustomize:\n      namePrefix: my-\n      images: ['nginx:1.27.1', 'redis=valkey/valkey:8.0.1']\n"
        "      commonLabels: {team: shop}\n      replicas: [{name: web, count: 3}]\n"
    )
    estate = Estate(
        tmp_path,
        {
            "argo/a.yaml": application("shop", "apps/shop", edits),
            "apps/shop/kustomization.yaml": "resources: [web.yaml]\nimages: [{name: nginx, newTag: '1.2'}]\n",
            "apps/shop/web.yaml": DEPLOYMENT,
        },
    )
    assert addresses(estate) == ["apps/v1/Deployment/shop/my-web"]
    body = estate.resource("Deployment", "my-web").body
    containers = at(dict(body), "spec", "template", "spec", "containers")
    assert isinstance(containers, list)
    assert [at(one, "image") for one in containers] == ["nginx:1.27.1", "valkey/valkey:8.0.1"]
    assert at(dict(body), "spec", "replicas") == 3
    assert at(dict(body), "metadata", "labels", "team") == "shop"
    assert_every_text_leads_to_its_bytes(estate)


def test_an_application_may_bring_applications(tmp_path: Path) -> None:
    estate = Estate(
        tmp_path,
        {
            "root.yaml": application("argocd", "argo"),
            "argo/shop.yaml": application("shop", "apps/shop"),
            "apps/shop/web.yaml": SERVICE,
        },
    )
    assert estate.addresses == [
        "argoproj.io/v1alpha1/Application/argocd/argocd",
        "argoproj.io/v1alpha1/Application/argocd/shop",
        "v1/Service/shop/web",
    ]


def test_a_folder_that_two_applications_apply_counts_twice(tmp_path: Path) -> None:
    estate = Estate(
        tmp_path,
        {
            "argo/a.yaml": application("one", "apps/shop"),
            "argo/b.yaml": application("two", "apps/shop"),
            "apps/shop/web.yaml": SERVICE,
        },
    )
    assert addresses(estate) == ["v1/Service/one/web", "v1/Service/two/web"]


def test_a_folder_of_another_repository_is_not_looked_for_here(tmp_path: Path) -> None:
    elsewhere = application("other", "apps/other", url="https://git.example.com/them/examples.git")
    estate = Estate(
        tmp_path,
        {
            "argo/a.yaml": application("shop", "apps/shop"),
            "argo/b.yaml": application("two", "apps/two", url="https://git.example.com/me/platform.git"),
            "argo/c.yaml": elsewhere,
            "apps/shop/web.yaml": SERVICE,
            "apps/two/web.yaml": SERVICE,
            "apps/other/web.yaml": SERVICE,
        },
    )
    assert addresses(estate) == ["v1/Service/shop/web", "v1/Service/two/web", "v1/Service/web"]


def test_a_set_for_folders_applies_each_of_them(tmp_path: Path) -> None:
    made = """
        apiVersion: argoproj.io/v1alpha1
        kind: ApplicationSet
        metadata: {name: all, namespace: argocd}
        spec:
          generators:
          - git:
              repoURL: https://git.example.com/me/platform
              directories: [{path: apps/*}, {path: apps/old, exclude: true}]
          template:
            metadata: {name: '{{path.basename}}'}
            spec:
              source: {repoURL: https://git.example.com/me/platform, path: '{{path}}'}
              destination: {namespace: 'in-{{.path.basename}}'}
    """
    estate = Estate(
        tmp_path,
        {
            "sets/all.yaml": made,
            "apps/one/web.yaml": SERVICE,
            "apps/two/kustomization.yaml": "resources: [web.yaml]\n",
            "apps/two/web.yaml": SERVICE,
            "apps/old/web.yaml": SERVICE,
            "apps/one/deeper/web.yaml": SERVICE,
        },
    )
    assert addresses(estate) == ["v1/Service/in-one/web", "v1/Service/in-two/web", "v1/Service/web", "v1/Service/web"]
    assert estate.value("Service", "web", "spec", "port", root="apps/two") == 1
    assert_every_text_leads_to_its_bytes(estate)


def test_a_folder_that_a_kustomization_includes_is_not_applied_twice(tmp_path: Path) -> None:
    estate = Estate(
        tmp_path,
        {
            "argo/a.yaml": application("shop", "apps/shop"),
            "apps/kustomization.yaml": "resources: [shop]\nnamespace: all\n",
            "apps/shop/kustomization.yaml": "resources: [web.yaml]\n",
            "apps/shop/web.yaml": SERVICE,
        },
    )
    assert addresses(estate) == ["v1/Service/all/web"]
