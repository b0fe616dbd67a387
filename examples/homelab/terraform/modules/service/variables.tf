variable "name" {
  type = string
}

variable "namespace" {
  type = string
}

variable "image" {
  type = string
}

variable "replicas" {
  type    = number
  default = 1
}

variable "port" {
  type    = number
  default = 8080
}

variable "command" {
  type    = list(string)
  default = null
}

variable "args" {
  type    = list(string)
  default = null
}

variable "env" {
  type    = map(string)
  default = {}
}

variable "secret_env" {
  description = "Environment from Secrets: NAME => { secret, key }."
  type = map(object({
    secret = string
    key    = string
  }))
  default = {}
}

variable "files" {
  description = "Files under /config, by name."
  type        = map(string)
  default     = {}
}

variable "volumes" {
  description = "A claim (size), an NFS path, or scratch space (medium)."
  type = map(object({
    mount_path    = string
    size          = optional(string)
    storage_class = optional(string, "nfs-client")
    nfs_path      = optional(string)
    medium        = optional(string)
    read_only     = optional(bool, false)
  }))
  default = {}
}

variable "nas" {
  type    = string
  default = "192.168.20.5"
}

variable "strategy" {
  type    = string
  default = "RollingUpdate"
}

variable "health_path" {
  type    = string
  default = null
}

variable "startup_seconds" {
  description = "How long the first answer may take; null for no startup probe."
  type        = number
  default     = null
}

variable "resources" {
  type = object({
    requests = optional(map(string), {})
    limits   = optional(map(string), {})
  })
  default = {}
}

variable "gpus" {
  type    = number
  default = 0
}

variable "node_selector" {
  type    = map(string)
  default = {}
}

variable "tolerations" {
  type = list(object({
    key      = string
    operator = optional(string, "Exists")
    value    = optional(string)
    effect   = optional(string, "NoSchedule")
  }))
  default = []
}

variable "service_account" {
  type    = string
  default = null
}

variable "priority_class" {
  type    = string
  default = null
}
