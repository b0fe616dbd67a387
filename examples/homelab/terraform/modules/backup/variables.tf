variable "name" {
  type = string
}

variable "namespace" {
  type    = string
  default = "databases"
}

variable "host" {
  type = string
}

variable "user" {
  type = string
}

variable "database" {
  type = string
}

variable "secret" {
  type = string
}

variable "image" {
  description = "An image with pg_dump of the server's major."
  type        = string
}

variable "schedule" {
  type    = string
  default = "30 2 * * *"
}

variable "keep" {
  description = "How many dumps stay; null keeps them all."
  type        = number
  default     = null
}

variable "nas" {
  type    = string
  default = "192.168.20.5"
}

variable "path" {
  type    = string
  default = "/volume1/backups"
}
