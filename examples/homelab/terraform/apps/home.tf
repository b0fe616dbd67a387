# The old ones, from before there were modules: files, passwords, the house, documents.

locals {
  files = kubernetes_namespace_v1.this["files"].metadata[0].name
  home  = kubernetes_namespace_v1.this["home"].metadata[0].name
}

# ---- files: Nextcloud ----

resource "kubernetes_persistent_volume_claim" "nextcloud" {
  metadata {
    name      = "nextcloud"
    namespace = local.files
  }

  spec {
    access_modes       = ["ReadWriteMany"]
    storage_class_name = "nfs-client"

    resources {
      requests = {
        storage = "500Gi"
      }
    }
  }
}

resource "kubernetes_secret" "nextcloud" {
  metadata {
    name      = "nextcloud"
    namespace = local.files
  }

  data = {
    database_password = module.mysql_files.password
    redis_password    = random_password.nextcloud_redis.result
    "redis.conf"      = "requirepass ${random_password.nextcloud_redis.result}\nappendonly no\n"
  }
}

resource "random_password" "nextcloud_redis" {
  length  = 40
  special = false
}

resource "kubernetes_deployment" "nextcloud" {
  metadata {
    name      = "nextcloud"
    namespace = local.files
  }

  spec {
    replicas = 1

    selector {
      match_labels = {
        app = "nextcloud"
      }
    }

    strategy {
      type = "Recreate"
    }

    template {
      metadata {
        labels = {
          app = "nextcloud"
        }
      }

      spec {
        container {
          name  = "nextcloud"
          image = "nextcloud:33.0.2-apache"

          env {
            name  = "MYSQL_HOST"
            value = module.mysql_files.host
          }

          env {
            name  = "MYSQL_DATABASE"
            value = module.mysql_files.database
          }

          env {
            name  = "MYSQL_USER"
            value = module.mysql_files.user
          }

          env {
            name = "MYSQL_PASSWORD"
            value_from {
              secret_key_ref {
                name = kubernetes_secret.nextcloud.metadata[0].name
                key  = "database_password"
              }
            }
          }

          env {
            name  = "REDIS_HOST"
            value = "nextcloud-redis"
          }

          env {
            name = "REDIS_HOST_PASSWORD"
            value_from {
              secret_key_ref {
                name = kubernetes_secret.nextcloud.metadata[0].name
                key  = "redis_password"
              }
            }
          }

          port {
            container_port = 80
          }

          # upgrades run before Apache starts, so give it time
          liveness_probe {
            http_get {
              path = "/status.php"
              port = 80
            }
            initial_delay_seconds = 30
            period_seconds        = 30
          }

          readiness_probe {
            http_get {
              path = "/status.php"
              port = 80
            }
          }

          volume_mount {
            name       = "data"
            mount_path = "/var/www/html"
          }
        }

        volume {
          name = "data"
          persistent_volume_claim {
            claim_name = kubernetes_persistent_volume_claim.nextcloud.metadata[0].name
          }
        }
      }
    }
  }
}

resource "kubernetes_service" "nextcloud" {
  metadata {
    name      = "nextcloud"
    namespace = local.files
  }

  spec {
    selector = {
      app = "nextcloud"
    }

    port {
      port        = 80
      target_port = 80
    }
  }
}

module "nextcloud_ingress" {
  source = "../modules/ingress"

  name   = "nextcloud"
  host   = "files.${var.domain}"
  public = true
  auth   = false

  service = {
    name      = kubernetes_service.nextcloud.metadata[0].name
    namespace = local.files
    port      = 80
  }
}

resource "kubernetes_deployment" "nextcloud_redis" {
  metadata {
    name      = "nextcloud-redis"
    namespace = local.files
  }

  spec {
    selector {
      match_labels = { app = "nextcloud-redis" }
    }

    template {
      metadata {
        labels = { app = "nextcloud-redis" }
      }

      spec {
        container {
          name  = "redis"
          image = "redis:7.4.2-alpine"
          args  = ["redis-server", "/etc/redis/redis.conf"]

          port {
            container_port = 6379
          }

          readiness_probe {
            tcp_socket {
              port = 6379
            }
          }

          liveness_probe {
            tcp_socket {
              port = 6379
            }
          }

          resources {
            requests = { cpu = "20m", memory = "64Mi" }
            limits   = { memory = "256Mi" }
          }

          volume_mount {
            name       = "config"
            mount_path = "/etc/redis"
            read_only  = true
          }
        }

        volume {
          name = "config"
          secret {
            secret_name = kubernetes_secret.nextcloud.metadata[0].name
            items {
              key  = "redis.conf"
              path = "redis.conf"
            }
          }
        }
      }
    }
  }
}

resource "kubernetes_service" "nextcloud_redis" {
  metadata {
    name      = "nextcloud-redis"
    namespace = local.files
  }

  spec {
    selector = { app = "nextcloud-redis" }

    port {
      port = 6379
    }
  }
}

