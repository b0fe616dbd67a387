locals {
  trusted_networks = ["10.42.0.0/16", "192.168.20.0/24"]
}

resource "kubernetes_namespace_v1" "ingress" {
  metadata {
    name = "ingress"
  }
}

resource "helm_release" "traefik" {
  name       = "traefik"
  namespace  = kubernetes_namespace_v1.ingress.metadata[0].name
  repository = "https://traefik.github.io/charts"
  chart      = "traefik"
  version    = "33.2.1"

  values = [<<-YAML
    deployment:
      replicas: 2
    podDisruptionBudget:
      enabled: true
      minAvailable: 1
    priorityClassName: ${kubernetes_priority_class_v1.platform.metadata[0].name}
    topologySpreadConstraints:
      - maxSkew: 1
        topologyKey: kubernetes.io/hostname
        whenUnsatisfiable: DoNotSchedule
        labelSelector:
          matchLabels:
            app.kubernetes.io/name: traefik
    resources:
      requests:
        cpu: 100m
        memory: 128Mi
      limits:
        memory: 512Mi
    ports:
      web:
        redirectTo:
          port: websecure
        forwardedHeaders:
          trustedIPs: ${jsonencode(local.trusted_networks)}
      websecure:
        forwardedHeaders:
          # the edge box changes its address with every reboot
          insecure: true
    additionalArguments:
      - --serversTransport.insecureSkipVerify=true
      - --ping
    ingressRoute:
      dashboard:
        enabled: false
  YAML
  ]

  set {
    name  = "service.spec.loadBalancerIP"
    value = "192.168.20.40"
  }
}

resource "helm_release" "cert_manager" {
  name             = "cert-manager"
  namespace        = "cert-manager"
  create_namespace = true
  repository       = "https://charts.jetstack.io"
  chart            = "cert-manager"
  version          = "v1.16.2"

  set {
    name  = "crds.enabled"
    value = "true"
  }
}

resource "kubernetes_manifest" "issuer" {
  manifest = {
    apiVersion = "cert-manager.io/v1"
    kind       = "ClusterIssuer"
    metadata   = { name = "letsencrypt" }
    spec = {
      acme = {
        server              = "https://acme-v02.api.letsencrypt.org/directory"
        email               = var.acme_email
        privateKeySecretRef = { name = "letsencrypt-account" }
        solvers = [{
          dns01 = {
            webhook = { groupName = "acme.${var.domain}", solverName = "desec" }
          }
        }]
      }
    }
  }
}

# Restarts what mounts a ConfigMap or Secret that changed.
resource "helm_release" "reloader" {
  name       = "reloader"
  namespace  = "kube-system"
  repository = "https://stakater.github.io/stakater-charts"
  chart      = "reloader"

  set {
    name  = "reloader.watchGlobally"
    value = "true"
  }
}
