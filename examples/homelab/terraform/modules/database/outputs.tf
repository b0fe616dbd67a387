output "host" {
  value = "${kubernetes_service_v1.this.metadata[0].name}.${var.namespace}.svc"
}

output "port" {
  value = local.engine.port
}

output "user" {
  value = var.user
}

output "database" {
  value = var.database
}

output "secret" {
  value = one(kubernetes_secret_v1.this[*].metadata[0].name)
}

output "password" {
  value     = random_password.this.result
  sensitive = true
}
