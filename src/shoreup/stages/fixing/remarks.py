"""How many comments a file holds: none of them may be lost to an edit that does not say so."""

from __future__ import annotations

from shoreup.formats.hcl.parse import parse_file
from shoreup.formats.hcl.source import Source
from shoreup.formats.yaml.comments import comments


def remarks(path: str, content: bytes) -> int:
    """The number of comments in Terraform or YAML; 0 for other files. Signs inside of texts are none."""
    if path.endswith(_TERRAFORM):
        return len(parse_file(Source(path, content)).comments)
    return len(comments(content.decode("utf-8", "replace"))) if path.endswith(_YAML) else 0


def remarks_of(path: str, content: bytes) -> list[tuple[int, int]]:
    """The bytes of every comment, ends exclusive; none in files that are no UTF-8."""
    if path.endswith(_TERRAFORM):
        source = Source(path, content)
        spans = [source.span(one.start, one.end) for one in parse_file(source).comments]
        return [(one.start, one.end) for one in spans]
    try:
        text = content.decode() if path.endswith(_YAML) else ""
    except UnicodeDecodeError:
        return []
    return [(len(text[:start].encode()), len(text[:end].encode())) for start, end in comments(text)]


_TERRAFORM = (".tf", ".tofu", ".hcl", ".tfvars")
_YAML = (".yaml", ".yml")
