variable "name" {
  type = string
}

variable "namespace" {
  type = string
}

variable "host" {
  type = string
}

variable "service" {
  type = string
}

variable "public" {
  type    = bool
  default = false
}

variable "limit" {
  type    = string
  default = null
}

variable "more" {
  type    = list(string)
  default = []
}
