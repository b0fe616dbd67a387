"""Random estates with troubles that edits cure: YAML and Terraform, in manners that people write."""

from __future__ import annotations

from random import Random

IMAGES = ("nginx:1.29.3", "vaultwarden/server:1.32.0", "redis:8.2.2", "ghcr.io/example/api:2.4.1")
VARIED = ("api", "shop", "mail", "wiki", "notes", "feeds", "media")


class FixableEstate:
    """Workloads with a Service and a volume each; what they lack is left to chance."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.files: dict[str, str] = {}

    def build(self) -> dict[str, bytes]:
        names = self.random.sample(VARIED, self.random.randint(2, 4))
        for name in names:
            self.random.choice((self.manifest, self.code, self.several))(name)
        if self.random.random() < 0.5:
            self.module()
        return {path: self.bytes(text) for path, text in self.files.items()}

    def bytes(self, text: str) -> bytes:
        text = text if self.random.random() < 0.8 else text.rstrip("\n")
        text = text if self.random.random() < 0.8 else text.replace("\n", "\r\n")
        return (b"\xef\xbb\xbf" if self.random.random() < 0.1 else b"") + text.encode()

    def chance(self, text: str, share: float = 0.5) -> str:
        return text if self.random.random() < share else ""

    def remark(self, sign: str = "#") -> str:
        return self.chance(f"  {sign} {self.random.choice(('as it was', 'keep', 'sée below'))}", 0.3)

    def manifest(self, name: str) -> None:
        """A Deployment with its Service and claim in one file."""
        step = self.random.choice(("", "  "))
        strategy = f"  strategy:{self.remark()}\n    type: RollingUpdate{self.remark()}\n"
        probe = f"""\
        {step}  readinessProbe:
        {step}    tcpSocket: {{port: 8080}}{self.remark()}
"""
        self.files[f"apps/{name}.yaml"] = f"""\
{self.chance("---", 0.5)}
# {name} of the house
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}{self.remark()}
  namespace: home
spec:
  replicas: {self.random.choice((1, 2, 3))}{self.remark()}
{self.chance(strategy)}  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
      {step}  - name: {name}
      {step}    image: {self.random.choice(IMAGES)}{self.remark()}
      {step}    ports:
      {step}      - containerPort: 8080
{self.chance(probe)}      {step}    volumeMounts: [{{name: data, mountPath: /data}}]
      volumes:
      - name: data
        persistentVolumeClaim: {{claimName: {name}}}
---
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: home}}
spec:
  selector: {{app: {name}}}
  ports:
    - port: 80
      targetPort: 8080
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: {name}, namespace: home}}
spec:
  accessModes: [ReadWriteMany]
  resources: {{requests: {{storage: 1Gi}}}}
""".replace("        " + step + "  readiness", "      " + step + "    readiness").replace(
            "        " + step + "    tcp", "      " + step + "      tcp"
        )

    def code(self, name: str) -> None:
        """The same in Terraform."""
        self.files[f"stack/{name}.tf"] = self.resource(name, f'"{name}"', str(self.random.choice((1, 2, 3))))

    def several(self, name: str) -> None:
        """Several from one map."""
        entries = "\n".join(
            f"    {name}-{number} = {{ replicas = {self.random.choice((1, 2, 3))} }}{self.remark()}"
            for number in range(self.random.randint(1, 3))
        )
        self.files[f"stack/{name}.tf"] = f"locals {{\n  {name} = {{\n{entries}\n  }}\n}}\n\n" + self.resource(
            name, "each.key", "each.value.replicas", f"  for_each = local.{name}\n\n"
        )

    def module(self) -> None:
        """One module, called for two."""
        self.files["modules/app/main.tf"] = (
            'variable "name" {\n  type = string\n}\n\nvariable "replicas" {\n  type    = number\n  default = 2\n}\n\n'
            + self.resource("this", "var.name", "var.replicas")
        )
        other = self.chance("  replicas = 1\n")
        self.files["stack/modules.tf"] = f"""\
module "left" {{
  source = "../modules/app"
  name   = "left"
}}

module "right" {{
  source   = "../modules/app"
  name     = "right"
{other}}}
"""

    def resource(self, label: str, name: str, replicas: str, first: str = "") -> str:
        """A Deployment and its Service in Terraform."""
        probe = """\
          readiness_probe {
            tcp_socket {
              port = 8080
            }
          }
"""
        return f"""\
# {label} of the house
resource "kubernetes_deployment_v1" "{label}" {{
{first}  metadata {{
    name      = {name}{self.remark("//")}
    namespace = "home"
  }}
  spec {{
    replicas = {replicas}{self.remark()}
    selector {{
      match_labels = {{ app = {name} }}
    }}
    template {{
      metadata {{
        labels = {{ app = {name} }}
      }}
      spec {{
        container {{
          name  = "main"
          image = "{self.random.choice(IMAGES)}"{self.remark()}
          port {{
            container_port = 8080
          }}
{self.chance(probe)}        }}
      }}
    }}
  }}
}}

resource "kubernetes_service_v1" "{label}" {{
{first}  metadata {{
    name      = {name}
    namespace = "home"
  }}
  spec {{
    selector = {{ app = {name} }}
    port {{
      port        = 80
      target_port = 8080
    }}
  }}
}}
"""
