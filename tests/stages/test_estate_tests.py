"""Tests of an estate, derived from its wiring: only what is certain, in files that their readers take."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from hashicorp import formatted, needs_hashicorp, refusal
from shoreup.cli.main import run
from shoreup.model.errors import UserError
from shoreup.stages.init.estate_tests import draw_tests

TERRAFORM = """\
variable "token" { type = string }
provider "kubernetes" {}
provider "kubernetes" { alias = "other" }
resource "kubernetes_namespace_v1" "web" {
  metadata { name = "web" }
}
resource "kubernetes_persistent_volume_claim_v1" "data" {
  metadata {
    name      = "data"
    namespace = kubernetes_namespace_v1.web.metadata[0].name
  }
  spec {
    access_modes       = ["ReadWriteOnce"]
    storage_class_name = "slow"
    resources { requests = { storage = "1Gi" } }
  }
}
resource "kubernetes_deployment_v1" "db" {
  metadata {
    name      = "db"
    namespace = NAMESPACE
  }
  spec {
    selector { match_labels = { app = "db" } }
    template {
      metadata { labels = { app = "db" } }
      spec {
        container {
          name  = "db"
          image = "postgres:16.4"
          port { container_port = 5432 }
        }
        volume {
          name = "data"
          persistent_volume_claim { claim_name = kubernetes_persistent_volume_claim_v1.data.metadata[0].name }
        }
      }
    }
  }
}
resource "kubernetes_service_v1" "db" {
  metadata {
    name      = "db"
    namespace = kubernetes_namespace_v1.web.metadata[0].name
  }
  spec {
    selector = { app = "db" }
    port {
      port        = 5432
      target_port = 5432
    }
  }
}
resource "kubernetes_deployment_v1" "app" {
  metadata {
    name      = "app"
    namespace = kubernetes_namespace_v1.web.metadata[0].name
  }
  spec {
    selector { match_labels = { app = "app" } }
    template {
      metadata { labels = { app = "app" } }
      spec {
        container {
          name  = "app"
          image = "ghcr.io/example/app:latest"
          env {
            name  = "DATABASE_URL"
            value = "postgres://app@db.web.svc:5432/app"
          }
        }
      }
    }
  }
}
"""
KUBECTL = """#!/bin/sh
case "$*" in
*"get service"*) [ "$LACKS" = service ] || echo service/db ;;
*endpointslices*) [ "$LACKS" = pods ] && echo false || echo true ;;
*pg_isready*) [ "$LACKS" = client ] && exit 127; [ "$LACKS" = database ] && echo "no response" && exit 2; exit 0 ;;
*getent*) [ "$LACKS" = name ] && exit 2; exit 0 ;;
*) exit 9 ;;
esac
"""


def quiet(_what: str, _done: int, _of: int) -> None:
    """Progress that nobody watches."""


def estate(root: Path, namespace: str = "kubernetes_namespace_v1.web.metadata[0].name") -> Path:
    (root / "main.tf").write_text(TERRAFORM.replace("NAMESPACE", namespace), encoding="utf-8")
    return root


def texts(root: Path, image: str = "") -> dict[str, str]:
    return {one.target.name: one.text for one in draw_tests(root, image, quiet).files}


def test_terraform_is_held_to_what_its_wiring_makes_certain(tmp_path: Path) -> None:
    text = texts(estate(tmp_path))["shoreup.tftest.hcl"]
    messages = [line.partition(" = ")[2] for line in text.splitlines() if "error_message" in line]
    assert [one.strip('"').split(":")[0].rstrip(".") for one in messages] == [
        "Service db no longer selects the pods of Deployment db",
        "Service db and Deployment db are in different namespaces",
        "Service db leads to a port that Deployment db does not have",
        "Deployment db no longer mounts PersistentVolumeClaim data",
        "DATABASE_URL of Deployment app no longer names Service db",
        "Deployment db takes whatever is the latest image when a pod starts",
        "PersistentVolumeClaim data has another storage class",
        "Something that belongs into Namespace web would be made in one that is not there",
    ]
    assert 'mock_provider "kubernetes" {\n  alias = "other"\n}' in text
    assert 'variables {\n  token = "placeholder"\n}' in text
    assert text.count("  # main.tf:") == len(messages)


def test_what_only_an_apply_knows_is_not_asserted(tmp_path: Path) -> None:
    text = texts(estate(tmp_path, "kubernetes_namespace_v1.web.id"))["shoreup.tftest.hcl"]
    assert "different namespaces" not in text
    assert "kubernetes_deployment_v1.db.metadata[0].namespace" not in text


EDITS = {
    "nothing": ("", "", ""),
    "a new version": ("postgres:16.4", "postgres:16.5", ""),
    "a name on both sides": ('app = "db"', 'app = "database"', ""),
    "a selector": ('    selector = { app = "db" }', '    selector = { app = "bd" }', "no longer selects the pods"),
    "a port": ("target_port = 5432", "target_port = 5433", "leads to a port that Deployment db does not have"),
    "a claim": ("kubernetes_persistent_volume_claim_v1.data.metadata[0].name", '"date"', "no longer mounts"),
    "a host": ("@db.web.svc", "@bd.web.svc", "DATABASE_URL of Deployment app no longer names Service db"),
    "a latest tag": ("postgres:16.4", "postgres:latest", "takes whatever is the latest image"),
    "a storage class": ('= "slow"', '= "fast"', "has another storage class"),
    "a namespace": (
        'name      = "db"\n    namespace = kubernetes_namespace_v1.web.metadata[0].name',
        'name      = "db"\n    namespace = "default"',
        "Something that belongs into Namespace web would be made in one that is not there",
    ),
}


@pytest.fixture(scope="module")
def providers() -> Iterator[str]:
    """What makes Terraform ask the stand-in on this machine, and no registry."""
    script = Path(__file__).parents[1] / "provider_here.py"
    env = {**os.environ, "PYTHONPATH": ":".join(sys.path)}
    with subprocess.Popen([sys.executable, str(script)], env=env, stdout=subprocess.PIPE, text=True) as serving:
        assert serving.stdout is not None
        address = {"Network": "tcp", "String": f"127.0.0.1:{int(serving.stdout.readline())}"}
        known = {"Protocol": "grpc", "ProtocolVersion": 5, "Pid": serving.pid, "Test": True, "Addr": address}
        yield json.dumps({"registry.terraform.io/hashicorp/kubernetes": known})
        serving.terminate()


needs_terraform = pytest.mark.skipif(
    shutil.which("terraform") is None or find_spec("grpc") is None,
    reason="not run: the command terraform or the package grpcio is not here, which try the written tests",
)


def tried(root: Path, main: Path, edit: tuple[str, str, str], providers: str) -> str:
    """What Terraform says of the written test after an edit of ``main``: the provider's schema comes from its table,
    everything else is Terraform's.
    """
    old, new, broken = edit
    test = root / "tests" / "shoreup.tftest.hcl"
    test.parent.mkdir()
    test.write_text(texts(root)[test.name], encoding="utf-8")
    main.write_text(main.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(root),
        "TF_REATTACH_PROVIDERS": providers,
        "TF_CLI_CONFIG_FILE": os.devnull,
        "CHECKPOINT_DISABLE": "1",
    }
    for command in (["init", "-backend=false"], ["test"]):
        done = subprocess.run(
            ["terraform", *command, "-no-color"],
            cwd=root,
            env=env,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0 or (command == ["test"] and broken), done.stderr
    said = " ".join(done.stderr.split())
    assert (broken in said, done.returncode) == (True, 1 if broken else 0), done.stdout + done.stderr
    assert said.count("Error: ") == said.count("Error: Test assertion failed")
    return done.stdout


@needs_terraform
@pytest.mark.parametrize("what", EDITS)
def test_terraform_itself_lets_through_what_may_and_nothing_else(tmp_path: Path, providers: str, what: str) -> None:
    tried(tmp_path, estate(tmp_path) / "main.tf", EDITS[what], providers)


CALLS = """\
variable "token" { type = string }
resource "kubernetes_namespace_v1" "web" {
  metadata { name = "web" }
}
module "shop" {
  source    = "./modules/app"
  namespace = kubernetes_namespace_v1.web.metadata[0].name
  ports     = { http = 8080, "a.b" = 8081 }
  password  = var.token
}
module "more" {
  for_each  = toset(["a", "b"])
  source    = "./modules/app"
  namespace = "more-${each.key}"
  password  = "correct horse battery"
}
module "later" {
  source    = "./modules/app"
  namespace = kubernetes_namespace_v1.web.id
  password  = ""
}
"""
CALLED = """\
variable "namespace" { type = string }
variable "ports" {
  type    = map(number)
  default = { http = 80 }
}
variable "password" { type = string }
resource "kubernetes_secret_v1" "app" {
  metadata {
    name      = "app"
    namespace = var.namespace
  }
  data = { password = var.password }
}
resource "kubernetes_deployment_v1" "app" {
  metadata {
    name      = "app"
    namespace = var.namespace
  }
  spec {
    selector { match_labels = { app = "app" } }
    template {
      metadata { labels = { app = "app" } }
      spec {
        container {
          name  = "app"
          image = "ghcr.io/example/app:1.2"
          port { container_port = var.ports["http"] }
          env {
            name = "PASSWORD"
            value_from {
              secret_key_ref {
                name = kubernetes_secret_v1.app.metadata[0].name
                key  = "password"
              }
            }
          }
        }
      }
    }
  }
}
resource "kubernetes_service_v1" "app" {
  metadata {
    name      = "app"
    namespace = var.namespace
  }
  spec {
    selector = { app = "app" }
    port {
      port        = 80
      target_port = var.ports["http"]
    }
  }
}
"""


def caller(root: Path) -> Path:
    """The module's file of an estate that calls it."""
    (root / "main.tf").write_text(CALLS, encoding="utf-8")
    called = root / "modules" / "app" / "main.tf"
    called.parent.mkdir(parents=True)
    called.write_text(CALLED, encoding="utf-8")
    return called


