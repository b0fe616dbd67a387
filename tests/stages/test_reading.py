"""What several sources see is read once."""

from __future__ import annotations

from pathlib import Path

from bad_estates import manifest, write
from shoreup.formats.files import FileTree
from shoreup.stages.auditing.reading import Reading, read
from shoreup.stages.opening import estate_root

APPLIED = """\
resource "kubectl_manifest" "template" {
  yaml_body = templatefile("${path.module}/template.yaml", { name = "web" })
}
resource "kubectl_manifest" "file" {
  for_each  = fileset(path.module, "manifests/*.yaml")
  yaml_body = file("${path.module}/${each.value}")
}
resource "kubernetes_manifest" "decoded" {
  manifest = yamldecode(file("${path.module}/decoded.yaml"))
}
"""


def reading(root: Path, files: dict[str, str]) -> Reading:
    write(root, files)
    return read(FileTree(root), None, lambda *_: None)


def test_manifests_that_terraform_applies_are_terraforms(tmp_path: Path) -> None:
    found = reading(
        tmp_path,
        {
            "main.tf": APPLIED,
            "template.yaml": manifest("${name}"),
            "manifests/a.yaml": manifest("a"),
            "decoded.yaml": manifest("d"),
            "beside.yaml": manifest("beside"),
        },
    )
    assert sorted(one.address for one in found.resources) == [
        "apps/v1/Deployment/shop/beside",
        'kubectl_manifest.file["manifests/a.yaml"]',
        "kubectl_manifest.template",
        "kubernetes_manifest.decoded",
    ]
    assert found.tree.errors == []


def test_a_template_that_is_no_yaml_by_itself_is_no_error(tmp_path: Path) -> None:
    template = "%{ for x in [1] }\n" + manifest("web") + "%{ endfor }\n"
    found = reading(tmp_path, {"main.tf": APPLIED.partition("}\nresource")[0] + "}\n", "template.yaml": template})
    assert [one.address for one in found.resources] == ["kubectl_manifest.template"]
    assert found.tree.errors == []


def test_the_same_object_in_another_file_is_another(tmp_path: Path) -> None:
    body = 'resource "kubectl_manifest" "a" {\n  yaml_body = file("a.yaml")\n}\n'
    found = reading(tmp_path, {"main.tf": body, "a.yaml": manifest("a"), "b.yaml": manifest("a")})
    assert len(found.resources) == 2


def test_a_file_that_terraform_only_hashes_is_still_a_manifest(tmp_path: Path) -> None:
    body = 'resource "terraform_data" "a" {\n  input = sha1(file("a.yaml"))\n}\n'
    found = reading(tmp_path, {"main.tf": body, "a.yaml": manifest("a")})
    assert "apps/v1/Deployment/shop/a" in [one.address for one in found.resources]


def test_a_folder_named_beside_a_part_of_it_is_the_whole_folder(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    assert estate_root((tmp_path / "a", tmp_path)) == (tmp_path.resolve(), ())
    assert estate_root((tmp_path / "a", tmp_path / "a")) == ((tmp_path / "a").resolve(), ())


def test_what_is_set_aside_is_no_resource_and_its_faults_are_not_told(tmp_path: Path) -> None:
    twice = manifest("old") + "---\n" + manifest("old")
    found = reading(tmp_path, {"apps/web.yaml": manifest("web"), "archive/old.yaml": twice})
    assert [one.name for one in found.resources] == ["web"]
    assert [one.resource.name for one in found.aside] == ["old"]
    assert found.tree.errors == []
    assert found.tree.skipped["archive/old.yaml"] == "not applied"
