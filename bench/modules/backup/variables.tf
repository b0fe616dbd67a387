variable "name" {
  type = string
}

variable "namespace" {
  type = string
}

variable "host" {
  type = string
}

variable "image" {
  type = string
}

variable "schedule" {
  type    = string
  default = "0 3 * * *"
}

variable "keep" {
  type    = number
  default = null
}
