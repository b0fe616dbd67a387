"""A change for one overlay alone, said as a patch in its kustomization, where the base serves others too."""

from __future__ import annotations

from collections.abc import Mapping

from shoreup.formats.edits import CannotWrite, Replacement
from shoreup.formats.files import Reader
from shoreup.formats.yaml.writing import new_document
from shoreup.model.location import Route
from shoreup.model.value import Value, at
from shoreup.sources.documents import DocumentTracer
from shoreup.sources.kustomize.kustomization import Kustomization
from shoreup.sources.kustomize.merge import CORE_GROUPS, MERGE_KEYS
from shoreup.sources.kustomize.provenance import Changed, Written


def patched(
    overlay: Kustomization, body: Mapping[str, Value], name: str, route: Route, value: Value, read: Reader
) -> tuple[Replacement, ...]:
    """A strategic merge patch that gives the field at ``route`` of an object the value; ``None`` takes it away.

    ``name`` is the object's in the base. Raises :class:`CannotWrite` where such a patch cannot say it.
    """
    version = body.get("apiVersion")
    if not isinstance(version, str) or version.rpartition("/")[0] not in CORE_GROUPS:
        raise CannotWrite("how a patch of such an object is merged is not known")
    node = overlay.node.base if isinstance(overlay.node, Changed) else overlay.node
    if not isinstance(node, Written) or not isinstance(node.source, DocumentTracer) or node.route:
        raise CannotWrite(f"{overlay.folder} has no kustomization of its own to hold a patch")
    content: dict[str, Value] = {"apiVersion": version, "kind": body.get("kind"), "metadata": {"name": name}}
    inner = _narrowed(dict(body), route, value)
    for key, item in inner.items():
        there = content.get(key)
        content[key] = {**there, **item} if isinstance(there, dict) and isinstance(item, dict) else item
    return node.source.append(("patches",), {"patch": new_document(content)}, read)


def _narrowed(body: Value, route: Route, value: Value) -> dict[str, Value]:
    """The value with what leads to it: items of lists by the keys that tell them apart."""
    made = _below(body, route, value, "")
    if not isinstance(made, dict):
        raise CannotWrite("a patch says fields of an object")
    return made


def _below(there: Value, route: Route, value: Value, field: str) -> Value:
    if not route:
        return value
    step, rest = route[0], route[1:]
    if isinstance(step, str):
        return {step: _below(at(there, step), rest, value, step)}
    items = there if isinstance(there, list) else []
    key = next((key for key in MERGE_KEYS.get(field, ()) if all(at(item, key) is not None for item in items)), None)
    if key is None:
        if rest:
            raise CannotWrite(f"a patch cannot tell the items of {field} apart")
        return [*items[:step], value, *items[step + 1 :]]
    if step == len(items) and not rest:
        return [value]
    if not 0 <= step < len(items):
        raise CannotWrite(f"there is no item {step} of {field}")
    known = at(items[step], key)
    if not rest:
        raise CannotWrite(f"a whole item of {field} is not patched")
    inner = _below(items[step], rest, value, field)
    return [{key: known, **(inner if isinstance(inner, dict) else {})}]
