"""One application as its owner might have written it, in one of several manners.

Each manner gives the text of a file and the number of resources that it makes. The text is Terraform (or YAML) with
what a reader has to work for in it: interpolation, heredocs, dynamic blocks, maps, calls of the shared modules.
`{modules}` in the text stands for the way to the shared modules from the file's folder.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from textwrap import dedent, indent

# What one call of each shared module makes; see bench/modules.
SERVICE_MODULE_RESOURCES = 2
ROUTE_MODULE_RESOURCES = 1
BACKUP_MODULE_RESOURCES = 1

WORDS = tuple(
    word
    for line in (
        "amber ash atlas birch bison bluff brook cedar cliff cobalt coral crane creek delta dune ember fern finch",
        "fjord flint frost gale garnet glade grove harbor hazel heron indigo iris ivory jasper juniper kelp lagoon",
        "larch linden lotus maple marsh meadow mesa mica moss nettle oak onyx opal orchid osprey otter pebble pine",
        "plover quartz quill raven reed ridge robin rowan sable sage sedge shale slate sorrel spruce swift tern",
        "thistle topaz tundra umber violet wader willow wren yarrow zephyr",
    )
    for word in line.split()
)
PRODUCTS = (
    ("postgres", ("13", "14.9", "15.8", "16.10", "17.2"), 5432),
    ("mysql", ("8.4.3", "9.2.0"), 3306),
    ("redis", ("7-alpine", "7.4.2", "latest"), 6379),
    ("ghcr.io/example/api", ("1.4.2", "main", "2.0.0-rc1"), 8080),
    ("ghcr.io/example/worker", ("0.9.1", "0.10.0"), 9000),
    ("nginx", ("1.27-alpine", "1.29.1"), 80),
    ("registry.example.org/lab/site", ("2024.11.3", "stable"), 3000),
    ("docker.io/example/queue", ("4.0.3", "latest"), 5672),
)
SETTINGS = ("LOG_LEVEL", "REGION", "CACHE_TTL", "QUEUE", "SEARCH", "PAGE_SIZE", "LOCALE", "TRACE", "RETRIES", "WORKERS")


@dataclass(frozen=True)
class Application:
    """What is drawn by lot; `namespace` is an expression of Terraform."""

    name: str
    namespace: str
    repository: str
    tag: str
    port: int
    dice: random.Random

    @property
    def image(self) -> str:
        return f"{self.repository}:{self.tag}"


def drawn(number: int, namespace: str, dice: random.Random) -> Application:
    """The application with this number: its name is its own in the whole estate."""
    repository, tags, port = dice.choice(PRODUCTS)
    word, turn = WORDS[number % len(WORDS)], number // len(WORDS)
    return Application(f"{word}{turn}" if turn else word, namespace, repository, dice.choice(tags), port, dice)


def block(text: str, by: int = 0) -> str:
    """A paragraph of source as it should stand, moved right by so many columns."""
    return indent(dedent(text).strip("\n"), " " * by) + "\n"


def settings_of(app: Application, count: int) -> Iterator[tuple[str, str]]:
    for name in app.dice.sample(SETTINGS, count):
        yield name, str(app.dice.randint(1, 400))


def by_hand(app: Application) -> tuple[str, int]:
    """Deployment, Service, claim and configuration spelled out, the way it was done before there were modules."""
    env = "".join(
        block(f'env {{\n  name  = "{name}"\n  value = "{value}"\n}}\n', 10) for name, value in settings_of(app, 9)
    )
    probe = block(
        f"""
        readiness_probe {{
          tcp_socket {{
            port = {app.port}
          }}
        }}
        """,
        10,
    )
    probe = probe if app.dice.random() < 0.6 else ""
    sites = "".join(
        block(
            f"""
            server {{
              listen {8000 + number};
              server_name {app.name}-{number}.home.arpa;
              location / {{
                proxy_pass http://127.0.0.1:{app.port};
                proxy_set_header Host $host;
                proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                proxy_read_timeout {app.dice.randint(10, 90)}s;
              }}
            }}
            """,
            6,
        )
        for number in range(app.dice.randint(15, 30))
    )
    text = f"""\
# {app.name}: kept by hand.

resource "kubernetes_config_map_v1" "{app.name}" {{
  metadata {{
    name      = "{app.name}"
    namespace = {app.namespace}
  }}

  data = {{
    "sites.conf" = <<-CONF
{sites}    CONF
    "log_level"  = "info"
  }}
}}

resource "kubernetes_persistent_volume_claim_v1" "{app.name}" {{
  metadata {{
    name      = "{app.name}"
    namespace = {app.namespace}
  }}

  spec {{
    access_modes       = ["ReadWriteOnce"]
    storage_class_name = "nfs-client"

    resources {{
      requests = {{ storage = "{app.dice.choice((1, 5, 20, 100))}Gi" }}
    }}
  }}
}}

