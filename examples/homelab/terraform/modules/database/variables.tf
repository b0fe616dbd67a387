variable "name" {
  type = string
}

variable "namespace" {
  type    = string
  default = "databases"
}

variable "engine" {
  type = string

  validation {
    condition     = contains(["postgres", "mysql", "redis"], var.engine)
    error_message = "One of postgres, mysql, redis."
  }
}

variable "image" {
  type = string
}

variable "database" {
  type    = string
  default = "app"
}

variable "user" {
  type    = string
  default = "app"
}

variable "size" {
  type    = string
  default = "10Gi"
}

variable "storage_class" {
  type    = string
  default = "nfs-client"
}

variable "settings" {
  description = "Server settings, given on the command line."
  type        = map(string)
  default     = {}
}

variable "memory" {
  type    = string
  default = null
}
