# Middlewares that the ingress module chains.

locals {
  ingress = "ingress"
}

resource "kubernetes_manifest" "forward_auth" {
  manifest = {
    apiVersion = "traefik.io/v1alpha1"
    kind       = "Middleware"
    metadata   = { name = "forward-auth", namespace = local.ingress }
    spec = {
      forwardAuth = {
        address             = "http://${kubernetes_service_v1.authelia.metadata[0].name}.${local.auth}.svc:9091/api/authz/forward-auth"
        authResponseHeaders = ["Remote-User", "Remote-Groups", "Remote-Email"]
      }
    }
  }
}

resource "kubernetes_manifest" "lan_only" {
  manifest = {
    apiVersion = "traefik.io/v1alpha1"
    kind       = "Middleware"
    metadata   = { name = "lan-only", namespace = local.ingress }
    spec = {
      ipAllowList = {
        sourceRange = ["192.168.20.0/24", "10.13.0.0/24"]
      }
    }
  }
}

resource "kubernetes_manifest" "secure_headers" {
  manifest = {
    apiVersion = "traefik.io/v1alpha1"
    kind       = "Middleware"
    metadata   = { name = "secure-headers", namespace = local.ingress }
    spec = {
      headers = {
        stsSeconds         = 31536000
        contentTypeNosniff = true
        frameDeny          = true
      }
    }
  }
}
