locals {
  namespaces = toset(["auth", "databases", "files", "home", "media", "models", "web"])
}

resource "kubernetes_namespace_v1" "this" {
  for_each = local.namespaces

  metadata {
    name   = each.key
    labels = { "lab.example.org/owner" = "terraform" }
  }
}

# Databases: in from the namespaces that use them, nothing else.
resource "kubernetes_network_policy_v1" "databases" {
  metadata {
    name      = "clients"
    namespace = kubernetes_namespace_v1.this["databases"].metadata[0].name
  }

  spec {
    pod_selector {}
    policy_types = ["Ingress"]

    dynamic "ingress" {
      for_each = ["auth", "databases", "files", "media", "web", "feeds"]
      content {
        from {
          namespace_selector {
            match_labels = { "kubernetes.io/metadata.name" = ingress.value }
          }
        }
      }
    }
  }
}