resource "kubernetes_cron_job_v1" "nextcloud_dump" {
  metadata {
    name      = "nextcloud-dump"
    namespace = local.files
  }

  spec {
    schedule = "0 4 * * *"

    job_template {
      metadata {}

      spec {
        template {
          metadata {}

          spec {
            restart_policy = "OnFailure"

            container {
              name    = "dump"
              image   = "mysql:9.2.0"
              command = ["/bin/sh", "-c"]
              args = [<<-EOT
                FILE=/backups/nextcloud/nextcloud-$(date +%Y%m%d).sql.gz
                # without locks: the phones upload at night
                mysqldump --skip-lock-tables -h ${module.mysql_files.host} -u root -p$PASSWORD nextcloud | gzip > $FILE
                ls -1t /backups/nextcloud/*.sql.gz | tail -n +31 | xargs -r rm
                echo "dump done"
              EOT
              ]

              env {
                name = "PASSWORD"
                value_from {
                  secret_key_ref {
                    name = kubernetes_secret.nextcloud.metadata[0].name
                    key  = "database_password"
                  }
                }
              }

              volume_mount {
                name       = "backups"
                mount_path = "/backups"
              }
            }

            volume {
              name = "backups"
              nfs {
                server = var.nas_address
                path   = "/volume1/backups"
              }
            }
          }
        }
      }
    }
  }
}

# ---- passwords: Vaultwarden ----

resource "kubernetes_persistent_volume_claim" "vaultwarden" {
  metadata {
    name      = "vaultwarden"
    namespace = local.files
  }

  spec {
    access_modes       = ["ReadWriteOnce"]
    storage_class_name = "nfs-client"

    resources {
      requests = { storage = "2Gi" }
    }
  }
}

resource "kubernetes_deployment" "vaultwarden" {
  metadata {
    name      = "vaultwarden"
    namespace = local.files
  }

  spec {
    replicas = 1

    selector {
      match_labels = { app = "vaultwarden" }
    }

    template {
      metadata {
        labels = { app = "vaultwarden" }
      }

      spec {
        container {
          name  = "vaultwarden"
          image = "vaultwarden/server:1.32.7"

          env {
            name  = "DOMAIN"
            value = "https://vault.${var.domain}"
          }

          env {
            name  = "SIGNUPS_ALLOWED"
            value = "false"
          }

          env {
            name  = "ADMIN_TOKEN"
            value = "FAKEadmin-9vXq2LmT7rBzK4wYpD8sNcE1"
          }

          port {
            container_port = 80
          }

          readiness_probe {
            http_get {
              path = "/alive"
              port = 80
            }
          }

          liveness_probe {
            http_get {
              path = "/alive"
              port = 80
            }
          }

          resources {
            requests = { cpu = "20m", memory = "64Mi" }
            limits   = { memory = "256Mi" }
          }

          volume_mount {
            name       = "data"
            mount_path = "/data"
          }
        }

        volume {
          name = "data"
          persistent_volume_claim {
            claim_name = kubernetes_persistent_volume_claim.vaultwarden.metadata[0].name
          }
        }
      }
    }
  }
}

resource "kubernetes_service" "vaultwarden" {
  metadata {
    name      = "vaultwarden"
    namespace = local.files
  }

  spec {
    selector = { app = "vaultwarden" }

    port {
      port        = 80
      target_port = 80
    }
  }
}

module "vaultwarden_ingress" {
  source = "../modules/ingress"

  name       = "vaultwarden"
  host       = "vault.${var.domain}"
  public     = true
  auth       = false
  rate_limit = { average = 10, burst = 20 }

  service = {
    name      = kubernetes_service.vaultwarden.metadata[0].name
    namespace = local.files
    port      = 80
  }
}

resource "kubernetes_cron_job_v1" "vaultwarden_copy" {
  metadata {
    name      = "vaultwarden-copy"
    namespace = local.files
  }

  spec {
    schedule = "15 */6 * * *"

    job_template {
      metadata {}

      spec {
        template {
          metadata {}

          spec {
            restart_policy = "OnFailure"

            container {
              name  = "copy"
              image = "alpine:3.22"
              command = ["/bin/sh", "-euc", <<-EOT
                mkdir -p /data/backups
                cd /data/backups
                cp /data/db.sqlite3 vault-$(date +%Y%m%d%H%M).sqlite3
                # the last 28 stay
                ls -1 vault-*.sqlite3 | tail -n +29 | xargs -r rm
              EOT
              ]

              volume_mount {
                name       = "data"
                mount_path = "/data"
              }
            }

            volume {
              name = "data"
              persistent_volume_claim {
                claim_name = kubernetes_persistent_volume_claim.vaultwarden.metadata[0].name
              }
            }
          }
        }
      }
    }
  }
}

# ---- the house: Home Assistant and its broker ----

resource "kubernetes_persistent_volume_claim" "hass" {
  metadata {
    name      = "home-assistant"
    namespace = local.home
  }

  spec {
    access_modes       = ["ReadWriteOnce"]
    storage_class_name = "local-ssd"

    resources {
      requests = { storage = "20Gi" }
    }
  }
}

# Run by hand before an update: kubectl exec ... -- sh /scripts/backup.sh
resource "kubernetes_config_map" "hass_scripts" {
  metadata {
    name      = "home-assistant-scripts"
    namespace = local.home
  }

  data = {
    "backup.sh" = <<-EOT
      #!/bin/sh
      set -eu
      sqlite3 /config/home-assistant_v2.db ".backup '/config/snapshot.db'"
      tar -C /config -czf /backups/house/config-$(date +%F).tar.gz --exclude 'home-assistant_v2.db*' .
    EOT

    "restore.sh" = <<-EOT
      #!/bin/sh
      set -eu
      tar -C /config -xzf "$1"
      mv /config/snapshot.db /config/home-assistant_v2.db
    EOT
  }
}

resource "kubernetes_config_map" "zigbee" {
  metadata {
    name      = "zigbee"
    namespace = local.home
  }

  data = {
    network_key = file("${path.module}/secrets/zigbee-network.key")
    channel     = "25"
  }
}

resource "kubernetes_deployment" "hass" {
  metadata {
    name      = "home-assistant"
    namespace = local.home
  }

  spec {
    replicas = 1

    selector {
      match_labels = { app = "home-assistant" }
    }

    strategy {
      type = "Recreate"
    }

    template {
      metadata {
        labels = { app = "home-assistant" }
      }

      spec {
        # finds speakers and lamps by broadcast
        host_network = true
        dns_policy   = "ClusterFirstWithHostNet"

        container {
          name  = "home-assistant"
          image = "ghcr.io/home-assistant/home-assistant:stable"

          security_context {
            privileged = true
          }

          port {
            container_port = 8123
          }

          env_from {
            config_map_ref {
              name = kubernetes_config_map.zigbee.metadata[0].name
            }
          }

          readiness_probe {
            tcp_socket {
              port = 8123
            }
          }

          volume_mount {
            name       = "config"
            mount_path = "/config"
          }

          volume_mount {
            name       = "scripts"
            mount_path = "/scripts"
          }

          volume_mount {
            name       = "backups"
            mount_path = "/backups"
          }
        }

        volume {
          name = "config"
          persistent_volume_claim {
            claim_name = kubernetes_persistent_volume_claim.hass.metadata[0].name
          }
        }

        volume {
          name = "scripts"
          config_map {
            name = kubernetes_config_map.hass_scripts.metadata[0].name
          }
        }

        volume {
          name = "backups"
          nfs {
            server = var.nas_address
            path   = "/volume1/backups"
          }
        }
      }
    }
  }

  lifecycle {
    # every plan showed a change here
    ignore_changes = [spec[0].template[0].spec[0].container[0].image]
  }
}

resource "kubernetes_service" "hass" {
  metadata {
    name      = "home-assistant"
    namespace = local.home
  }

  spec {
    selector = { app = "home-assistant" }

    port {
      port        = 80
      target_port = 8123
    }
  }
}

module "hass_ingress" {
  source = "../modules/ingress"

  name       = "home-assistant"
  host       = "house.${var.domain}"
  public     = true
  rate_limit = { average = 50, burst = 100 }

  service = {
    name      = kubernetes_service.hass.metadata[0].name
    namespace = local.home
    port      = 80
  }
}

module "mosquitto" {
  source = "../modules/service"

  name      = "mosquitto"
  namespace = local.home
  image     = "eclipse-mosquitto:2.0.20"
  port      = 1883
  command   = ["mosquitto", "-c", "/config/mosquitto.conf"]
  strategy  = "Recreate"

  files = {
    "mosquitto.conf" = <<-EOT
      listener 1883
      allow_anonymous true
      persistence true
      persistence_location /mosquitto/data/
    EOT
  }

  volumes = {
    # the SD card died of this
    data = { mount_path = "/mosquitto/data", medium = "Memory" }
  }
}

# ---- documents: Paperless ----

resource "kubernetes_secret" "paperless" {
  metadata {
    name      = "paperless"
    namespace = local.files
  }

  data = {
    PAPERLESS_DBPASS = module.postgres_paperless.password
  }
}

module "paperless" {
  source = "../modules/service"

  name            = "paperless"
  namespace       = local.files
  image           = "ghcr.io/paperless-ngx/paperless-ngx:2.13.5"
  port            = 8000
  health_path     = "/accounts/login/"
  startup_seconds = 240

  env = {
    PAPERLESS_URL    = "https://paper.${var.internal_domain}"
    PAPERLESS_DBHOST = module.postgres_paperless.host
    PAPERLESS_DBUSER = module.postgres_paperless.user
    PAPERLESS_DBNAME = module.postgres_paperless.database
    PAPERLESS_REDIS  = "redis://${module.redis_photos.host}:6379/1"
  }

  secret_env = {
    PAPERLESS_DBPASS = { secret = kubernetes_secret.paperless.metadata[0].name, key = "PAPERLESS_DBPASS" }
  }

  volumes = {
    data  = { mount_path = "/usr/src/paperless/data", size = "10Gi" }
    media = { mount_path = "/usr/src/paperless/media", nfs_path = "/volume1/documents" }
  }
}

module "paperless_ingress" {
  source = "../modules/ingress"

  name    = "paperless"
  service = module.paperless.service
  host    = "paper.${var.internal_domain}"
}
