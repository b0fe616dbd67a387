"""Terragrunt's files are read without Terragrunt: units, includes, inputs, dependencies, and what stays unknown."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoreup.formats.files import FileTree
from shoreup.model.value import PartialText, Unknown, Value
from shoreup.terraform.configuration import Configurations
from shoreup.terraform.functions import call
from shoreup.terraform.terragrunt import Terragrunt, Unit, deeply
from shoreup.terraform.terragrunt_file import ESTATE
from shoreup.terraform.trace import trace_resource

MODULE = """
variable "name" { default = "unset" }
variable "tags" { default = {} }
variable "size" { default = 1 }
output "id" { value = "id-of-${var.name}" }
output "later" { value = kubernetes_namespace.this.metadata[0].uid }
resource "kubernetes_namespace" "this" {
  metadata { name = var.name }
}
"""
ROOT = """
locals { region = "home" }
inputs = { name = "from-root", tags = { owner = "root", region = local.region } }
"""
UNIT = """
include "root" {
  path = find_in_parent_folders("root.hcl")
}
terraform { source = "../../modules//app" }
"""


def _terragrunt(folder: Path, files: dict[str, str]) -> Terragrunt:
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return Terragrunt(Configurations(FileTree(folder)), lambda *_: None)


def _unit(folder: Path, text: str, files: dict[str, str] | None = None, root: str = ROOT) -> Unit:
    everything = {"root.hcl": root, "live/app/terragrunt.hcl": text, "modules/app/main.tf": MODULE, **(files or {})}
    unit = _terragrunt(folder, everything).unit("live/app")
    assert unit is not None
    return unit


def _inputs(folder: Path, text: str, files: dict[str, str] | None = None, root: str = ROOT) -> dict[str, Value]:
    return _unit(folder, text, files, root).inputs()


def _value(folder: Path, expression: str, files: dict[str, str] | None = None) -> Value:
    return _inputs(folder, f"{UNIT}\ninputs = {{ x = {expression} }}", files)["x"]


class TestUnits:
    def test_a_unit_has_its_module_and_its_inputs(self, tmp_path: Path) -> None:
        unit = _unit(tmp_path, f"{UNIT}\ninputs = {{ size = 3 }}")
        assert (unit.directory, unit.path, unit.module) == ("live/app", "live/app/terragrunt.hcl", "modules/app")
        assert unit.inputs() == {"name": "from-root", "tags": {"owner": "root", "region": "home"}, "size": 3}

    def test_the_including_file_wins(self, tmp_path: Path) -> None:
        inputs = _inputs(tmp_path, f'{UNIT}\ninputs = {{ name = "mine", tags = {{ a = 1 }} }}')
        assert inputs == {"name": "mine", "tags": {"a": 1}}

    def test_a_root_file_is_no_unit(self, tmp_path: Path) -> None:
        terragrunt = _terragrunt(
            tmp_path, {"terragrunt.hcl": ROOT, "live/app/terragrunt.hcl": UNIT, "modules/app/main.tf": MODULE}
        )
        assert [unit.directory for unit in terragrunt.units()] == ["live/app"]

    def test_a_module_beside_the_file_is_applied(self, tmp_path: Path) -> None:
        unit = _terragrunt(tmp_path, {"app/terragrunt.hcl": "inputs = {}", "app/main.tf": MODULE}).unit("app")
        assert unit is not None
        assert unit.module == "app"

    def test_a_module_from_elsewhere_is_not_in_the_estate(self, tmp_path: Path) -> None:
        unit = _unit(tmp_path, 'terraform { source = "git::https://example.org/modules.git//app?ref=v1" }')
        assert unit.module is None
        assert unit.source == "git::https://example.org/modules.git//app?ref=v1"

    def test_a_skipped_unit_is_not_applied(self, tmp_path: Path) -> None:
        files = {"root.hcl": ROOT, "live/app/terragrunt.hcl": f"{UNIT}\nskip = true", "modules/app/main.tf": MODULE}
        assert _terragrunt(tmp_path, files).units() == []

    def test_the_source_may_stand_in_the_included_file(self, tmp_path: Path) -> None:
        root = 'terraform { source = "${get_parent_terragrunt_dir()}/modules//${basename(get_terragrunt_dir())}" }'
        unit = _unit(tmp_path, 'include { path = find_in_parent_folders("root.hcl") }', root=root)
        assert unit.module == "modules/app"

    def test_it_evaluates_as_a_root(self, tmp_path: Path) -> None:
        terragrunt = _terragrunt(
            tmp_path, {"root.hcl": ROOT, "live/app/terragrunt.hcl": UNIT, "modules/app/main.tf": MODULE}
        )
        unit = terragrunt.unit("live/app")
        assert unit is not None
        instance = terragrunt.instance(unit)
        assert instance is not None
        assert instance.output("id") == "id-of-from-root"

    def test_files_of_values_win_over_inputs(self, tmp_path: Path) -> None:
        terragrunt = _terragrunt(
            tmp_path,
            {
                "root.hcl": ROOT,
                "live/app/terragrunt.hcl": UNIT,
                "live/app/terraform.tfvars": 'name = "from-file"',
                "modules/app/main.tf": MODULE,
            },
        )
        unit = terragrunt.unit("live/app")
        assert unit is not None
        instance = terragrunt.instance(unit)
        assert instance is not None
        assert instance.variable("name") == "from-file"

    def test_files_of_values_may_be_handed_over(self, tmp_path: Path) -> None:
        text = """
        terraform {
          source = "../../modules/app"
          extra_arguments "common" {
            commands           = ["plan", "apply"]
            required_var_files = ["${get_terragrunt_dir()}/../common.tfvars"]
          }
        }
        """
        assert _inputs(tmp_path, text, {"live/common.tfvars": "size = 7"}) == {"size": 7}


class TestIncludes:
    def test_a_deep_merge_joins_maps_and_lists(self, tmp_path: Path) -> None:
        text = UNIT.replace('hcl")', 'hcl")\n  merge_strategy = "deep"')
        inputs = _inputs(tmp_path, f'{text}\ninputs = {{ tags = {{ owner = "me", new = 1 }} }}')
        assert inputs == {"name": "from-root", "tags": {"owner": "me", "region": "home", "new": 1}}

    def test_no_merge_only_exposes(self, tmp_path: Path) -> None:
        text = UNIT.replace('hcl")', 'hcl")\n  merge_strategy = "no_merge"\n  expose = true')
        assert _inputs(tmp_path, f"{text}\ninputs = {{ name = include.root.locals.region }}") == {"name": "home"}

    def test_a_bare_include_is_exposed_by_its_parts(self, tmp_path: Path) -> None:
        text = 'include {\n path = "../../root.hcl"\n expose = true\n}\nterraform { source = "../../modules/app" }\n'
        inputs = _inputs(tmp_path, f"{text}\ninputs = {{ name = include.locals.region }}")
        assert inputs["name"] == "home"

    def test_the_first_include_is_stronger(self, tmp_path: Path) -> None:
        text = f'{UNIT}\ninclude "other" {{ path = "../other.hcl" }}'
        files = {"live/other.hcl": 'inputs = { name = "from-other", size = 5 }'}
        inputs = _inputs(tmp_path, text, files)
        assert (inputs["name"], inputs["size"]) == ("from-root", 5)

    def test_functions_in_an_included_file_speak_of_the_unit(self, tmp_path: Path) -> None:
        root = "inputs = { name = path_relative_to_include(), dir = basename(get_terragrunt_dir()) }"
        assert _inputs(tmp_path, UNIT, root=root) == {"name": "live/app", "dir": "app"}

    def test_an_include_that_is_not_there_is_told(self, tmp_path: Path) -> None:
        files = {
            "live/app/terragrunt.hcl": UNIT.replace("root.hcl", "gone.hcl"),
            "modules/app/main.tf": MODULE,
        }
        terragrunt = _terragrunt(tmp_path, files)
        assert [unit.module for unit in terragrunt.units()] == ["modules/app"]
        assert [problem.cause for problem in terragrunt.configurations.tree.errors] == [
            "the included file is not in the estate"
        ]

    def test_unknown_inputs_leave_every_variable_unknown(self, tmp_path: Path) -> None:
        inputs = _inputs(tmp_path, f'{UNIT}\ninputs = jsondecode(run_cmd("cat", "x.json"))')
        assert set(inputs) == {"name", "tags", "size"}
        assert all(isinstance(value, Unknown) for value in inputs.values())


class TestFunctions:
    @pytest.mark.parametrize(
        ("expression", "value"),
        [
            ("path_relative_to_include()", "live/app"),
            ('path_relative_to_include("root")', "live/app"),
            ("path_relative_from_include()", "../.."),
            ("basename(get_terragrunt_dir())", "app"),
            ("basename(dirname(get_terragrunt_dir()))", "live"),
            ('file("${get_terragrunt_dir()}/note.txt")', "hello"),
            ('file("note.txt")', "hello"),
            ('yamldecode(file(find_in_parent_folders("common.yaml"))).env', "prod"),
            ('read_terragrunt_config(find_in_parent_folders("env.hcl")).locals.env', "stage"),
            ('read_terragrunt_config("gone.hcl", { locals = { env = "fallback" } }).locals.env', "fallback"),
            ('read_terragrunt_config("../env.hcl").locals.own', "live"),
            ('read_terragrunt_config("../env.hcl").locals.asked', "app"),
            ('read_terragrunt_config("gone.hcl")', Unknown("the file live/app/gone.hcl is not in the estate")),
            ("get_terragrunt_dir()", PartialText((ESTATE, "/live/app"))),
            ('"${get_parent_terragrunt_dir("root")}/x"', PartialText((ESTATE, "/x"))),
            ('upper("a")', "A"),
        ],
    )  # fmt: skip
    def test_it_gives_what_the_estate_decides(self, tmp_path: Path, expression: str, value: Value) -> None:
        files = {
            "live/app/note.txt": "hello",
            "live/common.yaml": "env: prod",
            "live/env.hcl": """
            locals {
              env   = "stage"
              own   = basename(get_terragrunt_dir())
              asked = basename(get_original_terragrunt_dir())
            }
            """,
        }
        assert _value(tmp_path, expression, files) == value

    @pytest.mark.parametrize(
        "expression",
        [
            'get_env("HOME")',
            'get_env("HOME", "/root")',
            'run_cmd("id")',
            'sops_decrypt_file("secrets.yaml")',
            "get_aws_account_id()",
            "get_platform()",
            'find_in_parent_folders("nowhere.hcl")',
            "feature.x.value",
        ],
    )
    def test_it_does_not_guess_the_machine(self, tmp_path: Path, expression: str) -> None:
        assert isinstance(_value(tmp_path, expression), Unknown)

    def test_a_repository_knows_its_root(self, tmp_path: Path) -> None:
        (tmp_path / ".git").mkdir()
        value = _value(tmp_path, "[get_path_from_repo_root(), get_path_to_repo_root(), get_repo_root()]")
        assert value == ["live/app", "../..", PartialText((ESTATE,))]

    def test_files_that_read_one_another_end(self, tmp_path: Path) -> None:
        files = {
            "a.hcl": 'locals { x = read_terragrunt_config("b.hcl").locals.x }',
            "b.hcl": 'locals { x = read_terragrunt_config("a.hcl").locals.x }',
        }
        assert isinstance(_value(tmp_path, 'read_terragrunt_config("../../a.hcl").locals.x', files), Unknown)


DATABASE = """
terraform { source = "../../modules/db" }
inputs = { name = "postgres" }
"""
DEPENDENCY = """
dependency "db" {
  config_path  = "../db"
  mock_outputs = { id = "made-up", later = "made-up", port = 1 }
}
"""


class TestDependencies:
    FILES = {"live/db/terragrunt.hcl": DATABASE, "modules/db/main.tf": MODULE}  # noqa: RUF012

    def test_its_outputs_are_those_of_its_configuration(self, tmp_path: Path) -> None:
        text = f"{UNIT}{DEPENDENCY}\ninputs = {{ name = dependency.db.outputs.id }}"
        unit = _unit(tmp_path, text, self.FILES)
        assert unit.inputs()["name"] == "id-of-postgres"
        assert unit.dependencies == ("live/db",)

    @pytest.mark.parametrize("output", ["later", "port"])
    def test_made_up_outputs_are_not_taken_for_real(self, tmp_path: Path, output: str) -> None:
        text = f"{UNIT}{DEPENDENCY}\ninputs = {{ name = dependency.db.outputs.{output} }}"
        assert isinstance(_inputs(tmp_path, text, self.FILES)["name"], Unknown)

    def test_nor_where_the_module_is_not_in_the_estate(self, tmp_path: Path) -> None:
        files = {"live/db/terragrunt.hcl": 'terraform { source = "tfr:///a/b?version=1" }'}
        text = f"{UNIT}{DEPENDENCY}\ninputs = {{ name = dependency.db.outputs.id }}"
        assert isinstance(_inputs(tmp_path, text, files)["name"], Unknown)

    def test_a_dependency_of_an_included_file_counts(self, tmp_path: Path) -> None:
        root = f"{DEPENDENCY}\ninputs = {{ name = dependency.db.outputs.id }}"
        assert _inputs(tmp_path, UNIT, self.FILES, root)["name"] == "id-of-postgres"

    def test_a_circle_of_dependencies_ends(self, tmp_path: Path) -> None:
        files = {
            **self.FILES,
            "live/db/terragrunt.hcl": """
            terraform { source = "../../modules/db" }
            dependency "app" { config_path = "../app" }
            inputs = { name = dependency.app.outputs.id }
            """,
        }
        text = f"{UNIT}{DEPENDENCY}\ninputs = {{ name = dependency.db.outputs.id }}"
        name = _inputs(tmp_path, text, files)["name"]
        assert isinstance(name, (Unknown, PartialText))


class TestOrigins:
    def test_a_field_is_traced_to_the_input_that_sets_it(self, tmp_path: Path) -> None:
        files = {"root.hcl": ROOT, "live/app/terragrunt.hcl": UNIT, "modules/app/main.tf": MODULE}
        assert _written(tmp_path, files) == ("root.hcl", "from-root")

    def test_also_through_locals_of_the_unit(self, tmp_path: Path) -> None:
        text = f'{UNIT}\nlocals {{ n = "mine" }}\ninputs = merge({{ name = local.n }}, {{}})'
        files = {"root.hcl": ROOT, "live/app/terragrunt.hcl": text, "modules/app/main.tf": MODULE}
        assert _written(tmp_path, files) == ("live/app/terragrunt.hcl", "mine")


def _written(folder: Path, files: dict[str, str]) -> tuple[str, str]:
    """The file and the text of the literal that the namespace's name comes from."""
    terragrunt = _terragrunt(folder, files)
    unit = terragrunt.unit("live/app")
    assert unit is not None
    instance = terragrunt.instance(unit)
    assert instance is not None
    (resource,) = instance.all_instances()
    origin = trace_resource(resource, ("metadata", 0, "name"))
    assert origin is not None
    (segment,) = origin.segments
    assert segment.span is not None
    content = (folder / segment.span.file).read_bytes()
    return segment.span.file, content[segment.span.start : segment.span.end].decode()


