locals {
  engines = {
    postgres = {
      port  = 5432
      data  = "/var/lib/postgresql/data"
      args  = flatten([for key, value in var.settings : ["-c", "${key}=${value}"]])
      check = ["pg_isready", "-U", var.user, "-d", var.database]
      env = {
        POSTGRES_DB   = var.database
        POSTGRES_USER = var.user
        PGDATA        = "/var/lib/postgresql/data/pgdata"
      }
      password = "POSTGRES_PASSWORD"
    }
    mysql = {
      port  = 3306
      data  = "/var/lib/mysql"
      args  = [for key, value in var.settings : "--${key}=${value}"]
      check = null
      env = {
        MYSQL_DATABASE = var.database
        MYSQL_USER     = var.user
      }
      password = "MYSQL_PASSWORD"
    }
    redis = {
      port     = 6379
      data     = "/data"
      args     = concat(["redis-server", "--appendonly", "yes"], flatten([for key, value in var.settings : ["--${key}", value]]))
      check    = null
      env      = {}
      password = null
    }
  }

  engine = local.engines[var.engine]
  labels = {
    "app.kubernetes.io/name"      = var.name
    "app.kubernetes.io/component" = var.engine
  }
}

resource "random_password" "this" {
  length  = 32
  special = false
}

resource "kubernetes_secret_v1" "this" {
  count = local.engine.password == null ? 0 : 1

  metadata {
    name      = "${var.name}-credentials"
    namespace = var.namespace
  }

  data = {
    host     = "${var.name}.${var.namespace}.svc"
    username = var.user
    password = random_password.this.result
  }
}

resource "kubernetes_stateful_set_v1" "this" {
  metadata {
    name      = var.name
    namespace = var.namespace
    labels    = local.labels
  }

  spec {
    service_name = var.name
    replicas     = 1

    selector {
      match_labels = local.labels
    }

    template {
      metadata {
        labels = local.labels
      }

      spec {
        priority_class_name              = "platform"
        termination_grace_period_seconds = 120

        container {
          name  = var.engine
          image = var.image
          args  = local.engine.args

          port {
            name           = var.engine
            container_port = local.engine.port
          }

          dynamic "env" {
            for_each = local.engine.env
            content {
              name  = env.key
              value = env.value
            }
          }

          dynamic "env" {
            for_each = compact([local.engine.password, var.engine == "mysql" ? "MYSQL_ROOT_PASSWORD" : null])
            content {
              name = env.value
              value_from {
                secret_key_ref {
                  name = kubernetes_secret_v1.this[0].metadata[0].name
                  key  = "password"
                }
              }
            }
          }

          dynamic "readiness_probe" {
            for_each = local.engine.check != null ? [local.engine.check] : []
            content {
              period_seconds  = 10
              timeout_seconds = 5
              exec {
                command = readiness_probe.value
              }
            }
          }

          dynamic "liveness_probe" {
            for_each = local.engine.check != null ? [local.engine.check] : []
            content {
              period_seconds        = 20
              timeout_seconds       = 5
              failure_threshold     = 6
              initial_delay_seconds = 60
              exec {
                command = liveness_probe.value
              }
            }
          }

          dynamic "resources" {
            for_each = var.memory != null ? [var.memory] : []
            content {
              requests = { cpu = "100m", memory = resources.value }
              limits   = { memory = resources.value }
            }
          }

          volume_mount {
            name       = "data"
            mount_path = local.engine.data
          }
        }
      }
    }

    volume_claim_template {
      metadata {
        name = "data"
      }

      spec {
        access_modes       = ["ReadWriteOnce"]
        storage_class_name = var.storage_class

        resources {
          requests = {
            storage = var.size
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
    selector = local.labels

    port {
      name        = var.engine
      port        = local.engine.port
      target_port = var.engine
    }
  }
}