def test_a_called_module_is_planned_alone_with_what_its_call_gives(tmp_path: Path) -> None:
    """Calls of which the same is certain are one run; no secret is copied, and what is known too late is said."""
    caller(tmp_path)
    drawn = draw_tests(tmp_path, "", quiet)
    text = next(one.text for one in drawn.files if one.target.suffix == ".hcl")
    assert [line for line in text.splitlines() if line.startswith("run ")] == ['run "shop" {']
    assert text.count("assert {") == 5
    given = text.partition('source = "./modules/app"')[2].partition("variables {\n")[2].partition("\n  }")[0]
    assert [line.strip() for line in given.splitlines()] == [
        'namespace = "web"',
        'ports     = { http = 8080, "a.b" = 8081 }',
        'password  = "placeholder"',
    ]
    assert "correct horse" not in text
    assert drawn.untested == (".: module.later (its variable namespace is not certain before an apply).",)


MODULE_EDITS = {
    "nothing": ("", "", ""),
    "a selector": ('    selector = { app = "app" }', '    selector = { app = "web" }', "no longer selects the pods"),
    "a key": ("data = { password =", "data = { secret =", "is read from a key that Secret app does not have"),
}


@needs_terraform
@pytest.mark.parametrize("what", MODULE_EDITS)
def test_terraform_tries_a_module_by_itself(tmp_path: Path, providers: str, what: str) -> None:
    said = tried(tmp_path, caller(tmp_path), MODULE_EDITS[what], providers)
    assert what != "nothing" or "1 passed, 0 failed" in said


