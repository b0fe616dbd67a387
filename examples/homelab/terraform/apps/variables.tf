variable "domain" {
  type    = string
  default = "lab.example.org"
}

variable "internal_domain" {
  type    = string
  default = "home.arpa"
}

variable "nas_address" {
  type    = string
  default = "192.168.20.5"
}

variable "timezone" {
  type    = string
  default = "Europe/Lisbon"
}

variable "postgres_version" {
  description = "Of the shared server and of whatever dumps it."
  type        = string
}

variable "model_api_key" {
  description = "For the housekeeper; the account has a monthly cap."
  type        = string
}

variable "smtp_password" {
  type      = string
  sensitive = true
}

variable "restic_password" {
  type      = string
  sensitive = true
}

variable "vpn_peers" {
  type = map(string)
}
