variable "name" {
  type = string
}

variable "namespace" {
  type = string
}

variable "image" {
  type = string
}

variable "tag" {
  type = string
}

variable "port" {
  type = number
}

variable "replicas" {
  type    = number
  default = 1
}

variable "tier" {
  type    = string
  default = "standard"
}

variable "health" {
  type    = string
  default = null
}

variable "cpu" {
  type    = string
  default = "50m"
}

variable "memory" {
  type    = string
  default = "128Mi"
}

variable "env" {
  type    = map(string)
  default = {}
}

variable "labels" {
  type    = map(string)
  default = {}
}

variable "volumes" {
  type    = map(object({ path = string, size = optional(string) }))
  default = {}
}
