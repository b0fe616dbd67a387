locals {
  # Order matters: first who may come at all, then how often, then who it is.
  shared = concat(
    var.public ? [] : ["lan-only"],
    ["secure-headers"],
    var.middlewares,
    var.auth ? ["forward-auth"] : [],
  )

  limited = var.rate_limit == null ? [] : [{
    name      = "${var.name}-rate-limit"
    namespace = var.service.namespace
  }]

  chain = concat(
    local.limited,
    [for name in local.shared : { name = name, namespace = var.ingress_namespace }],
  )
}

resource "kubernetes_manifest" "rate_limit" {
  count = var.rate_limit == null ? 0 : 1

  manifest = {
    apiVersion = "traefik.io/v1alpha1"
    kind       = "Middleware"
    metadata = {
      name      = "${var.name}-rate-limit"
      namespace = var.service.namespace
    }
    spec = {
      rateLimit = {
        average = var.rate_limit.average
        burst   = var.rate_limit.burst
      }
    }
  }
}

resource "kubernetes_manifest" "route" {
  manifest = {
    apiVersion = "traefik.io/v1alpha1"
    kind       = "IngressRoute"
    metadata = {
      name      = var.name
      namespace = var.service.namespace
    }
    spec = {
      entryPoints = ["websecure"]
      routes = [{
        kind        = "Rule"
        match       = "Host(`${var.host}`)"
        middlewares = local.chain
        services = [{
          name = var.service.name
          port = var.service.port
        }]
      }]
      tls = {
        secretName = "wildcard-tls"
      }
    }
  }
}
