"""Secrets in an estate are never repeated: not in a report, not in an error, not in an explanation, in no format."""

from __future__ import annotations

import base64
import re
import string
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bad_estates import TODAY, terraform, write
from shoreup.cli.audit import prefix
from shoreup.concerns.registry import all_concerns, page
from shoreup.model.account import Account
from shoreup.report import contract, explanation, github, junit, markdown, sarif, text
from shoreup.stages.audit import AuditOptions, audit
from shoreup.stages.explanation import Question, explain

SHOWN = 6
"""More characters of a secret in a row are too many."""

# ``@`` is a secret where a name, an option or an address tells; ``?`` is one where nothing but its looks does.
PLACES = {
    "config/configmap.yaml": """\
apiVersion: v1
kind: ConfigMap
metadata: {name: app, namespace: shop}
data:
  DB_PASSWORD: @
  API_TOKEN: "@"
  url: postgres://app:@@db.shop:5432/app
  app.ini: |
    [database]
    password = @
    secret_key: @
  app.json: '{"auth": {"token": "@"}}'
  run.sh: |
    #!/bin/sh
    export PGPASSWORD=@
    mysqldump -uroot -p@ --all-databases > /backup/all.sql
    curl -u admin:@ -H "Authorization: Bearer @" https://example.com
    echo "password: @"
    find /backup -mtime +7 -delete
""",
    "config/workload.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: app, namespace: shop}
spec:
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec:
      containers:
        - name: app
          image: postgres
          command: [app, --password=@, --token, "@", -p@]
          args: ["--db=mysql://root:@@db/app", "?"]
          env:
            - {name: POSTGRES_PASSWORD, value: "@"}
            - {name: SECRET_KEY, value: "@"}
            - {name: HARMLESS, value: "?"}
          livenessProbe:
            exec: {command: [sh, -c, "mysqladmin -p@ ping"]}
""",
    "config/secret.yaml": """\
apiVersion: v1
kind: Secret
metadata: {name: app, namespace: shop}
stringData: {password: "@"}
data: {token: "<base64>"}
""",
    "config/broken.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\ndata:\n  password: @\n  token: [@\n",
    "config/twice.yaml": 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: t}\ndata: {password: "@", password: "@"}\n',
    "infra/main.tf": """\
variable "password" {
  default = "@"
}
variable "other" {}
locals {
  token = "@"
}
provider "kubernetes" {
  token = "@"
}
resource "kubernetes_config_map" "c" {
  metadata {
    name = "c"
  }
  data = {
    password = var.password
    other    = "token=${var.other}"
    "app.conf" = templatefile("app.conf.tftpl", { password = var.password, unknown = var.nothing })
    broken   = file("none")
  }
}
resource "kubernetes_deployment" "d" {
  metadata {
    name = "d"
  }
  spec {
    template {
      spec {
        container {
          name  = "d"
          image = "mysql:latest"
          args  = ["--password=${var.password}", local.token, format("%d", var.password)]
          env {
            name  = "MYSQL_ROOT_PASSWORD"
            value = var.other
          }
          env {
            name  = "SMTP_PASSWORD"
            value = "@"
          }
        }
      }
    }
  }
}
resource "helm_release" "h" {
  name       = "h"
  repository = "https://user:@@charts.example.com"
  chart      = "h"
  values     = [yamlencode({ auth = { password = var.password } })]
  set {
    name  = "adminPassword"
    value = "@"
  }
}
resource "null_resource" "n" {
  provisioner "local-exec" {
    command = "psql postgres://u:@@h/db"
  }
}
locals {
  broken = "@
}
""",
    "infra/app.conf.tftpl": "password = ${password}\ntoken = @\nother = ${unknown}\n",
    "infra/terraform.tfvars": 'other = "@"\nundeclared = "@"\n',
    "infra/broken.auto.tfvars": 'third = "@\n',
    "kustomize/kustomization.yaml": """\
configMapGenerator:
  - name: generated
    literals: ["password=@", "?"]
    envs: [app.env]
secretGenerator:
  - name: secret
    literals: ["password=@"]
patches:
  - patch: '[{"op": "add", "path": "/data/password", "value": "@"}]'
    target: {kind: ConfigMap, name: generated}
""",
    "kustomize/app.env": "PASSWORD=@\nTOKEN=@\n",
    "flux/release.yaml": """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: r, namespace: shop}
spec:
  chart: {spec: {chart: postgresql, sourceRef: {kind: HelmRepository, name: b}}}
  values:
    auth: {password: "@", postgresPassword: "@"}
    controllers: {main: {containers: {main: {image: {repository: redis, tag: latest}, env: {REDIS_PASSWORD: "@"}}}}}
""",
    "compose/compose.yaml": """\
services:
  db:
    image: mariadb
    command: --init-password=@
    environment:
      MYSQL_ROOT_PASSWORD: "@"
      DSN: mysql://root:@@db/x
  web:
    image: nginx:latest
    environment: ["TOKEN=@"]
""",
    ".github/workflows/apply.yaml": """\
on: push
jobs:
  apply:
    runs-on: ubuntu-latest
    env: {TOKEN: "@"}
    steps:
      - run: |
          echo "@" | docker login -u me --password-stdin
          terraform apply -var password=@ -auto-approve
          echo $TOKEN