resource "kubernetes_deployment_v1" "{app.name}" {{
  metadata {{
    name      = "{app.name}"
    namespace = {app.namespace}
  }}

  spec {{
    replicas = {app.dice.choice((1, 1, 2))}

    selector {{
      match_labels = {{ app = "{app.name}" }}
    }}

    template {{
      metadata {{
        labels = {{ app = "{app.name}" }}
      }}

      spec {{
        container {{
          name  = "{app.name}"
          image = "{app.image}"

          port {{
            container_port = {app.port}
          }}

{env}{probe}
          volume_mount {{
            name       = "data"
            mount_path = "/data"
          }}

          volume_mount {{
            name       = "config"
            mount_path = "/etc/{app.name}"
          }}
        }}

        volume {{
          name = "data"
          persistent_volume_claim {{
            claim_name = kubernetes_persistent_volume_claim_v1.{app.name}.metadata[0].name
          }}
        }}

        volume {{
          name = "config"
          config_map {{
            name = kubernetes_config_map_v1.{app.name}.metadata[0].name
          }}
        }}
      }}
    }}
  }}
}}

resource "kubernetes_service_v1" "{app.name}" {{
  metadata {{
    name      = "{app.name}"
    namespace = {app.namespace}
  }}

  spec {{
    selector = {{ app = "{app.name}" }}

    port {{
      port        = 80
      target_port = {app.port}
    }}
  }}
}}
"""
    return text, 4


def by_modules(app: Application) -> tuple[str, int]:
    """Service, route and backup from the shared modules."""
    env = "".join(f'    {name:<14} = "{value}"\n' for name, value in settings_of(app, 9))
    keep = f"\n  keep      = {app.dice.randint(7, 30)}" if app.dice.random() < 0.5 else ""
    limit = '\n  limit     = "slow"' if app.dice.random() < 0.5 else ""
    text = f"""\
module "{app.name}" {{
  source = "{{modules}}/service"

  name      = "{app.name}"
  namespace = {app.namespace}
  image     = "{app.repository}"
  tag       = "{app.tag}"
  port      = {app.port}
  health    = {app.dice.choice(("null", '"/healthz"', '"/"'))}
  memory    = "{app.dice.choice((128, 256, 512))}Mi"

  env = {{
{env}    DATABASE_URL   = "postgres://{app.name}@postgres.${{var.domain}}/{app.name}"
  }}

  volumes = {{
    data = {{ path = "/data", size = "10Gi" }}
  }}
}}

module "{app.name}_route" {{
  source = "{{modules}}/route"

  name      = "{app.name}"
  namespace = {app.namespace}
  host      = "{app.name}.${{var.domain}}"
  service   = "{app.name}"
  public    = {app.dice.choice(("true", "false"))}{limit}
}}

module "{app.name}_backup" {{
  source = "{{modules}}/backup"

  name      = "{app.name}"
  namespace = {app.namespace}
  host      = "postgres.${{var.domain}}"
  image     = "postgres:16.10"{keep}
}}
"""
    return text, SERVICE_MODULE_RESOURCES + ROUTE_MODULE_RESOURCES + BACKUP_MODULE_RESOURCES


def by_script(app: Application) -> tuple[str, int]:
    """A CronJob with a long shell script, and the rights that it runs with."""
    steps = "".join(
        block(
            f"""
            echo "step {number}: {app.dice.choice(WORDS)}"
            address="http://{app.dice.choice(WORDS)}.svc.cluster.local/export?part={number}"
            if ! curl -fsS --max-time {app.dice.randint(5, 60)} "$address" > "$work/{number}.json"; then
              failed=$((failed + 1))
            fi
            """,
            6,
        )
        for number in range(app.dice.randint(25, 50))
    )
    removal = "      find /backups -name '*.tar.gz' -mtime +14 -delete\n" if app.dice.random() < 0.6 else ""
    text = f"""\
locals {{
  {app.name}_script = <<-SH
      #!/bin/sh
      set -eu
      work=$(mktemp -d)
      failed=0
{steps}      tar -czf /backups/{app.name}-$(date +%F).tar.gz -C "$work" .
{removal}      exit $failed
  SH
}}

resource "kubernetes_service_account_v1" "{app.name}" {{
  metadata {{
    name      = "{app.name}"
    namespace = {app.namespace}
  }}
}}

resource "kubernetes_role_v1" "{app.name}" {{
  metadata {{
    name      = "{app.name}"
    namespace = {app.namespace}
  }}

  rule {{
    api_groups = [""]
    resources  = ["pods", "configmaps"]
    verbs      = ["get", "list"]
  }}
}}

resource "kubernetes_role_binding_v1" "{app.name}" {{
  metadata {{
    name      = "{app.name}"
    namespace = {app.namespace}
  }}

  role_ref {{
    api_group = "rbac.authorization.k8s.io"
    kind      = "Role"
    name      = kubernetes_role_v1.{app.name}.metadata[0].name
  }}

  subject {{
    kind      = "ServiceAccount"
    name      = kubernetes_service_account_v1.{app.name}.metadata[0].name
    namespace = {app.namespace}
  }}
}}

