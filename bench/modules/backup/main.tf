resource "kubernetes_cron_job_v1" "this" {
  metadata {
    name      = "${var.name}-backup"
    namespace = var.namespace
  }

  spec {
    schedule = var.schedule

    job_template {
      metadata {}

      spec {
        template {
          metadata {}

          spec {
            restart_policy = "OnFailure"

            container {
              name    = "dump"
              image   = var.image
              command = ["/bin/sh", "-c", templatefile("${path.module}/dump.sh.tftpl", { host = var.host, keep = var.keep })]

              volume_mount {
                name       = "backups"
                mount_path = "/backups"
              }
            }

            volume {
              name = "backups"
              nfs {
                server = "192.168.20.5"
                path   = "/volume1/backups"
              }
            }
          }
        }
      }
    }
  }
}