""",
    "keys/id_rsa": "-----BEGIN RSA PRIVATE KEY-----\n@\n@\n-----END RSA PRIVATE KEY-----\n",
    "shoreup.toml": '[selection]\nignore = ["chaos-untested"]\n',
}


def planted(root: Path, secret: str, unnamed: str) -> None:
    """An estate with a secret in every place that is known to hold one, and another where no name tells of one."""
    encoded = base64.b64encode(secret.encode()).decode()
    files = {path: content.replace("?", unnamed).replace("<base64>", encoded) for path, content in PLACES.items()}

    def filled(found: re.Match[str]) -> str:
        return secret + found[1]  # "@@" is a secret and the at sign of an address behind it

    write(root, {path: re.sub("@(@?)", filled, content) for path, content in files.items()})


def spoken(account: Account, root: Path) -> Iterator[tuple[str, str]]:
    """Everything that we say of an estate, by who says it."""
    pages = tuple(page(one) for one in all_concerns())
    yield "json", contract.render(account)
    yield "sarif", sarif.render(account, pages, prefix=prefix((root,)))
    yield "junit", junit.render(account)
    yield "github", github.render(account, prefix="")
    yield "markdown", markdown.render(account)
    yield "text", text.render(account, width=100)
    yield "text, full", text.render(account, width=400, detail="full")
    for fingerprint in sorted({one.fingerprint for one in (*account.findings, *account.unproven)}):
        told = explain(Question(fingerprint, (root,), today=TODAY), lambda *_: None)
        yield f"explain {told.finding.concern}", explanation.render(told, width=400)


def leaked(said: str, secret: str) -> str:
    """A part of the secret, plain or in base64, that was said; empty where none was."""
    for hidden in (secret, base64.b64encode(secret.encode()).decode().rstrip("=")):
        for start in range(len(hidden) - SHOWN):
            if hidden[start : start + SHOWN + 1] in said:
                return said[max(0, said.index(hidden[start : start + SHOWN + 1]) - 80) :][:160]
    return ""


SECRET = "hT7qLw9ZrK2mXv4N"


@pytest.fixture(scope="module")
def everywhere(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Account]:
    """The estate with its account."""
    root = tmp_path_factory.mktemp("planted")
    planted(root, SECRET, SECRET)
    return root, audit([root], AuditOptions(cache=False, today=TODAY))


def test_the_places_are_found(everywhere: tuple[Path, Account]) -> None:
    _, account = everywhere
    concerns = {one.concern for one in account.findings}
    assert concerns >= {"secret-in-configmap", "credential-on-command-line", "image-tag-latest"}
    assert len({one.file for one in account.errors}) >= 3
    assert not any("failed" in one.cause for one in account.errors)


def test_no_format_says_a_secret(everywhere: tuple[Path, Account]) -> None:
    root, account = everywhere
    assert {who: found for who, said in spoken(account, root) if (found := leaked(said, SECRET))} == {}


@pytest.mark.parametrize(
    "expression",
    [
        'format("%d", @)',
        "tonumber(@)",
        "tobool(@)",
        "parseint(@, 10)",
        "jsondecode(@)",
        "csvdecode(@)",
        "base64decode(@)",
        "base64gunzip(@)",
        'regex("^x$", @)',
        'regex(@, "x")',
        'replace("x", "/${@}(/", "")',
        "timeadd(@, @)",
        'formatdate("YYYY", @)',
        "timestamp(@)",
        "cidrhost(@, 1)",
        'cidrsubnet("10.0.0.0/8", @, 1)',
        "{}[@]",
        "[][@]",
        "{ a = 1 }[@]",
        "local.map[@]",
        "lookup({}, @)",
        "element([], @)",
        'index(["a"], @)',
        "setproduct(@)",
        "merge(@, {})",
        "@ + 1",
        "-@",
        "!@",
        "@ ? 1 : 2",
        "@.x",
        "@[0]",
        "[for x in @ : x]",
        'templatestring("${x}", { y = @ })',
        "one([@, @])",
        "zipmap([@, @], [1])",
        "tolist(@)",
        "tomap(@)",
        "sum([@])",
        "max(@)",
        "rsadecrypt(@, @)",
        "bcrypt(@)",
        "provider::x::y(@)",
        "nosuch(@)",
    ],
)
def test_what_cannot_be_evaluated_is_not_repeated(tmp_path: Path, expression: str) -> None:
    code = f'variable "v" {{\n  default = "{SECRET}"\n}}\nlocals {{\n  map = {{ a = 1 }}\n}}\n'
    code += terraform("a", expression.replace("@", "var.v")) + terraform(
        "b", f'"${{{expression.replace("@", "var.v")}}}:1"'
    )
    code += (
        f'resource "kubernetes_config_map" "c" {{\n  for_each = {expression.replace("@", "var.v")}\n  data = 5\n}}\n'
    )
    write(tmp_path, {"main.tf": code})
    account = audit([tmp_path], AuditOptions(cache=False, today=TODAY))
    for who, said in spoken(account, tmp_path):
        assert not leaked(said, SECRET), who


ALPHABETS = st.sampled_from(
    [string.ascii_lowercase, string.ascii_letters + string.digits, string.hexdigits[:16], "xyzq9-+"]
)
SECRETS = ALPHABETS.flatmap(lambda alphabet: st.text(alphabet, min_size=8, max_size=48)).filter(
    lambda secret: len(set(secret)) > 4 and secret[0].isalpha()
)


@settings(max_examples=6, phases=[Phase.explicit, Phase.generate], suppress_health_check=[HealthCheck.too_slow])
@given(SECRETS)
def test_no_secret_whatever_it_looks_like(secret: str) -> None:
    with TemporaryDirectory() as folder:
        root = Path(folder)
        planted(root, secret, "fine")
        account = audit([root], AuditOptions(cache=False, today=TODAY))
        for who, said in spoken(account, root):
            assert not leaked(said.replace(folder, ""), secret), who
