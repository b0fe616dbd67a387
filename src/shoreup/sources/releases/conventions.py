"""What the values of an unknown chart state beyond doubt.

Charts are free in what they do with values, but nearly all agree on a few shapes: an ``image`` block with a
tag, and next to it replicas, resources, probes and persistence. Where such a shape stands, its statements are
taken; what is not said is the chart's default and stays unknown. A chart that is unknown may still ignore a
value, so nothing is concluded from absence.
"""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.model.value import PartialText, Unknown, Value
from shoreup.sources.releases.apptemplate.templating import go_string
from shoreup.sources.releases.derive import From, Piece, Text, Tree
from shoreup.sources.releases.layers import Node

MAX_DEPTH = 12
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_COPIED = ("resources", "persistence", "nodeSelector", "tolerations", "affinity", "securityContext", *_PROBES)
_REPLICAS = ("replicaCount", "replicas")


def components(values: Node) -> list[Tree]:
    """Each block of values that describes something that runs, as ``{"path", "image", "replicas", "resources", ...}``.

    ``image`` holds ``text`` (the reference, when it is stated in full), or the parts that are stated.
    """
    return [From(made, node.route) for node, made in _components(values, 0)]


def _components(node: Node, depth: int) -> Iterator[tuple[Node, dict[str, Tree]]]:
    if depth > MAX_DEPTH or not isinstance(node.value, dict):
        return
    image = _image(node["image"])
    if image is not None and node["enabled"].value is not False:
        made: dict[str, Tree] = {"path": list(node.route), "image": image}
        for key in _REPLICAS:
            if isinstance(node[key].value, (int, Unknown)) and not isinstance(node[key].value, bool):
                made["replicas"] = From(node[key].value, node[key].route, exact=True)
        for key in _COPIED:
            if isinstance(node[key].value, (dict, list)):
                made[key] = From(node[key].value, node[key].route, exact=True)
        yield node, made
    if node["enabled"].value is False:
        return
    for key, child in node.items():
        if key != "image":
            yield from _components(child, depth + 1)


def _image(node: Node) -> Tree | None:
    if isinstance(node.value, (str, PartialText)):
        return (
            From({"text": From(node.value, node.route, exact=True)}, node.route)
            if _looks_like_image(node.value)
            else None
        )
    if not isinstance(node.value, dict):
        return None
    parts = {key: node[key] for key in ("registry", "repository", "tag", "digest") if _scalar(node[key].value)}
    if not ({"repository", "tag", "digest"} & parts.keys()):
        return None
    made: dict[str, Tree] = {key: From(_text(part.value), part.route) for key, part in parts.items()}
    if "repository" in parts and ({"tag", "digest"} & parts.keys()):
        made["text"] = Text(tuple(_pieces(parts)), node.route)
    if isinstance(node["pullPolicy"].value, str):
        made["pullPolicy"] = From(node["pullPolicy"].value, node["pullPolicy"].route, exact=True)
    return From(made, node.route)


def _pieces(parts: dict[str, Node]) -> Iterator[Piece]:
    joints = {"repository": "/", "tag": ":", "digest": "@"}
    first = True
    for key in ("registry", "repository", "tag", "digest"):
        if key not in parts:
            continue
        if not first:
            yield Piece(joints[key])
        first = False
        node = parts[key]
        if isinstance(node.value, PartialText):
            for part in node.value.parts:
                yield Piece(part, node.route)
        else:
            value = node.value if isinstance(node.value, (str, Unknown)) else go_string(node.value)
            yield Piece(value, node.route, None, "" if isinstance(node.value, (str, Unknown)) else "toString")


def _scalar(value: Value) -> bool:
    if isinstance(value, bool) or value is None or value == "":
        return False
    return isinstance(value, (str, int, float, Unknown, PartialText))


def _text(value: Value) -> Value:
    return go_string(value) if isinstance(value, (int, float)) else value


def _looks_like_image(value: str | PartialText) -> bool:
    text = value if isinstance(value, str) else value.pattern
    name = text.rpartition("/")[2]
    return bool(text) and not any(char.isspace() for char in text) and ("/" in text or ":" in name or "@" in name)
