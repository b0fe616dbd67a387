variable "domain" {
  type    = string
  default = "lab.example.org"
}

variable "nas_address" {
  type = string
}

variable "gpu_nodes" {
  type = map(object({
    model = string
    gpus  = number
  }))
}

variable "grafana_password" {
  type      = string
  sensitive = true
}

variable "acme_email" {
  type    = string
  default = "hostmaster@example.org"
}
