locals {
  labels = merge({ app = var.name, "example.org/tier" = var.tier }, var.labels)
  claims = { for key, volume in var.volumes : key => volume if volume.size != null }
}

resource "kubernetes_deployment_v1" "this" {
  metadata {
    name      = var.name
    namespace = var.namespace
    labels    = local.labels
  }

  spec {
    replicas = var.replicas

    selector {
      match_labels = { app = var.name }
    }

    template {
      metadata {
        labels = local.labels
      }

      spec {
        container {
          name  = var.name
          image = "${var.image}:${var.tag}"

          port {
            container_port = var.port
          }

          dynamic "env" {
            for_each = var.env
            content {
              name  = env.key
              value = env.value
            }
          }

          dynamic "readiness_probe" {
            for_each = var.health == null ? [] : [var.health]
            content {
              http_get {
                path = readiness_probe.value
                port = var.port
              }
            }
          }

          dynamic "volume_mount" {
            for_each = local.claims
            content {
              name       = volume_mount.key
              mount_path = volume_mount.value.path
            }
          }

          resources {
            requests = { cpu = var.cpu, memory = var.memory }
            limits   = { memory = var.memory }
          }
        }

        dynamic "volume" {
          for_each = local.claims
          content {
            name = volume.key
            persistent_volume_claim {
              claim_name = "${var.name}-${volume.key}"
            }
          }
        }
      }
    }
  }
}

resource "kubernetes_service_v1" "this" {
  metadata {
    name      = var.name
    namespace = var.namespace
  }

  spec {
    selector = { app = kubernetes_deployment_v1.this.metadata[0].name }

    port {
      port        = 80
      target_port = var.port
    }
  }
}
