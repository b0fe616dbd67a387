locals {
  labels = {
    "app.kubernetes.io/name"       = var.name
    "app.kubernetes.io/managed-by" = "terraform"
  }

  claims = { for key, volume in var.volumes : key => volume if volume.size != null }
  limits = merge(var.resources.limits, var.gpus > 0 ? { "nvidia.com/gpu" = tostring(var.gpus) } : {})
}

resource "kubernetes_config_map_v1" "files" {
  count = length(var.files) > 0 ? 1 : 0

  metadata {
    name      = "${var.name}-files"
    namespace = var.namespace
    labels    = local.labels
  }

  data = var.files
}

resource "kubernetes_persistent_volume_claim_v1" "this" {
  for_each = local.claims

  metadata {
    name      = "${var.name}-${each.key}"
    namespace = var.namespace
    labels    = local.labels
  }

  spec {
    access_modes       = [each.value.storage_class == "nfs-client" ? "ReadWriteMany" : "ReadWriteOnce"]
    storage_class_name = each.value.storage_class

    resources {
      requests = {
        storage = each.value.size
      }
    }
  }

  wait_until_bound = false
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
      match_labels = { "app.kubernetes.io/name" = var.name }
    }

    strategy {
      type = var.strategy
    }

    template {
      metadata {
        labels = local.labels
        annotations = {
          "checksum/files" = sha1(jsonencode(var.files))
        }
      }

      spec {
        service_account_name = var.service_account
        priority_class_name  = var.priority_class
        node_selector        = var.node_selector

        container {
          name    = var.name
          image   = var.image
          command = var.command
          args    = var.args

          port {
            name           = "http"
            container_port = var.port
          }

          dynamic "env" {
            for_each = var.env
            content {
              name  = env.key
              value = env.value
            }
          }

          dynamic "env" {
            for_each = var.secret_env
            content {
              name = env.key
              value_from {
                secret_key_ref {
                  name = env.value.secret
                  key  = env.value.key
                }
              }
            }
          }

          dynamic "volume_mount" {
            for_each = var.volumes
            content {
              name       = volume_mount.key
              mount_path = volume_mount.value.mount_path
              read_only  = volume_mount.value.read_only
            }
          }

          dynamic "volume_mount" {
            for_each = length(var.files) > 0 ? ["/config"] : []
            content {
              name       = "files"
              mount_path = volume_mount.value
            }
          }

          dynamic "startup_probe" {
            for_each = var.startup_seconds != null && var.health_path != null ? [1] : []
            content {
              period_seconds    = 5
              failure_threshold = ceil(var.startup_seconds / 5)
              http_get {
                path = var.health_path
                port = "http"
              }
            }
          }

          dynamic "readiness_probe" {
            for_each = var.health_path != null ? [var.health_path] : []
            content {
              period_seconds = 10
              http_get {
                path = readiness_probe.value
                port = "http"
              }
            }
          }

          dynamic "liveness_probe" {
            for_each = var.health_path != null ? [var.health_path] : []
            content {
              period_seconds    = 20
              failure_threshold = 6
              http_get {
                path = liveness_probe.value
                port = "http"
              }
            }
          }

          resources {
            requests = var.resources.requests
            limits   = local.limits
          }
        }

        dynamic "toleration" {
          for_each = var.tolerations
          content {
            key      = toleration.value.key
            operator = toleration.value.operator
            value    = toleration.value.value
            effect   = toleration.value.effect
          }
        }

        dynamic "volume" {
          for_each = local.claims
          content {
            name = volume.key
            persistent_volume_claim {
              claim_name = kubernetes_persistent_volume_claim_v1.this[volume.key].metadata[0].name
            }
          }
        }

        dynamic "volume" {
          for_each = { for key, v in var.volumes : key => v if v.nfs_path != null }
          content {
            name = volume.key
            nfs {
              server    = var.nas
              path      = volume.value.nfs_path
              read_only = volume.value.read_only
            }
          }
        }

        dynamic "volume" {
          for_each = { for key, v in var.volumes : key => v if v.medium != null }
          content {
            name = volume.key
            empty_dir {
              medium = volume.value.medium
            }
          }
        }

        dynamic "volume" {
          for_each = kubernetes_config_map_v1.files
          content {
            name = "files"
            config_map {
              name = volume.value.metadata[0].name
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
    labels    = local.labels
  }

  spec {
    selector = { "app.kubernetes.io/name" = var.name }

    port {
      name        = "http"
      port        = 80
      target_port = "http"
    }
  }
}
