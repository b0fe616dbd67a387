# The way in from outside, for the family.

resource "kubernetes_namespace_v1" "vpn" {
  metadata {
    name = "vpn"
  }
}

resource "kubernetes_secret_v1" "vpn" {
  metadata {
    name      = "wg-easy"
    namespace = kubernetes_namespace_v1.vpn.metadata[0].name
  }

  data = {
    # bcrypt
    PASSWORD_HASH = "$2a$12$FAKEFAKEFAKEFAKEFAKEFOKlZ0n3pT7QmVx1sYcR8dGhJbNwEuSi2a"
  }
}

resource "kubernetes_deployment_v1" "vpn" {
  metadata {
    name      = "wg-easy"
    namespace = kubernetes_namespace_v1.vpn.metadata[0].name
    annotations = {
      "lab.example.org/peers" = join(", ", [for name, address in var.vpn_peers : "${name}=${address}"])
    }
  }

  spec {
    replicas = 1

    selector {
      match_labels = { app = "wg-easy" }
    }

    strategy {
      type = "Recreate"
    }

    template {
      metadata {
        labels = { app = "wg-easy" }
      }

      spec {
        host_network = true

        container {
          name  = "wg-easy"
          image = "ghcr.io/wg-easy/wg-easy:14"

          env {
            name  = "WG_HOST"
            value = "vpn.${var.domain}"
          }

          env {
            name  = "WG_DEFAULT_ADDRESS"
            value = "10.13.0.x"
          }

          env {
            name  = "WG_ALLOWED_IPS"
            value = "0.0.0.0/0, ::/0"
          }

          # The guest tablet should see the printer only. Firewall goes here one day.
          env {
            name  = "WG_POST_UP"
            value = "iptables -t nat -A POSTROUTING -s 10.13.0.0/24 -o eth0 -j MASQUERADE; iptables -A FORWARD -i wg0 -j ACCEPT; iptables -A FORWARD -o wg0 -j ACCEPT"
          }

          env {
            name  = "WG_POST_DOWN"
            value = "true"
          }

          env_from {
            secret_ref {
              name = kubernetes_secret_v1.vpn.metadata[0].name
            }
          }

          port {
            name           = "wireguard"
            container_port = 51820
            protocol       = "UDP"
          }

          port {
            name           = "admin"
            container_port = 51821
          }

          security_context {
            capabilities {
              add = ["NET_ADMIN", "SYS_MODULE"]
            }
          }

          liveness_probe {
            tcp_socket {
              port = "admin"
            }
          }

          readiness_probe {
            tcp_socket {
              port = "admin"
            }
          }

          resources {
            requests = { cpu = "20m", memory = "64Mi" }
            limits   = { memory = "256Mi" }
          }

          volume_mount {
            name       = "state"
            mount_path = "/etc/wireguard"
          }
        }

        volume {
          name = "state"
          persistent_volume_claim {
            claim_name = kubernetes_persistent_volume_claim_v1.vpn.metadata[0].name
          }
        }
      }
    }
  }
}

resource "kubernetes_persistent_volume_claim_v1" "vpn" {
  metadata {
    name      = "wg-easy"
    namespace = kubernetes_namespace_v1.vpn.metadata[0].name
  }

  spec {
    access_modes       = ["ReadWriteOnce"]
    storage_class_name = "local-ssd"

    resources {
      requests = { storage = "100Mi" }
    }
  }
}
