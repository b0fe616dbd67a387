"""HCL: the native syntax and the JSON syntax, read into one tree whose nodes know their characters."""

from shoreup.formats.hcl.parse import parse_expression, parse_file, parse_template
from shoreup.formats.hcl.source import Problem, Source

__all__ = ["Problem", "Source", "parse_expression", "parse_file", "parse_template"]
