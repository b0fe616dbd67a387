# The NAS carries the claims (k8s), the media and the backups. RAID 6, two power supplies.

resource "helm_release" "nfs" {
  name       = "nfs-subdir-external-provisioner"
  namespace  = "kube-system"
  repository = "https://kubernetes-sigs.github.io/nfs-subdir-external-provisioner"
  chart      = "nfs-subdir-external-provisioner"
  version    = "4.0.18"

  set {
    name  = "nfs.server"
    value = var.nas_address
  }

  set {
    name  = "nfs.path"
    value = "/volume1/k8s"
  }

  set {
    name  = "storageClass.name"
    value = "nfs-client"
  }

  set {
    name  = "storageClass.defaultClass"
    value = "true"
  }

  set {
    name  = "storageClass.archiveOnDelete"
    value = "false"
  }
}

# SSD of the node itself, for databases that cannot wait for the network.
resource "kubernetes_storage_class_v1" "local_ssd" {
  metadata {
    name = "local-ssd"
  }

  storage_provisioner = "rancher.io/local-path"
  reclaim_policy      = "Retain"
  volume_binding_mode = "WaitForFirstConsumer"
}
