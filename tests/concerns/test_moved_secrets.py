"""A secret that leaves a ConfigMap: what the files of those who read it look like afterwards, to the letter."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from shoreup.stages.fix import Fixed, FixOptions, fix


def silent(what: str, done: int, total: int) -> None:
    """Nobody waits."""


def moved(folder: Path, **files: str) -> Fixed:
    """The fix of files that are named like ``app_yaml``."""
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(dedent(text), encoding="utf-8")
    return fix([folder], FixOptions(select=("secret-in-configmap",), unsafe=True), silent)


def text(fixed: Fixed, name: str) -> str:
    """A file as the fix leaves it."""
    return next(one.after for one in fixed.amendment.changes if one.path == name).decode()


POD = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, namespace: shop}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
"""
MIXED = """
apiVersion: v1
kind: ConfigMap
metadata:
  name: shop
  namespace: shop
data:
  DB_HOST: db.shop.svc
  DB_PASSWORD: winter2019
"""


def pod(spec: str) -> str:
    """A Deployment with this pod."""
    return POD.lstrip() + "".join(f"      {line}\n" for line in dedent(spec).strip().splitlines())


def test_a_variable_of_a_container_an_init_container_and_an_operators_kind_follow(tmp_path: Path) -> None:
    spec = """
    initContainers:
      - name: migrate
        image: shop:1.2.3
        env:
          - {name: PASSWORD, valueFrom: {configMapKeyRef: {name: shop, key: DB_PASSWORD}}}
    containers:
      - name: shop
        image: shop:1.2.3
        env:
          - name: HOST
            valueFrom:
              configMapKeyRef:
                name: shop
                key: DB_HOST
          - name: PASSWORD
            valueFrom:
              configMapKeyRef:
                name: shop  # until the vault is there
                key: DB_PASSWORD
                optional: true
    """
    cluster = """\
    apiVersion: acid.zalan.do/v1
    kind: postgresql
    metadata: {name: db, namespace: shop}
    spec:
      env:
        - {name: PW, valueFrom: {configMapKeyRef: {name: shop, key: DB_PASSWORD}}}
    """
    fixed = moved(tmp_path, config_yaml=MIXED, app_yaml=pod(spec), db_yaml=cluster)

    after = pod(spec)
    after = after.replace("{configMapKeyRef: {name: shop, key: DB_P", "{secretKeyRef: {name: shop, key: DB_P")
    old = "configMapKeyRef:\n                  name: shop  # until"
    assert old in after
    assert text(fixed, "app.yaml") == after.replace(old, old.replace("configMapKeyRef", "secretKeyRef"))
    assert text(fixed, "db.yaml") == dedent(cluster).replace("configMapKeyRef", "secretKeyRef")
    assert "DB_PASSWORD" not in text(fixed, "config.yaml")
    assert text(fixed, new_file(fixed)) == dedent("""\
        apiVersion: v1
        kind: Secret
        metadata:
          name: shop
          namespace: shop
        stringData:
          DB_PASSWORD: winter2019
        """)


def new_file(fixed: Fixed) -> str:
    """The file that is new."""
    (new,) = [one.path for one in fixed.amendment.changes if one.before is None]
    return new


def test_what_reads_all_keys_reads_both(tmp_path: Path) -> None:
    spec = """
    containers:
      - name: shop
        image: shop:1.2.3
        envFrom:
          - prefix: SHOP_
            configMapRef:
              name: shop
    """
    fixed = moved(tmp_path, config_yaml=MIXED, app_yaml=pod(spec))
    added = """
    containers:
      - name: shop
        image: shop:1.2.3
        envFrom:
          - prefix: SHOP_
            configMapRef:
              name: shop
          - secretRef:
              name: shop
            prefix: SHOP_
    """
    assert text(fixed, "app.yaml") == pod(added)


def test_a_volume_shows_the_files_of_both(tmp_path: Path) -> None:
    spec = """
    containers:
      - name: shop
        image: shop:1.2.3
        volumeMounts:
          - {name: all, mountPath: /etc/shop}
          - {name: one, mountPath: /etc/host, subPath: DB_HOST}
    volumes:
      - name: all
        configMap:
          name: shop
      - name: one
        configMap: {name: shop}
      - name: picked
        configMap:
          name: shop
          items: [{key: DB_PASSWORD, path: pw}]
    """
    fixed = moved(tmp_path, config_yaml=MIXED, app_yaml=pod(spec))
    after = """
    containers:
      - name: shop
        image: shop:1.2.3
        volumeMounts:
          - {name: all, mountPath: /etc/shop}
          - {name: one, mountPath: /etc/host, subPath: DB_HOST}
    volumes:
      - name: all
        projected:
          sources:
            - configMap:
                name: shop
            - secret:
                name: shop
      - name: one
        configMap: {name: shop}
      - name: picked
        secret:
          secretName: shop
          items: [{key: DB_PASSWORD, path: pw}]
    """
    assert text(fixed, "app.yaml") == pod(after)


