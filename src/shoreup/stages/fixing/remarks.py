"""How many comments a file holds: none of them may be lost to an edit that does not say so."""

from __future__ import annotations

from shoreup.formats.hcl.parse import parse_file
from shoreup.formats.hcl.source import Source
from shoreup.formats.yaml.comments import comments


def remarks(path: str, content: bytes) -> int:
    """The number of comments in Terraform or YAML; 0 for other files. Signs inside of texts are none."""
    if path.endswith((".tf", ".tofu", ".hcl", ".tfvars")):
        return len(parse_file(Source(path, content)).comments)
    if path.endswith((".yaml", ".yml")):
        return len(comments(content.decode("utf-8", "replace")))
    return 0
