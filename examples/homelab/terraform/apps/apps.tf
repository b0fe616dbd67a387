# What needs nothing but an image, a volume and a name.

locals {
  web = kubernetes_namespace_v1.this["web"].metadata[0].name

  apps = {
    mealie = {
      image       = "ghcr.io/mealie-recipes/mealie:v2.4.1"
      port        = 9000
      health_path = "/api/app/about"
      # SQLite
      data     = "/app/data"
      size     = "5Gi"
      strategy = "Recreate"
      env      = { ALLOW_SIGNUP = "false", TOKEN_TIME = "48", BASE_URL = "https://recipes.${var.domain}" }
      host     = "recipes.${var.domain}"
      public   = true
      limit    = { average = 30, burst = 60 }
    }
    linkding = {
      image       = "sissbruecker/linkding:1.36.0"
      port        = 9090
      health_path = "/health"
      # SQLite
      data   = "/etc/linkding/data"
      size   = "1Gi"
      env    = { LD_DISABLE_BACKGROUND_TASKS = "False", LD_ENABLE_AUTH_PROXY = "True" }
      host   = "links.${var.domain}"
      public = true
    }
    vikunja = {
      # to-do lists
      image  = "vikunja/vikunja:0.24.6"
      port   = 3456
      data   = "/app/vikunja/files"
      size   = "2Gi"
      env    = { VIKUNJA_SERVICE_TIMEZONE = var.timezone, VIKUNJA_DATABASE_PATH = "/app/vikunja/files/tasks.db" }
      host   = "todo.${var.domain}"
      public = true
      auth   = false
    }
    pdf = {
      image = "stirlingtools/stirling-pdf"
      port  = 8080
      env   = { SECURITY_ENABLELOGIN = "false" }
      host  = "pdf.${var.internal_domain}"
    }
    draw = {
      image       = "excalidraw/excalidraw:latest"
      port        = 80
      health_path = "/"
      replicas    = 2
      host        = "draw.${var.internal_domain}"
    }
  }
}

module "app" {
  source   = "../modules/service"
  for_each = local.apps

  name        = each.key
  namespace   = local.web
  image       = each.value.image
  port        = each.value.port
  replicas    = try(each.value.replicas, 1)
  health_path = try(each.value.health_path, null)
  strategy    = try(each.value.strategy, "RollingUpdate")
  env         = merge({ TZ = var.timezone }, try(each.value.env, {}))

  volumes = can(each.value.data) ? {
    data = { mount_path = each.value.data, size = each.value.size }
  } : {}

  resources = {
    requests = { cpu = "20m", memory = "128Mi" }
    limits   = { memory = "512Mi" }
  }
}

module "app_ingress" {
  source   = "../modules/ingress"
  for_each = local.apps

  name       = each.key
  service    = module.app[each.key].service
  host       = each.value.host
  public     = try(each.value.public, false)
  auth       = try(each.value.auth, true)
  rate_limit = try(each.value.limit, null)
}

# ---- git ----

resource "kubernetes_secret_v1" "gitea_database" {
  metadata {
    name      = "gitea-database"
    namespace = local.web
  }

  data = { password = module.postgres.password }
}

module "gitea" {
  source = "../modules/service"

  name            = "gitea"
  namespace       = local.web
  image           = "gitea/gitea:1.22.6-rootless"
  port            = 3000
  replicas        = 2
  health_path     = "/api/healthz"
  startup_seconds = 120

  env = {
    GITEA__database__DB_TYPE        = "postgres"
    GITEA__database__HOST           = "${kubernetes_service_v1.pgbouncer.metadata[0].name}.${local.databases}.svc:5432"
    GITEA__database__NAME           = local.pooled.gitea.database
    GITEA__database__USER           = module.postgres.user
    GITEA__database__SSL_MODE       = "disable"
    GITEA__database__MAX_OPEN_CONNS = tostring(local.pooled.gitea.connections)
    GITEA__security__INSTALL_LOCK   = "true"
  }

  secret_env = {
    GITEA__database__PASSWD = { secret = kubernetes_secret_v1.gitea_database.metadata[0].name, key = "password" }
  }

  volumes = {
    data = { mount_path = "/var/lib/gitea", size = "30Gi" }
  }

  resources = {
    requests = { cpu = "100m", memory = "256Mi" }
    limits   = { cpu = "150m", memory = "1Gi" }
  }
}

module "gitea_ingress" {
  source = "../modules/ingress"

  name       = "gitea"
  service    = module.gitea.service
  host       = "git.${var.domain}"
  public     = true
  auth       = false
  rate_limit = { average = 50, burst = 100 }
}

# ---- photos ----

locals {
  media = kubernetes_namespace_v1.this["media"].metadata[0].name
}

resource "kubernetes_secret_v1" "photos_database" {
  metadata {
    name      = "photos-database"
    namespace = local.media
  }

  data = { password = module.postgres_photos.password }
}

module "photos" {
  source = "../modules/service"

  name        = "photos"
  namespace   = local.media
  image       = "ghcr.io/immich-app/immich-server:v1.124.2"
  port        = 2283
  health_path = "/api/server/ping"
  strategy    = "Recreate"

  env = {
    DB_HOSTNAME                 = module.postgres_photos.host
    DB_USERNAME                 = module.postgres_photos.user
    DB_DATABASE_NAME            = module.postgres_photos.database
    REDIS_HOSTNAME              = module.redis_photos.host
    IMMICH_MACHINE_LEARNING_URL = "http://${module.photos_models.service.name}.${local.media}.svc"
  }

  secret_env = {
    DB_PASSWORD = { secret = kubernetes_secret_v1.photos_database.metadata[0].name, key = "password" }
  }

  volumes = {
    library = { mount_path = "/usr/src/app/upload", nfs_path = "/volume1/photos" }
  }

  resources = {
    requests = { cpu = "500m", memory = "1Gi" }
    limits   = { memory = "4Gi" }
  }
}

module "photos_ingress" {
  source = "../modules/ingress"

  name    = "photos"
  service = module.photos.service
  host    = "photos.${var.domain}"
  public  = true
  auth    = false
}

resource "kubernetes_cron_job_v1" "photos_dump" {
  metadata {
    name      = "photos-dump"
    namespace = local.media
  }

  spec {
    schedule           = "20 1 * * *"
    concurrency_policy = "Forbid"

    job_template {
      metadata {}

      spec {
        template {
          metadata {}

          spec {
            restart_policy = "OnFailure"

            container {
              name  = "dump"
              image = "registry.example.org/lab/postgres-vectors:16.4-0.3.0"
              command = ["/bin/bash", "-c", <<-SH
                set -euo pipefail
                # TODO: rotation is still missing, the dumps pile up
                cd /backups/photos
                find . -name 'photos-*.sql.gz' -mtime +14 -delete
                pg_dump --clean --if-exists -h ${module.postgres_photos.host} -U ${module.postgres_photos.user} \
                  ${module.postgres_photos.database} | gzip > photos-$(date +%F).sql.gz
              SH
              ]

              env {
                name = "PGPASSWORD"
                value_from {
                  secret_key_ref {
                    name = kubernetes_secret_v1.photos_database.metadata[0].name
                    key  = "password"
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
