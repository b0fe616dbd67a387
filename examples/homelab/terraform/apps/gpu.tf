locals {
  models = kubernetes_namespace_v1.this["models"].metadata[0].name

  gpu_toleration = { key = "nvidia.com/gpu" }
}

# Only forge has the memory for the bigger models.
module "ollama" {
  source = "../modules/service"

  name          = "ollama"
  namespace     = local.models
  image         = "ollama/ollama:0.5.4"
  port          = 11434
  health_path   = "/"
  strategy      = "Recreate"
  gpus          = 1
  node_selector = { "kubernetes.io/hostname" = "forge" }
  tolerations   = [local.gpu_toleration]

  volumes = {
    models = { mount_path = "/root/.ollama", size = "200Gi" }
  }

  resources = {
    requests = { cpu = "1", memory = "8Gi" }
    limits   = { memory = "24Gi" }
  }
}

module "ollama_ingress" {
  source = "../modules/ingress"

  name    = "ollama"
  service = module.ollama.service
  host    = "models.${var.internal_domain}"
  auth    = false
}

# Either card will do for video.
module "jellyfin" {
  source = "../modules/service"

  name            = "jellyfin"
  namespace       = local.media
  image           = "jellyfin/jellyfin:10.10.3"
  port            = 8096
  health_path     = "/health"
  startup_seconds = 180
  strategy        = "Recreate"
  gpus            = 1
  node_selector   = { "lab.example.org/gpu" = "nvidia" }
  tolerations     = [local.gpu_toleration]

  volumes = {
    config    = { mount_path = "/config", size = "20Gi", storage_class = "local-ssd" }
    transcode = { mount_path = "/transcode", medium = "Memory" }
    media     = { mount_path = "/media", nfs_path = "/volume1/media", read_only = true }
  }

  resources = {
    requests = { cpu = "500m", memory = "1Gi" }
    limits   = { memory = "8Gi" }
  }
}

module "jellyfin_ingress" {
  source = "../modules/ingress"

  name       = "jellyfin"
  service    = module.jellyfin.service
  host       = "watch.${var.domain}"
  public     = true
  auth       = false
  rate_limit = { average = 100, burst = 200 }
}

# Faces and search for the photos.
module "photos_models" {
  source = "../modules/service"

  name        = "photos-models"
  namespace   = local.media
  image       = "ghcr.io/immich-app/immich-machine-learning:v1.124.2-cuda"
  port        = 3003
  health_path = "/ping"
  gpus        = 1

  volumes = {
    cache = { mount_path = "/cache", size = "10Gi" }
  }

  resources = {
    requests = { cpu = "500m", memory = "2Gi" }
    limits   = { memory = "6Gi" }
  }
}
