"""Which files Shoreup reads, by their names."""

from __future__ import annotations


def format_of(path: str) -> str:
    """The format that a file's name promises; empty for what Shoreup does not read."""
    name = path.rpartition("/")[2]
    if name.endswith((".tf", ".tf.json", ".tofu", ".tofu.json", ".tfvars", ".tfvars.json")):
        return "terraform"
    if name.endswith(".hcl"):
        return "terragrunt"
    if name.endswith((".yaml", ".yml")):
        return "yaml"
    return ""
