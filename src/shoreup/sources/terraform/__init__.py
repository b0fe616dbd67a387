"""Terraform roots as resources: Kubernetes objects where the provider makes one, foreign resources elsewhere."""

from shoreup.sources.terraform.reader import (
    TerraformReading,
    known_after_apply,
    plain_roots,
    read_roots,
    read_terraform,
)

__all__ = ["TerraformReading", "known_after_apply", "plain_roots", "read_roots", "read_terraform"]