def test_generated_files_are_told(tmp_path: Path) -> None:
    text = f"""{UNIT}
    generate "provider" {{
      path      = "provider.tf"
      if_exists = "overwrite"
      contents  = <<-EOT
        provider "kubernetes" {{ config_path = "${{basename(get_terragrunt_dir())}}" }}
      EOT
    }}
    """
    assert _unit(tmp_path, text).generated == {"provider.tf": 'provider "kubernetes" { config_path = "app" }\n'}


GENERATED = """
locals { name = "gén" }
generate "more" {
  path      = "more.tf"
  if_exists = "overwrite"
  contents  = <<-EOT
    resource "kubernetes_namespace" "more" {
      metadata {
        name = "${local.name}-x"
        labels = { é = "é-$${var.name}" }
      }
    }
  EOT
}
generate "main" {
  path      = "outputs.tf"
  if_exists = "overwrite"
  contents  = "output \\"made\\" { value = 1 }"
}
"""


def test_what_stands_in_generated_files_is_applied_and_stands_in_their_text(tmp_path: Path) -> None:
    files = {"root.hcl": ROOT + GENERATED.replace("locals {", 'locals {\n  region = "home"\n ').strip("\n")}
    files["root.hcl"] = files["root.hcl"].replace(ROOT.splitlines()[1], "")
    files |= {"live/app/terragrunt.hcl": UNIT, "modules/app/main.tf": MODULE}
    files["modules/app/outputs.tf"] = 'output "old" { value = 1 }'
    terragrunt = _terragrunt(tmp_path, files)
    unit = terragrunt.unit("live/app")
    assert unit is not None
    instance = terragrunt.instance(unit)
    assert instance is not None
    assert set(instance.module.outputs) == {"id", "later", "made"}
    (resource,) = (one for one in instance.all_instances() if one.address == "kubernetes_namespace.more")
    content = (tmp_path / "root.hcl").read_bytes()
    for route, expected in (
        (("metadata", 0, "name"), [("gén", "gén"), ("-x", "-x")]),
        (("metadata", 0, "labels", "é"), [("é-", "é-"), ("from-root", "from-root")]),
    ):
        origin = trace_resource(resource, route)
        assert origin is not None
        read = [(one.text, content[one.span.start : one.span.end].decode()) for one in origin.segments if one.span]
        assert read == expected
    line = resource.block.source.line(resource.block.start)
    assert files["root.hcl"].splitlines()[line - 1].strip() == 'resource "kubernetes_namespace" "more" {'
    assert terragrunt.configurations.tree.errors == []


