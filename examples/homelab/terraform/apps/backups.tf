# Dumps of the PostgreSQL servers. Photos and files have their own, next to the application.

module "backup_authelia" {
  source = "../modules/backup"

  name     = "authelia"
  host     = module.postgres.host
  user     = module.postgres.user
  database = local.pooled.authelia.database
  secret   = module.postgres.secret
  image    = "postgres:${var.postgres_version}"
  schedule = "10 2 * * *"
  keep     = 14
}

module "backup_paperless" {
  source = "../modules/backup"

  name     = "paperless"
  host     = module.postgres_paperless.host
  user     = module.postgres_paperless.user
  database = module.postgres_paperless.database
  secret   = module.postgres_paperless.secret
  image    = "postgres:13"
  schedule = "40 2 * * *"
}

# Git goes off-site: dump and repositories in one snapshot, kept by restic.
locals {
  offsite_script = <<-SH
    #!/bin/bash
    set -euo pipefail

    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT

    pg_dump --format=custom --host=${module.postgres.host} --username=${module.postgres.user} \
      --file="$work/gitea.dump" ${local.pooled.gitea.database}

    restic backup --tag gitea --host lab "$work/gitea.dump" /gitea
    restic forget --tag gitea --group-by host --keep-daily 7 --keep-weekly 5 --keep-monthly 12 --prune
    restic check --read-data-subset=2%

    curl --fail --silent --show-error --retry 5 --max-time 20 "$HEARTBEAT_URL" >/dev/null
  SH
}

resource "kubernetes_secret_v1" "restic" {
  metadata {
    name      = "restic"
    namespace = kubernetes_namespace_v1.this["web"].metadata[0].name
  }

  data = {
    RESTIC_REPOSITORY = "rest:https://backup.example.net/lab"
    RESTIC_PASSWORD   = var.restic_password
    PGPASSWORD        = module.postgres.password
    HEARTBEAT_URL     = "https://beat.example.net/ping/gitea-backup"
  }
}

resource "kubernetes_cron_job_v1" "gitea_offsite" {
  metadata {
    name      = "gitea-offsite"
    namespace = kubernetes_namespace_v1.this["web"].metadata[0].name
  }

  spec {
    schedule                      = "0 3 * * *"
    concurrency_policy            = "Forbid"
    starting_deadline_seconds     = 3600
    successful_jobs_history_limit = 3
    failed_jobs_history_limit     = 5

    job_template {
      metadata {}

      spec {
        backoff_limit = 2

        template {
          metadata {}

          spec {
            restart_policy = "Never"

            container {
              name    = "restic"
              image   = "registry.example.org/lab/backup-tools:2.3.0"
              command = ["/bin/bash", "-c", local.offsite_script]

              env_from {
                secret_ref {
                  name = kubernetes_secret_v1.restic.metadata[0].name
                }
              }

              resources {
                requests = { cpu = "100m", memory = "256Mi" }
                limits   = { memory = "1Gi" }
              }

              volume_mount {
                name       = "repositories"
                mount_path = "/gitea"
                read_only  = true
              }
            }

            volume {
              name = "repositories"
              persistent_volume_claim {
                claim_name = module.gitea.claims["data"]
                read_only  = true
              }
            }
          }
        }
      }
    }
  }
}

# ---- the NAS copies itself to the shed ----

resource "tls_private_key" "mirror" {
  algorithm = "RSA"
  rsa_bits  = 2048
}

resource "kubernetes_secret_v1" "mirror_key" {
  metadata {
    name      = "mirror-ssh"
    namespace = kubernetes_namespace_v1.this["media"].metadata[0].name
  }

  data = {
    id_rsa       = tls_private_key.mirror.private_key_pem
    rsync_secret = "changed by hand on both ends"
  }

  lifecycle {
    ignore_changes = [data]
  }
}

resource "kubernetes_cron_job_v1" "mirror" {
  metadata {
    name      = "media-mirror"
    namespace = kubernetes_namespace_v1.this["media"].metadata[0].name
  }

  spec {
    schedule                  = "0 5 * * 0"
    starting_deadline_seconds = 5

    job_template {
      metadata {}

      spec {
        ttl_seconds_after_finished = 10

        template {
          metadata {}

          spec {
            restart_policy = "Never"

            container {
              name    = "rsync"
              image   = "registry.example.org/lab/backup-tools:2.3.0"
              command = ["/bin/bash", "-c", file("${path.module}/files/mirror.sh")]

              env {
                name = "RSYNC_PASSWORD"
                value_from {
                  secret_key_ref {
                    name = kubernetes_secret_v1.mirror_key.metadata[0].name
                    key  = "rsync_secret"
                  }
                }
              }

              volume_mount {
                name       = "media"
                mount_path = "/media"
                read_only  = true
              }

              volume_mount {
                name       = "ssh"
                mount_path = "/ssh"
              }
            }

            volume {
              name = "media"
              nfs {
                server    = var.nas_address
                path      = "/volume1/media"
                read_only = true
              }
            }

            volume {
              name = "ssh"
              secret {
                secret_name  = kubernetes_secret_v1.mirror_key.metadata[0].name
                default_mode = "0400"
              }
            }
          }
        }
      }
    }
  }
}
