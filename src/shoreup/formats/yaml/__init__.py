"""YAML as Kubernetes reads it: plain values at once, positions only where they are asked for."""

from shoreup.formats.yaml.origin import origin_of
from shoreup.formats.yaml.positions import Trace
from shoreup.formats.yaml.stream import ENCRYPTED, TEMPLATE, Document, Problem, Stream, load, load_json

__all__ = ["ENCRYPTED", "TEMPLATE", "Document", "Problem", "Stream", "Trace", "load", "load_json", "origin_of"]