resource "kubernetes_cron_job_v1" "{app.name}" {{
  metadata {{
    name      = "{app.name}"
    namespace = {app.namespace}
  }}

  spec {{
    schedule = "{app.dice.randint(0, 59)} {app.dice.randint(0, 23)} * * *"

    job_template {{
      metadata {{}}

      spec {{
        template {{
          metadata {{}}

          spec {{
            service_account_name = kubernetes_service_account_v1.{app.name}.metadata[0].name
            restart_policy       = "OnFailure"

            container {{
              name    = "export"
              image   = "alpine:3.22"
              command = ["/bin/sh", "-c", local.{app.name}_script]

              volume_mount {{
                name       = "backups"
                mount_path = "/backups"
              }}
            }}

            volume {{
              name = "backups"
              nfs {{
                server = "192.168.20.5"
                path   = "/volume1/backups/{app.name}"
              }}
            }}
          }}
        }}
      }}
    }}
  }}
}}
"""
    return text, 4


def by_chart(app: Application) -> tuple[str, int]:
    """A Helm release with values in a heredoc, set blocks and an alert rule."""
    rows = "".join(f"      {name.lower()}: {value}\n" for name, value in settings_of(app, 8))
    dashboards = "".join(
        block(
            f"""
            - title: {app.dice.choice(WORDS)} {number}
              query: sum(rate({app.name}_requests_total{{job="{app.dice.choice(WORDS)}", code=~"5.."}}[5m])) by (pod)
              unit: requests
            """,
            6,
        )
        for number in range(app.dice.randint(30, 60))
    )
    pinned = f'\n  version    = "{app.dice.randint(1, 40)}.{app.dice.randint(0, 9)}.0"'
    version = pinned if app.dice.random() < 0.8 else ""
    text = f"""\
resource "helm_release" "{app.name}" {{
  name       = "{app.name}"
  namespace  = {app.namespace}
  repository = "https://charts.example.org"
  chart      = "{app.name}"{version}

  values = [<<-YAML
    image:
      repository: {app.repository}
      tag: "{app.tag}"
    replicaCount: {app.dice.choice((1, 2))}
    resources:
      requests: {{ cpu: 50m, memory: 128Mi }}
    settings:
{rows}    dashboards:
{dashboards}  YAML
    , yamlencode({{
      nodeSelector = {{ "kubernetes.io/arch" = "amd64" }}
      tolerations  = [for key in var.taints : {{ key = key, operator = "Exists" }}]
    }})
  ]

  set {{
    name  = "ingress.host"
    value = "{app.name}.${{var.domain}}"
  }}
}}

resource "kubernetes_manifest" "{app.name}_alerts" {{
  manifest = {{
    apiVersion = "monitoring.coreos.com/v1"
    kind       = "PrometheusRule"
    metadata   = {{ name = "{app.name}", namespace = {app.namespace} }}
    spec = {{
      groups = [{{
        name = "{app.name}"
        rules = [for name, seconds in {{ slow = 5, down = 60 }} : {{
          alert = "{app.name.title()}${{title(name)}}"
          expr  = "up{{job=\\"{app.name}\\"}} == 0"
          for   = "${{seconds}}m"
        }}]
      }}]
    }}
  }}
}}
"""
    return text, 2


def by_map(app: Application, entries: int) -> tuple[str, int]:
    """A map in locals, and one ConfigMap for each of its entries: this meets the number of resources asked for."""
    rows = "".join(
        f'    "{app.name}-{number}" = {{ region = "{app.dice.choice(WORDS)}", weight = {app.dice.randint(1, 99)} }}\n'
        for number in range(entries)
    )
    text = f"""\
locals {{
  {app.name}_tenants = {{
{rows}  }}
}}

resource "kubernetes_config_map_v1" "{app.name}" {{
  for_each = local.{app.name}_tenants

  metadata {{
    name      = each.key
    namespace = {app.namespace}
  }}

  data = {{
    region = each.value.region
    weight = tostring(each.value.weight)
    url    = format("https://%s.%s", each.key, var.domain)
  }}
}}
"""
    return text, entries


def as_yaml(app: Application) -> tuple[str, int]:
    """Plain manifests of one application."""
    env = "".join(block(f'- name: {name}\n  value: "{value}"', 12) for name, value in settings_of(app, 9))
    text = f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {app.name}
  namespace: manifests
spec:
  replicas: {app.dice.choice((1, 1, 2))}
  selector:
    matchLabels: {{ app: {app.name} }}
  template:
    metadata:
      labels: {{ app: {app.name} }}
    spec:
      containers:
        - name: {app.name}
          image: {app.image}
          ports:
            - name: http
              containerPort: {app.port}
          env:
{env}\
          resources:
            requests: {{ cpu: 50m, memory: 128Mi }}
---
apiVersion: v1
kind: Service
metadata:
  name: {app.name}
  namespace: manifests
spec:
  selector: {{ app: {app.name} }}
  ports:
    - port: 80
      targetPort: http
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {app.name}
  namespace: manifests
spec:
  ingressClassName: traefik
  rules:
    - host: {app.name}.lab.example.org
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: {app.name}
                port: {{ number: 80 }}
"""
    return text, 3


MANNERS: tuple[tuple[Callable[[Application], tuple[str, int]], int], ...] = (
    (by_hand, 5),
    (by_modules, 4),
    (by_script, 3),
    (by_chart, 3),
)