def test_a_configmap_that_is_all_secret_becomes_the_secret(tmp_path: Path) -> None:
    config = """\
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: shop, namespace: shop}
    data:
      # all that the shop asks for
      app.ini: |
        [db]
        password = "Winter2019"   # weak
    """
    spec = """
    containers: [{name: shop, image: "shop:1.2.3"}]
    volumes:
      - name: config
        configMap: {name: shop, defaultMode: 0400}
      - name: both
        projected:
          sources:
            - configMap: {name: shop}
    """
    fixed = moved(tmp_path, config_yaml=config, app_yaml=pod(spec))
    after = dedent(config).replace("kind: ConfigMap", "kind: Secret").replace("\ndata:", "\nstringData:")
    assert text(fixed, "config.yaml") == after
    app = pod(spec).replace("configMap: {name: shop, def", "secret: {secretName: shop, def")
    assert text(fixed, "app.yaml") == app.replace("- configMap:", "- secret:")


MODULE = """\
variable "namespace" {}

resource "kubernetes_config_map" "shop" {
  metadata {
    name      = "shop"
    namespace = var.namespace
  }
  data = {
    DB_HOST     = "db.${var.namespace}.svc"
    DB_PASSWORD = "winter2019"
  }
}

output "config" {
  value = kubernetes_config_map.shop.metadata[0].name
}
"""
CALLER = """\
module "shop" {
  source    = "./shop"
  for_each  = toset(["a", "b"])
  namespace = "shop-${each.key}"
}

resource "kubernetes_pod" "job" {
  metadata {
    name      = "job"
    namespace = "shop-a"
  }
  spec {
    container {
      name  = "job"
      image = "job:1.2.3"
      env {
        name = "PW"
        value_from {
          config_map_key_ref {
            name = module.shop["a"].config
            key  = "DB_PASSWORD"
          }
        }
      }
    }
  }
}
"""


def test_a_reference_through_a_module_follows(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "main.tf").write_text(MODULE)
    (tmp_path / "main.tf").write_text(CALLER)
    fixed = moved(tmp_path)
    assert len(fixed.amendment.applied) == 2, "both instances of the module are cured by one text"
    assert text(fixed, "main.tf") == CALLER.replace("config_map_key_ref", "secret_key_ref")
    assert text(fixed, "shop/main.tf") == MODULE.replace(
        """\
    DB_HOST     = "db.${var.namespace}.svc"
    DB_PASSWORD = "winter2019"
  }
}
""",
        """\
    DB_HOST = "db.${var.namespace}.svc"
  }
}

resource "kubernetes_secret" "shop" {
  metadata {
    name      = "shop"
    namespace = var.namespace
  }

  data = {
    DB_PASSWORD = "winter2019"
  }
}
""",
    )


def test_a_whole_configmap_of_terraform_takes_every_address_along(tmp_path: Path) -> None:
    before = MODULE.replace('    DB_HOST     = "db.${var.namespace}.svc"\n', "").replace("     = ", " = ")
    before += """\

resource "kubernetes_job" "once" {
  metadata {
    name      = "once"
    namespace = var.namespace
  }
  spec {
    template {
      metadata {}
      spec {
        container {
          name  = "once"
          image = "once:1.2.3"
        }
        volume {
          name = "config"
          config_map {
            name         = kubernetes_config_map.shop.metadata[0].name # a copy
            default_mode = "0400"
          }
        }
      }
    }
  }
  depends_on = [kubernetes_config_map.shop, kubernetes_config_map.shop_more]
}

resource "kubernetes_config_map" "shop_more" {
  metadata {
    name      = "more"
    namespace = var.namespace
  }
}
"""
    fixed = moved(tmp_path, main_tf=before)
    after = before.replace('"kubernetes_config_map" "shop"', '"kubernetes_secret" "shop"')
    after = after.replace("kubernetes_config_map.shop.", "kubernetes_secret.shop.")
    after = after.replace("kubernetes_config_map.shop,", "kubernetes_secret.shop,")
    after = after.replace(
        "          config_map {\n            name         =", "          secret {\n            secret_name  ="
    )
    assert text(fixed, "main.tf") == after


def test_an_annotation_of_reloader_names_the_secret_too(tmp_path: Path) -> None:
    spec = "containers: [{name: shop, image: 'shop:1.2.3', envFrom: [{configMapRef: {name: shop}}]}]"
    annotations = "  annotations:\n    configmap.reloader.stakater.com/reload: shop,tls"
    old, new = "metadata: {name: shop, namespace: shop}", f"metadata:\n  name: shop\n  namespace: shop\n{annotations}"
    app = pod(spec).replace(old, new)
    fixed = moved(tmp_path, config_yaml=MIXED, app_yaml=app)
    assert "    secret.reloader.stakater.com/reload: shop\n" in text(fixed, "app.yaml")
    assert "    configmap.reloader.stakater.com/reload: shop,tls\n" in text(fixed, "app.yaml")


