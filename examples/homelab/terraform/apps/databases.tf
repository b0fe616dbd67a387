locals {
  databases = kubernetes_namespace_v1.this["databases"].metadata[0].name

  # Clients of the pooler and the connections that each of their pods may open.
  pooled = {
    authelia = { database = "authelia", connections = 10 }
    gitea    = { database = "gitea", connections = 40 }
    miniflux = { database = "miniflux", connections = 20 }
  }
}

# One server for the small ones.
module "postgres" {
  source = "../modules/database"

  name          = "postgres"
  namespace     = local.databases
  engine        = "postgres"
  image         = "postgres:${var.postgres_version}"
  user          = "lab"
  database      = "lab"
  size          = "40Gi"
  storage_class = "local-ssd"
  memory        = "1Gi"

  settings = {
    max_connections = "100"
    shared_buffers  = "256MB"
  }
}

# Scans since 2009. Untouched since the move from the old server.
module "postgres_paperless" {
  source = "../modules/database"

  name      = "postgres-paperless"
  namespace = local.databases
  engine    = "postgres"
  image     = "postgres:13"
  user      = "paperless"
  database  = "paperless"
  size      = "20Gi"
  memory    = "512Mi"
}

# Built with the vector extensions, on the old laptop.
module "postgres_photos" {
  source = "../modules/database"

  name      = "postgres-photos"
  namespace = local.databases
  engine    = "postgres"
  image     = "registry.example.org/lab/postgres-vectors:16.4-0.3.0"
  user      = "immich"
  database  = "immich"
  size      = "40Gi"
  memory    = "2Gi"
}

module "mysql_files" {
  source = "../modules/database"

  name      = "mysql-files"
  namespace = local.databases
  engine    = "mysql"
  image     = "mysql:9.2.0"
  user      = "nextcloud"
  database  = "nextcloud"
  size      = "20Gi"

  settings = {
    innodb-buffer-pool-size = "512M"
    transaction-isolation   = "READ-COMMITTED"
  }
}

module "redis_photos" {
  source = "../modules/database"

  name      = "redis-photos"
  namespace = local.databases
  engine    = "redis"
  image     = "redis:7-alpine"
  size      = "2Gi"
}

# ---- connection pool of the shared server ----

resource "kubernetes_config_map_v1" "pgbouncer" {
  metadata {
    name      = "pgbouncer"
    namespace = local.databases
  }

  data = {
    "pgbouncer.ini" = templatefile("${path.module}/files/pgbouncer.ini.tftpl", {
      host      = module.postgres.host
      port      = module.postgres.port
      databases = [for client in values(local.pooled) : client.database]
    })
  }
}

resource "kubernetes_secret_v1" "pgbouncer" {
  metadata {
    name      = "pgbouncer"
    namespace = local.databases
  }

  data = {
    "userlist.txt" = "\"${module.postgres.user}\" \"${module.postgres.password}\"\n"
  }
}

resource "kubernetes_deployment_v1" "pgbouncer" {
  metadata {
    name      = "pgbouncer"
    namespace = local.databases
  }

  spec {
    replicas = 2

    selector {
      match_labels = { app = "pgbouncer" }
    }

    template {
      metadata {
        labels = { app = "pgbouncer" }
      }

      spec {
        priority_class_name = "platform"

        topology_spread_constraint {
          max_skew           = 1
          topology_key       = "kubernetes.io/hostname"
          when_unsatisfiable = "ScheduleAnyway"
          label_selector {
            match_labels = { app = "pgbouncer" }
          }
        }

        container {
          name  = "pgbouncer"
          image = "edoburu/pgbouncer:v1.23.1-p2"

          port {
            container_port = 6432
          }

          readiness_probe {
            tcp_socket {
              port = 6432
            }
          }

          liveness_probe {
            tcp_socket {
              port = 6432
            }
            failure_threshold = 5
          }

          resources {
            requests = { cpu = "50m", memory = "32Mi" }
            limits   = { memory = "128Mi" }
          }

          volume_mount {
            name       = "config"
            mount_path = "/etc/pgbouncer"
          }

          volume_mount {
            name       = "users"
            mount_path = "/etc/pgbouncer-users"
            read_only  = true
          }
        }

        volume {
          name = "config"
          config_map {
            name = kubernetes_config_map_v1.pgbouncer.metadata[0].name
          }
        }

        volume {
          name = "users"
          secret {
            secret_name = kubernetes_secret_v1.pgbouncer.metadata[0].name
          }
        }
      }
    }
  }
}

resource "kubernetes_pod_disruption_budget_v1" "pgbouncer" {
  metadata {
    name      = "pgbouncer"
    namespace = local.databases
  }

  spec {
    max_unavailable = "1"

    selector {
      match_labels = { app = "pgbouncer" }
    }
  }
}

resource "kubernetes_service_v1" "pgbouncer" {
  metadata {
    name      = "pgbouncer"
    namespace = local.databases
  }

  spec {
    selector = { app = "pgbouncer" }

    port {
      port        = 5432
      target_port = 6432
    }
  }
}
