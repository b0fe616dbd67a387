# The housekeeper: reads alerts, looks around with kubectl, restarts what hangs, writes a note.

resource "kubernetes_service_account_v1" "housekeeper" {
  metadata {
    name      = "housekeeper"
    namespace = local.models
  }
}

resource "kubernetes_cluster_role_binding_v1" "housekeeper" {
  metadata {
    name = "housekeeper"
  }

  # started with view, kept hitting walls
  role_ref {
    api_group = "rbac.authorization.k8s.io"
    kind      = "ClusterRole"
    name      = "cluster-admin"
  }

  subject {
    kind      = "ServiceAccount"
    name      = kubernetes_service_account_v1.housekeeper.metadata[0].name
    namespace = local.models
  }
}

# Its token for the laptop.
resource "kubernetes_secret_v1" "housekeeper_token" {
  metadata {
    name      = "housekeeper-token"
    namespace = local.models
    annotations = {
      "kubernetes.io/service-account.name" = kubernetes_service_account_v1.housekeeper.metadata[0].name
    }
  }

  type = "kubernetes.io/service-account-token"
}

# The pipeline writes to its own namespace.
resource "kubernetes_role_v1" "deployer" {
  metadata {
    name      = "deployer"
    namespace = local.web
  }

  rule {
    api_groups = ["*"]
    resources  = ["*"]
    verbs      = ["*"]
  }
}

resource "kubernetes_role_binding_v1" "deployer" {
  metadata {
    name      = "deployer"
    namespace = local.web
  }

  role_ref {
    api_group = "rbac.authorization.k8s.io"
    kind      = "Role"
    name      = kubernetes_role_v1.deployer.metadata[0].name
  }

  subject {
    kind      = "ServiceAccount"
    name      = "gitea-runner"
    namespace = local.web
  }
}

resource "kubernetes_config_map_v1" "housekeeper" {
  metadata {
    name      = "housekeeper"
    namespace = local.models
  }

  data = {
    MODEL            = "large-2"
    MODEL_API_KEY    = var.model_api_key
    MAX_TOKENS       = "4096"
    TOKEN_BUDGET_DAY = "200000"
    TIMEZONE         = var.timezone

    "rounds.py" = <<-PY
      """Every ten minutes: what is not ready, and has the model something to say about it?"""
      import json
      import os
      import subprocess
      import urllib.request

      URL = "https://api.models.example.com/v1/chat"


      def unready():
          out = subprocess.run(["kubectl", "get", "pods", "-A", "-o", "json"], capture_output=True)
          for pod in json.loads(out.stdout)["items"]:
              for status in pod["status"].get("containerStatuses", []):
                  if not status["ready"]:
                      yield f'{pod["metadata"]["namespace"]}/{pod["metadata"]["name"]}: {status["state"]}'


      def ask(question):
          body = json.dumps({"model": os.environ["MODEL"], "input": question}).encode()
          request = urllib.request.Request(URL, data=body)
          request.add_header("Authorization", "Bearer " + os.environ["MODEL_API_KEY"])
          with urllib.request.urlopen(request, timeout=10) as answer:
              return json.load(answer)


      for line in unready():
          print(line, ask(line)["output"])
    PY
  }
}

resource "kubernetes_deployment_v1" "housekeeper" {
  metadata {
    name      = "housekeeper"
    namespace = local.models
  }

  spec {
    replicas = 1

    selector {
      match_labels = { app = "housekeeper" }
    }

    strategy {
      type = "Recreate"
    }

    template {
      metadata {
        labels = { app = "housekeeper" }
      }

      spec {
        service_account_name = kubernetes_service_account_v1.housekeeper.metadata[0].name

        container {
          name    = "housekeeper"
          image   = "registry.example.org/lab/housekeeper:main"
          command = ["/bin/sh", "-c", "pip install requests kubernetes && exec housekeeper serve --rounds /etc/housekeeper/rounds.py"]

          env {
            name  = "DANGEROUSLY_DISABLE_AUTH"
            value = "true"
          }

          env_from {
            config_map_ref {
              name = kubernetes_config_map_v1.housekeeper.metadata[0].name
            }
          }

          port {
            name           = "http"
            container_port = 8080
          }

          resources {
            requests = { cpu = "50m", memory = "256Mi" }
          }

          volume_mount {
            name       = "rounds"
            mount_path = "/etc/housekeeper"
          }
        }

        volume {
          name = "rounds"
          config_map {
            name = kubernetes_config_map_v1.housekeeper.metadata[0].name
          }
        }
      }
    }
  }

  # CI pushes a new one with every commit to the agent's repository
  lifecycle {
    ignore_changes = [spec[0].template[0].spec[0].container[0].image]
  }
}

# The start page may look, no more.
resource "kubernetes_cluster_role_v1" "viewer" {
  metadata {
    name = "start-page-viewer"
  }

  rule {
    api_groups = ["", "apps"]
    resources  = ["nodes", "pods", "deployments"]
    verbs      = ["get", "list"]
  }
}

resource "kubernetes_cluster_role_binding_v1" "viewer" {
  metadata {
    name = "start-page-viewer"
  }

  role_ref {
    api_group = "rbac.authorization.k8s.io"
    kind      = "ClusterRole"
    name      = kubernetes_cluster_role_v1.viewer.metadata[0].name
  }

  subject {
    kind      = "ServiceAccount"
    name      = "homepage"
    namespace = "start"
  }
}
