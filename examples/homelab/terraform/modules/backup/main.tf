locals {
  script = templatefile("${path.module}/dump.sh.tftpl", {
    name     = var.name
    host     = var.host
    user     = var.user
    database = var.database
    keep     = var.keep
  })
}

resource "kubernetes_cron_job_v1" "this" {
  metadata {
    name      = "${var.name}-backup"
    namespace = var.namespace
  }

  spec {
    schedule                      = var.schedule
    concurrency_policy            = "Forbid"
    successful_jobs_history_limit = 1
    failed_jobs_history_limit     = 5

    job_template {
      metadata {
        name = "${var.name}-backup"
      }

      spec {
        backoff_limit = 2

        template {
          metadata {
            labels = { "app.kubernetes.io/name" = "${var.name}-backup" }
          }

          spec {
            restart_policy = "Never"

            container {
              name    = "dump"
              image   = var.image
              command = ["/bin/bash", "-c", local.script]

              env {
                name = "PGPASSWORD"
                value_from {
                  secret_key_ref {
                    name = var.secret
                    key  = "password"
                  }
                }
              }

              resources {
                requests = { cpu = "50m", memory = "128Mi" }
                limits   = { memory = "512Mi" }
              }

              volume_mount {
                name       = "backups"
                mount_path = "/backups"
              }
            }

            volume {
              name = "backups"
              nfs {
                server = var.nas
                path   = var.path
              }
            }
          }
        }
      }
    }
  }
}
