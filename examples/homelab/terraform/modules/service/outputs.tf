output "service" {
  value = {
    name      = kubernetes_service_v1.this.metadata[0].name
    namespace = kubernetes_service_v1.this.metadata[0].namespace
    port      = kubernetes_service_v1.this.spec[0].port[0].port
  }
}

output "claims" {
  description = "Claim names by volume."
  value       = { for key, claim in kubernetes_persistent_volume_claim_v1.this : key => claim.metadata[0].name }
}
