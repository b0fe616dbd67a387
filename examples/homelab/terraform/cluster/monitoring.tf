resource "kubernetes_namespace_v1" "monitoring" {
  metadata {
    name = "monitoring"
  }
}

resource "helm_release" "prometheus" {
  name       = "kube-prometheus-stack"
  namespace  = kubernetes_namespace_v1.monitoring.metadata[0].name
  repository = "https://prometheus-community.github.io/helm-charts"
  chart      = "kube-prometheus-stack"
  version    = "66.3.1"

  values = [templatefile("${path.module}/values/prometheus.yaml.tftpl", {
    storage_class    = kubernetes_storage_class_v1.local_ssd.metadata[0].name
    grafana_password = var.grafana_password
    host             = "grafana.${var.domain}"
    # k3s has these inside one process
    disabled = ["kubeScheduler", "kubeControllerManager", "kubeEtcd", "kubeProxy"]
  })]
}

resource "kubernetes_manifest" "alerts" {
  manifest = {
    apiVersion = "monitoring.coreos.com/v1"
    kind       = "PrometheusRule"
    metadata = {
      name      = "lab"
      namespace = kubernetes_namespace_v1.monitoring.metadata[0].name
      labels    = { release = helm_release.prometheus.name }
    }
    spec = {
      groups = [{
        name = "lab"
        rules = [
          {
            alert       = "NodeDown"
            expr        = "up{job=\"node-exporter\"} == 0"
            for         = "5m"
            annotations = { summary = "{{ $labels.instance }} is gone" }
          },
          {
            alert       = "CertificateEnding"
            expr        = "certmanager_certificate_expiration_timestamp_seconds - time() < 7 * 86400"
            for         = "1h"
            annotations = { summary = "{{ $labels.name }} ends within a week" }
          },
        ]
      }]
    }
  }
}
