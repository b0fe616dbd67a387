variable "name" {
  type = string
}

variable "service" {
  description = "What a service module puts out."
  type = object({
    name      = string
    namespace = string
    port      = number
  })
}

variable "host" {
  type = string
}

variable "public" {
  description = "Reachable from the internet; otherwise from the house alone."
  type        = bool
  default     = false
}

variable "auth" {
  type    = bool
  default = true
}

variable "rate_limit" {
  description = "Requests a second and burst, per client."
  type = object({
    average = number
    burst   = number
  })
  default = null
}

variable "middlewares" {
  description = "More middlewares of the ingress namespace, by name."
  type        = list(string)
  default     = []
}

variable "ingress_namespace" {
  type    = string
  default = "ingress"
}
