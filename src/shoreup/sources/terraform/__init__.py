"""Terraform roots as resources: Kubernetes objects where the provider makes one, foreign resources elsewhere."""

from shoreup.sources.terraform.reader import TerraformReading, read_roots, read_terraform

__all__ = ["TerraformReading", "read_roots", "read_terraform"]