@needs_hashicorp
@pytest.mark.parametrize("of", [estate, caller])
def test_hashicorp_reads_the_test_file_and_leaves_it_as_it_is(tmp_path: Path, of: Callable[[Path], Path]) -> None:
    of(tmp_path)
    text = texts(tmp_path)["shoreup.tftest.hcl"]
    assert refusal(text) == ""
    assert formatted(text) == text


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ('data "terraform_remote_state" "net" {}', "reads the state of another root"),
        ('variable "peers" { type = object({ a = string }) }', "no stand-in is certain"),
        ('module "far" { source = "example/far/any" }', "from elsewhere"),
    ],
)
def test_a_root_that_cannot_be_planned_alone_has_no_test(tmp_path: Path, more: str, why: str) -> None:
    main = estate(tmp_path) / "main.tf"
    main.write_text(f"{main.read_text(encoding='utf-8')}{more}\n", encoding="utf-8")
    drawn = draw_tests(tmp_path, "", quiet)
    assert [one.target.name for one in drawn.files] == ["smoke.sh", "smoke-job.yaml"]
    assert why in drawn.untested[0]


@pytest.mark.parametrize(
    ("lacks", "code", "said"),
    [
        ("nothing", 0, "answers"),
        ("database", 1, "does not answer: no response"),
        ("client", 2, "its image has no client"),
        ("name", 1, "db.web does not resolve"),
    ],
)
def test_the_script_tells_failed_from_not_asked(tmp_path: Path, lacks: str, code: int, said: str) -> None:
    """kubectl is stood in for here: no cluster can run on a machine that tests this."""
    script = tmp_path / "smoke.sh"
    script.write_text(texts(estate(tmp_path))["smoke.sh"], encoding="utf-8")
    kubectl = tmp_path / "bin" / "kubectl"
    kubectl.parent.mkdir()
    kubectl.write_text(KUBECTL, encoding="utf-8")
    kubectl.chmod(stat.S_IRWXU)
    environment = {"PATH": f"{kubectl.parent}:{os.environ['PATH']}", "LACKS": lacks}
    done = subprocess.run(["sh", str(script)], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, said in done.stdout) == (code, True), done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="not run: shellcheck is missing")
