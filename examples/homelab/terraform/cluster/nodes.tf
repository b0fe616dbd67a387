# GPU nodes take GPU work only; anything else has to say that it may.

resource "kubernetes_labels" "gpu" {
  for_each = var.gpu_nodes

  api_version = "v1"
  kind        = "Node"

  metadata {
    name = each.key
  }

  labels = {
    "lab.example.org/gpu"       = "nvidia"
    "lab.example.org/gpu-model" = each.value.model
    "lab.example.org/gpu-count" = tostring(each.value.gpus)
  }
}

resource "kubernetes_node_taint" "gpu" {
  for_each = var.gpu_nodes

  metadata {
    name = each.key
  }

  taint {
    key    = "nvidia.com/gpu"
    value  = "present"
    effect = "NoSchedule"
  }
}

resource "helm_release" "nvidia_device_plugin" {
  name       = "nvidia-device-plugin"
  namespace  = "kube-system"
  repository = "https://nvidia.github.io/k8s-device-plugin"
  chart      = "nvidia-device-plugin"
  version    = "0.17.0"

  values = [yamlencode({
    nodeSelector = { "lab.example.org/gpu" = "nvidia" }
    tolerations  = [{ key = "nvidia.com/gpu", operator = "Exists", effect = "NoSchedule" }]
  })]
}

resource "kubernetes_priority_class_v1" "platform" {
  metadata {
    name = "platform"
  }

  description = "Databases, ingress, sign-in: what the rest stands on."
  value       = 100000
}
