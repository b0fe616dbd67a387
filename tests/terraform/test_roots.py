"""Which directories are applied: roots are, modules are where they are called, and left-over modules are not."""

from __future__ import annotations

from pathlib import Path

from shoreup.formats.files import FileTree
from shoreup.terraform.configuration import Configurations, module_roots

PROVIDER = 'provider "kubernetes" {\n  config_path = "~/.kube/config"\n}\n'
RESOURCE = 'resource "null_resource" "x" {}\n'


def call(name: str) -> str:
    return f'module "{name}" {{\n  source = "./modules/{name}"\n}}\n'


def roots(tmp_path: Path, files: dict[str, str]) -> tuple[list[str], dict[str, str]]:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    tree = FileTree(tmp_path)
    return module_roots(Configurations(tree)), tree.skipped


def test_what_another_directory_calls_is_no_root(tmp_path: Path) -> None:
    found, skipped = roots(tmp_path, {"main.tf": call("web"), "modules/web/main.tf": RESOURCE})
    assert found == ["."]
    assert skipped == {}


def test_a_module_left_over_beside_called_ones_is_not_applied(tmp_path: Path) -> None:
    files = {"main.tf": PROVIDER + call("web"), "modules/web/main.tf": RESOURCE, "modules/old/main.tf": RESOURCE}
    found, skipped = roots(tmp_path, files)
    assert found == ["."]
    assert skipped == {"modules/old/main.tf": "not applied"}


def test_without_a_real_root_beside_it_nothing_tells_a_module_from_a_root(tmp_path: Path) -> None:
    files = {"main.tf": call("web"), "modules/web/main.tf": RESOURCE, "modules/other/main.tf": RESOURCE}
    found, _ = roots(tmp_path, files)
    assert found == [".", "modules/other"]


def test_a_folder_with_a_provider_a_backend_values_or_a_lock_is_applied_wherever_it_lies(tmp_path: Path) -> None:
    files = {
        "main.tf": PROVIDER + call("web"),
        "modules/web/main.tf": RESOURCE,
        "modules/a/main.tf": PROVIDER,
        "modules/b/main.tf": 'terraform {\n  backend "s3" {}\n}\n',
        "modules/c/main.tf": RESOURCE,
        "modules/c/terraform.tfvars": "",
        "modules/d/main.tf": RESOURCE,
        "modules/d/.terraform.lock.hcl": "",
    }
    found, _ = roots(tmp_path, files)
    assert found == [".", "modules/a", "modules/b", "modules/c", "modules/d"]


def test_directories_that_only_call_one_another_are_an_error(tmp_path: Path) -> None:
    files = {
        "a/main.tf": 'module "b" {\n  source = "../b"\n}\n',
        "b/main.tf": 'module "a" {\n  source = "../a"\n}\n',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    tree = FileTree(tmp_path)
    assert module_roots(Configurations(tree)) == []
    assert {problem.cause for problem in tree.errors} == {"modules call one another in a circle"}
