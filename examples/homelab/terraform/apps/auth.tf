# Sign-in for everything behind forward-auth.

locals {
  auth = kubernetes_namespace_v1.this["auth"].metadata[0].name
}

resource "random_password" "authelia" {
  for_each = toset(["jwt", "session", "storage"])

  length = 64
}

resource "kubernetes_secret_v1" "authelia" {
  metadata {
    name      = "authelia"
    namespace = local.auth
  }

  data = merge(
    { for name, secret in random_password.authelia : "${name}_secret" => secret.result },
    {
      postgres_password = module.postgres.password
      smtp_password     = var.smtp_password
      "users.yml"       = file("${path.module}/secrets/users.yml")
    },
  )
}

resource "kubernetes_config_map_v1" "authelia" {
  metadata {
    name      = "authelia"
    namespace = local.auth
  }

  data = {
    "configuration.yml" = <<-YAML
      theme: auto
      server:
        address: tcp://:9091
      password_policy:
        zxcvbn:
          enabled: true
          min_score: 3
      session:
        cookies:
          - domain: ${var.domain}
            authelia_url: https://auth.${var.domain}
      authentication_backend:
        password_reset:
          disable: true
        file:
          path: /secrets/users.yml
      access_control:
        default_policy: one_factor
        rules:
          - domain: ["code.${var.domain}", "house.${var.domain}"]
            policy: two_factor
      storage:
        postgres:
          address: tcp://${kubernetes_service_v1.pgbouncer.metadata[0].name}.${local.databases}.svc:5432
          database: ${local.pooled.authelia.database}
          username: ${module.postgres.user}
      notifier:
        smtp:
          address: submission://mail.example.org:587
          username: lab@example.org
    YAML
  }
}

resource "kubernetes_deployment_v1" "authelia" {
  metadata {
    name      = "authelia"
    namespace = local.auth
  }

  spec {
    replicas = 1

    selector {
      match_labels = { app = "authelia" }
    }

    template {
      metadata {
        labels = { app = "authelia" }
      }

      spec {
        container {
          name  = "authelia"
          image = "authelia/authelia:4.38.17"

          port {
            name           = "http"
            container_port = 9091
          }

          dynamic "env" {
            for_each = {
              AUTHELIA_IDENTITY_VALIDATION_RESET_PASSWORD_JWT_SECRET_FILE = "jwt_secret"
              AUTHELIA_SESSION_SECRET_FILE                                = "session_secret"
              AUTHELIA_STORAGE_ENCRYPTION_KEY_FILE                        = "storage_secret"
              AUTHELIA_STORAGE_POSTGRES_PASSWORD_FILE                     = "postgres_password"
              AUTHELIA_NOTIFIER_SMTP_PASSWORD_FILE                        = "smtp_password"
            }
            content {
              name  = env.key
              value = "/secrets/${env.value}"
            }
          }

          readiness_probe {
            http_get {
              path = "/api/health"
              port = "http"
            }
          }

          liveness_probe {
            http_get {
              path = "/api/health"
              port = "http"
            }
            failure_threshold = 5
          }

          resources {
            requests = { cpu = "50m", memory = "128Mi" }
            limits   = { memory = "256Mi" }
          }

          volume_mount {
            name       = "config"
            mount_path = "/config"
          }

          volume_mount {
            name       = "secrets"
            mount_path = "/secrets"
            read_only  = true
          }
        }

        volume {
          name = "config"
          config_map {
            name = kubernetes_config_map_v1.authelia.metadata[0].name
          }
        }

        volume {
          name = "secrets"
          secret {
            secret_name = kubernetes_secret_v1.authelia.metadata[0].name
          }
        }
      }
    }
  }
}

# Nobody gets in without it, so it must not be drained away.
resource "kubernetes_pod_disruption_budget_v1" "authelia" {
  metadata {
    name      = "authelia"
    namespace = local.auth
  }

  spec {
    min_available = "1"

    selector {
      match_labels = { app = "authelia" }
    }
  }
}

resource "kubernetes_service_v1" "authelia" {
  metadata {
    name      = "authelia"
    namespace = local.auth
  }

  spec {
    selector = { app = "authelia" }

    port {
      port        = 9091
      target_port = "http"
    }
  }
}

module "authelia_ingress" {
  source = "../modules/ingress"

  name       = "authelia"
  host       = "auth.${var.domain}"
  public     = true
  auth       = false
  rate_limit = { average = 20, burst = 40 }

  service = {
    name      = kubernetes_service_v1.authelia.metadata[0].name
    namespace = local.auth
    port      = 9091
  }
}
