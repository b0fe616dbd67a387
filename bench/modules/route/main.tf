locals {
  chain = concat(var.public ? [] : ["lan-only"], var.limit == null ? [] : ["limit-${var.limit}"], var.more)
}

resource "kubernetes_manifest" "route" {
  manifest = {
    apiVersion = "traefik.io/v1alpha1"
    kind       = "IngressRoute"
    metadata   = { name = var.name, namespace = var.namespace }
    spec = {
      entryPoints = ["websecure"]
      routes = [{
        kind        = "Rule"
        match       = "Host(`${var.host}`)"
        middlewares = [for name in local.chain : { name = name, namespace = "ingress" }]
        services    = [{ name = var.service, port = 80 }]
      }]
    }
  }
}
