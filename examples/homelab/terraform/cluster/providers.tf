provider "kubernetes" {
  config_path    = "~/.kube/config"
  config_context = "lab"
}

provider "helm" {
  kubernetes {
    config_path    = "~/.kube/config"
    config_context = "lab"
  }
}
