"""Values that are written as YAML inside a string: a heredoc, a ConfigMap's key, a values file."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from shoreup.formats.sourcemap import whole
from shoreup.formats.yaml import Document, load
from shoreup.formats.yaml.inside import marked, origin_inside, restored
from shoreup.formats.yaml.writing import Page
from shoreup.model.location import Route, Span
from shoreup.model.origin import Origin
from shoreup.model.value import PartialText, Unknown, Value
from shoreup.sources.pages import PageEditor
from shoreup.sources.releases.layers import Layer, nowhere


def layer_from_file(path: str, content: bytes | None) -> Layer:
    """The values in a file of the estate."""
    if content is None:
        return Layer(Unknown(f"the values file {path} cannot be read", path), nowhere)
    offset = 3 if content.startswith(b"\xef\xbb\xbf") else 0
    try:
        text = content[offset:].decode()
    except UnicodeDecodeError:
        return Layer(Unknown(f"the values file {path} is not UTF-8", path), nowhere)
    span = Span(path, offset, len(content))
    return layer_from_text(text, lambda: Origin(span, span, (), whole(path, text, offset)), f"the values file {path}")


def layer_from_text(text: Value, origin: Callable[[], Origin | None], what: str) -> Layer:
    """The values in a string. ``origin`` finds where the string is written, ``what`` names it for people."""
    if isinstance(text, Unknown):
        return Layer(text, nowhere)
    if not isinstance(text, (str, PartialText)):
        return Layer(Unknown(f"{what} holds no values"), nowhere)
    filled, reasons = marked(text)
    stream = load(filled)
    if stream.problems or stream.skipped:
        return Layer(Unknown(f"{what} is not YAML"), nowhere)
    if len(stream.documents) > 1:
        return Layer(Unknown(f"{what} is several documents"), nowhere)
    if not stream.documents or stream.documents[0].value is None:
        return Layer({}, nowhere, _editor(filled, origin))
    document = stream.documents[0]
    values = restored(document.value, reasons)
    if not isinstance(values, dict):
        reason = values.reason if isinstance(values, (Unknown, PartialText)) else f"{what} is not a map"
        return Layer(Unknown(reason), nowhere)
    written = cache(origin)  # where one value stands is often asked with where others do
    return Layer(values, lambda route: _trace(document, route, written(), filled), _editor(filled, origin))


def _editor(text: str, origin: Callable[[], Origin | None]) -> PageEditor:
    return PageEditor(lambda: Page(text), origin)


def _trace(document: Document, route: Route, outer: Origin | None, text: str) -> Origin | None:
    trace = document.trace(route)
    return None if trace is None or outer is None else origin_inside(trace, outer, text)