def test_the_script_is_clean(tmp_path: Path) -> None:
    text = texts(estate(tmp_path))["smoke.sh"]
    done = subprocess.run(["shellcheck", "-"], input=text, capture_output=True, text=True, check=False)
    assert done.stdout == ""


ROUTE = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: app, namespace: web}
spec:
  rules: [{host: a.example.org, http: {paths: [
    {path: /, pathType: Prefix, backend: {service: {name: db, port: {number: 5432}}}}]}}]
"""


def test_the_job_is_valid_and_asks_no_secret(tmp_path: Path) -> None:
    (estate(tmp_path) / "route.yaml").write_text(ROUTE, encoding="utf-8")
    made = texts(tmp_path, "example.org/kubectl:1.34.1")
    objects = list(yaml.safe_load_all(made["smoke-job.yaml"]))
    for one in objects:
        import_module("kubernetes_validate").validate(one, "1.31", strict=True)
    assert [one["kind"] for one in objects] == ["ServiceAccount", "Role", "RoleBinding", "ConfigMap", "Job"]
    assert objects[1]["rules"] == [
        {"apiGroups": [""], "resources": ["services"], "resourceNames": ["db"], "verbs": ["get"]},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list"]},
    ]
    asked = [one["command"] for one in objects[4]["spec"]["template"]["spec"]["containers"]]
    assert asked == [["pg_isready", "-h", "db.web.svc", "-p", "5432"], ["sh", "/smoke/smoke.sh"]]
    assert objects[3]["data"]["smoke.sh"] == made["smoke.sh"]
    assert "secretKeyRef" not in json.dumps(objects)
    assert "&" not in made["smoke-job.yaml"].partition("kind: ConfigMap")[0]


def test_what_is_there_stays_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = estate(tmp_path)
    assert run(["init", "tests", str(root)]) == 0
    script = root / "tests" / "smoke.sh"
    script.write_text("mine\n", encoding="utf-8")
    capsys.readouterr()
    assert run(["init", "tests", str(root)]) == 0
    assert script.read_text(encoding="utf-8") == "mine\n"
    assert "is there already and stays as it is" in capsys.readouterr().err


def test_an_estate_without_anything_certain_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n", encoding="utf-8")
    with pytest.raises(UserError, match="certain enough"):
        draw_tests(tmp_path, "", quiet)
