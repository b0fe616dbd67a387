"""Attributes that a provider computes and that are certain before any apply, because files and text decide them.

Documents of YAML split by the ``kubectl`` provider's data sources (their self-links as its source builds them in
version 1.14, read 2026-11), the content of a local file, a rendered template. With each comes the way back.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from shoreup.formats.sourcemap import cut
from shoreup.formats.yaml import load
from shoreup.formats.yaml.inside import emptied, filled, marked, restored
from shoreup.model.location import Route, Span
from shoreup.model.origin import Segment
from shoreup.model.value import PartialText, Unknown, Value, at
from shoreup.terraform import files
from shoreup.terraform.functions.filesystem import fileset
from shoreup.terraform.functions.kinds import number_text
from shoreup.terraform.reached import KeyOf, Reached, spells
from shoreup.terraform.scope import Binding, EvaluationError, Scope

if TYPE_CHECKING:
    from shoreup.formats.hcl.syntax import Expression
    from shoreup.terraform.module import ResourceInstance
    from shoreup.terraform.trace import Trace

_DOCUMENTS = frozenset({"kubectl_path_documents", "kubectl_file_documents"})


class _Document(Struct, frozen=True):
    """One document: its text, the text that it was cut from (with placeholders) and where, and its self-link."""

    text: str | PartialText
    whole: str
    start: int
    end: int
    path: str
    link: str


def value(instance: ResourceInstance, attributes: dict[str, Value], name: str) -> Value | None:
    """The attribute ``name`` of a resource or data source; ``None`` where only an apply can tell."""
    if instance.type in _DOCUMENTS and name in ("documents", "manifests"):
        try:
            documents = list(_documents(instance, attributes))
        except EvaluationError as problem:
            return Unknown(str(problem))
        if name == "documents":
            return [document.text for document in documents]
        return {document.link: document.text for document in documents}
    if instance.type == "local_file" and name == "content":
        path = attributes.get("filename") if _is_data(instance) else attributes.get("source")
        if isinstance(path, str):
            tree, root = instance.module.root.configurations.tree, instance.module.root.path
            return files.call(tree, root, "file", [path], instance.scope)
    if instance.type == "template_file" and name == "rendered":
        template = attributes.get("template")
        if isinstance(template, str):
            return files.call(
                instance.module.root.configurations.tree,
                instance.module.root.path,
                "templatestring",
                [template, {} if attributes.get("vars") is None else attributes["vars"]],
                instance.scope,
            )
    return None


def follow(trace: Trace, instance: ResourceInstance, route: Route) -> Reached | None:
    """Where the value at ``route`` of such an attribute is written."""
    attributes = instance.module.object_of(instance)
    if instance.type in _DOCUMENTS and len(route) == 2 and type(route[1]) is not KeyOf:
        for index, document in enumerate(_documents(instance, attributes)):
            if route[1] == (index if route[0] == "documents" else document.link):
                return _cut_out(trace, instance, document)
    if instance.type == "local_file" and route == ("content",):
        path = at(attributes, "filename" if _is_data(instance) else "source")
        found = files.estate_path(instance.module.root.path, path) if isinstance(path, str) else None
        content = instance.module.root.configurations.tree.read(found) if found else None
        if found and content is not None:
            span = Span(found, 0, len(content))
            text = _decoded(content)
            return None if text is None else Reached(span, (Segment(text, span),))
    return None


def _is_data(instance: ResourceInstance) -> bool:
    return instance.block.kind == "data"


def _documents(instance: ResourceInstance, attributes: dict[str, Value]) -> Iterator[_Document]:
    if instance.type == "kubectl_file_documents":
        yield from _split(attributes.get("content"), "")
        return
    tree, root = instance.module.root.configurations.tree, instance.module.root.path
    pattern = attributes.get("pattern")
    if not isinstance(pattern, str):
        raise EvaluationError("the pattern of the documents is not known")
    for path in fileset(root, pattern, tree.files):
        name = str(path)
        found = files.estate_path(root, name)
        content = tree.read(found) if found else None
        if found is None or content is None:
            raise EvaluationError(f"the file {name} cannot be read")
        text: Value
        if attributes.get("disable_template") is True:
            text = files.call(tree, root, "file", [name], instance.scope)
        else:
            template = files.read_template(found, content)
            tree.templates.add(found)
            text = files.rendered(template, _variables(attributes), instance.scope)
        yield from _split(text, found)


def _variables(attributes: dict[str, Value]) -> dict[str, Value]:
    """The variables of a template: the provider takes numbers and booleans as strings."""
    variables: dict[str, Value] = {}
    for name in ("vars", "sensitive_vars"):
        given = attributes.get(name)
        if isinstance(given, dict):
            variables.update(given)
        elif given is not None:
            raise EvaluationError("the variables of the documents are not known")
    return {name: _as_string(value) for name, value in variables.items()}


def _as_string(value: Value) -> Value:
    if isinstance(value, bool):
        return "true" if value else "false"
    return number_text(value) if isinstance(value, int | float) else value


def _split(text: Value, path: str) -> Iterator[_Document]:
    if not isinstance(text, str | PartialText):
        raise EvaluationError(text.reason if isinstance(text, Unknown) else "the documents are no text")
    whole, reasons = marked(text)
    for document in load(whole).documents:
        body = document.value
        if body is None:
            continue
        piece = restored(whole[document.start : document.end], reasons)
        if isinstance(piece, str | PartialText):
            yield _Document(piece, whole, document.start, document.end, path, _link(body))


def _link(body: Value) -> str:
    version, kind = at(body, "apiVersion"), at(body, "kind")
    namespace, name = at(body, "metadata", "namespace"), at(body, "metadata", "name")
    made = "/api" if version == "v1" else "/apis"
    made += f"/{version}" if version else ""
    made += f"/namespaces/{namespace}" if namespace else ""
    if isinstance(kind, str) and kind:
        made += f"/{kind.lower()}{'es' if kind.endswith('s') else 's'}"
    return made + (f"/{name}" if name else "")


def _cut_out(trace: Trace, instance: ResourceInstance, document: _Document) -> Reached | None:
    if document.path:
        segments = _template_segments(trace, instance, document.path)
    else:
        attribute = instance.block.body.attributes.get("content")
        segments = trace.follow(attribute.expression, instance.scope, ()).segments if attribute else ()
    whole = filled(segments, document.whole)
    if not spells(tuple(whole), document.whole):
        return None
    pieces = tuple(map(emptied, cut(whole, document.start, document.end)))
    span = next((piece.span for piece in pieces if piece.span is not None), None)
    return None if span is None else Reached(span, pieces)


def _template_segments(trace: Trace, instance: ResourceInstance, path: str) -> tuple[Segment, ...]:
    content = instance.module.root.configurations.tree.read(path) or b""
    attributes = instance.module.object_of(instance)
    if attributes.get("disable_template") is True:
        return (Segment(content.decode(), Span(path, 0, len(content))),)
    variables = _variables(attributes)
    bindings = {
        name: Binding(expression, instance.scope, name, "item") for name, expression in _given(instance, variables)
    }
    template = files.read_template(path, content)
    segments: list[Segment] = []
    trace.spell(template.parts, template, Scope(instance.module, variables, bindings, closed=True), segments)
    return tuple(segments)


def _given(instance: ResourceInstance, variables: dict[str, Value]) -> Iterator[tuple[str, Expression]]:
    """The expression that holds each variable: the later of the two maps wins."""
    attributes = instance.module.object_of(instance)
    for name in variables:
        for holder in ("sensitive_vars", "vars"):
            attribute = instance.block.body.attributes.get(holder)
            given = attributes.get(holder)
            if attribute is not None and isinstance(given, dict) and name in given:
                yield name, attribute.expression
                break


def _decoded(content: bytes) -> str | None:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None
