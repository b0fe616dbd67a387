terraform {
  required_version = ">= 1.9"

  required_providers {
    kubernetes = {
      source  = "hashicorp/kubernetes"
      version = "~> 2.35"
    }
    helm = {
      source  = "hashicorp/helm"
      version = "~> 2.17"
    }
  }

  backend "s3" {
    bucket       = "lab-terraform"
    key          = "cluster.tfstate"
    region       = "eu-central-1"
    use_lockfile = true
    encrypt      = true
  }
}
