"""What Terraform would say, without running it."""