UNKNOWN = """\
variable "config" {
  type = string
}

resource "kubernetes_pod" "other" {
  metadata {
    name      = "other"
    namespace = "shop"
  }
  spec {
    container {
      name  = "other"
      image = "other:1.2.3"
      env_from {
        config_map_ref {
          name = var.config
        }
      }
    }
  }
}
"""
LIST = "apiVersion: v1\nkind: Prometheus\nmetadata: {name: p, namespace: shop}\nspec: {configMaps: [shop]}\n"
LEFT_ALONE = {
    "a key of a kind that takes ConfigMaps alone": (LIST, "which only a ConfigMap may be"),
    "a name that is not decided": (UNKNOWN, "whose name is not decided"),
}


@pytest.mark.parametrize("what", LEFT_ALONE)
def test_who_cannot_follow_keeps_the_configmap_as_it_is(what: str, tmp_path: Path) -> None:
    other, reason = LEFT_ALONE[what]
    name = "other_tf" if other.startswith("variable") else "other_yaml"
    fixed = moved(tmp_path, config_yaml=MIXED, **{name: other})
    assert not fixed.amendment.changes
    assert [reason in one.reason for one in fixed.amendment.not_fixed] == [True]


def test_order_of_variables_is_kept(tmp_path: Path) -> None:
    spec = "containers: [{name: c, image: 'c:1.2.3', envFrom: [{configMapRef: {name: shop}}, {secretRef: {name: x}}]}]"
    fixed = moved(tmp_path, config_yaml=MIXED, app_yaml=pod(spec))
    assert [one.reason for one in fixed.amendment.not_fixed] == [
        "what is read after it may set the same variables, so that their order counts"
    ]


def test_a_secret_of_the_same_name_is_left_alone(tmp_path: Path) -> None:
    spec = "containers: [{name: c, image: 'c:1.2.3', envFrom: [{configMapRef: {name: shop}}]}]"
    there = "apiVersion: v1\nkind: Secret\nmetadata: {name: shop, namespace: shop}\n"
    fixed = moved(tmp_path, config_yaml=MIXED, app_yaml=pod(spec), there_yaml=there)
    assert "secretRef: {name: shop-credentials}" in text(fixed, "app.yaml")


def test_an_object_that_kustomize_builds_is_changed_in_its_base(tmp_path: Path) -> None:
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: shop\ndata:\n  DB_PASSWORD: winter2019 # weak\n"
    spec = "containers: [{name: c, image: 'c:1.2.3', envFrom: [{configMapRef: {name: shop}}]}]"
    app = pod(spec).replace(", namespace: shop", "")
    kustomization = "namespace: shop\nresources:\n  - app.yaml\n  - config.yaml\n"
    fixed = moved(tmp_path, config_yaml=config, app_yaml=app, kustomization_yaml=kustomization)
    assert text(fixed, "config.yaml") == config.replace("ConfigMap", "Secret").replace("\ndata:", "\nstringData:")
    assert text(fixed, "app.yaml") == app.replace("configMapRef", "secretRef")


def test_what_a_chart_or_a_generator_makes_is_left_with_a_reason(tmp_path: Path) -> None:
    kustomization = (
        "namespace: shop\nconfigMapGenerator:\n  - name: shop\n    literals: [DB_PASSWORD=winter2019, A=b]\n"
    )
    fixed = moved(tmp_path, kustomization_yaml=kustomization)
    assert not fixed.amendment.changes
    assert len(fixed.amendment.not_fixed) == 1


SPOKEN = MIXED.replace(
    "  DB_PASSWORD: winter2019\n",
    "  # from the first installation\n  # and never since\n  DB_PASSWORD: winter2019  # say no more\n  DB_NAME: shop\n",
)
READS_ALL = pod("containers:\n  - name: shop\n    image: shop:1.2.3\n    envFrom: [{configMapRef: {name: shop}}]\n")


def test_what_is_said_of_a_key_goes_with_it(tmp_path: Path) -> None:
    fixed = moved(tmp_path, app_yaml=SPOKEN.lstrip() + "---\n" + READS_ALL)
    assert not fixed.amendment.dropped
    after = text(fixed, "app.yaml")
    assert "data:\n  DB_HOST: db.shop.svc\n  DB_NAME: shop\n" in after
    assert after.endswith(
        "stringData:\n  # from the first installation\n  # and never since\n  DB_PASSWORD: winter2019  # say no more\n"
    )


def test_in_terraform_too_and_what_may_be_of_others_stays(tmp_path: Path) -> None:
    code = """\
    resource "kubernetes_config_map_v1" "shop" {
      metadata {
        name = "shop"
      }
      data = {
        DB_HOST = "db.shop.svc"

        # of the database
        DB_PASSWORD = "winter2019" # say no more
        DB_NAME     = "shop"
      }
    }
    """
    fixed = moved(tmp_path, main_tf=code)
    assert not fixed.amendment.dropped
    after = text(fixed, "main.tf")
    assert '    # of the database\n    DB_NAME = "shop"\n' in after
    assert '  data = {\n    DB_PASSWORD = "winter2019" # say no more\n  }\n' in after