def test_a_generated_file_that_is_not_all_known_is_said_where_it_declares_something(tmp_path: Path) -> None:
    text = (
        UNIT
        + """
    generate "a" {
      path     = "a.tf"
      contents = "resource \\"x\\" \\"y\\" { a = \\"${get_env("A")}\\" }"
    }
    generate "b" {
      path     = "b.tf"
      contents = "provider \\"x\\" { a = \\"${get_env("A")}\\" }"
    }
    """
    )
    files = {"root.hcl": ROOT, "live/app/terragrunt.hcl": text, "modules/app/main.tf": MODULE}
    terragrunt = _terragrunt(tmp_path, files)
    unit = terragrunt.unit("live/app")
    assert unit is not None
    assert terragrunt.instance(unit) is not None
    (error,) = terragrunt.configurations.tree.errors
    assert "resource" in text.splitlines()[error.line - 1]


def test_an_export_of_a_repository_is_one_and_a_folder_of_one_is_not(tmp_path: Path) -> None:
    unit = UNIT.replace('"../../modules//app"', '"${get_repo_root()}/modules/app"')
    files = {"root.hcl": ROOT, "live/app/terragrunt.hcl": unit, "modules/app/main.tf": MODULE}
    exported = _terragrunt(tmp_path / "export", files).unit("live/app")
    assert exported is not None
    assert exported.module == "modules/app"
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    part = _terragrunt(tmp_path / "repo" / "infra", files).unit("live/app")
    assert part is not None
    assert part.module is None


PLAIN = st.recursive(
    st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab", max_size=1), inner, max_size=2),
    max_leaves=6,
)


@given(PLAIN, PLAIN)
def test_a_deep_merge_keeps_every_key_and_the_stronger_leaf(weaker: Value, stronger: Value) -> None:
    merged = deeply(weaker, stronger)
    if isinstance(weaker, dict) and isinstance(stronger, dict):
        assert merged == {
            **call_merge(weaker, stronger),
            **{key: deeply(weaker[key], stronger[key]) for key in weaker.keys() & stronger.keys()},
        }
    elif not (isinstance(weaker, list) and isinstance(stronger, list)):
        assert merged == stronger


def call_merge(one: dict[str, Value], other: dict[str, Value]) -> dict[str, Value]:
    merged = call("merge", [one, other])
    assert isinstance(merged, dict)
    return merged
