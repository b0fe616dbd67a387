"""Which images run, as the cluster itself says: ``kubectl get pods -A -o json``.

A container's status names the image by digest. The tag beside it is the one of the pod's spec, so that both together
are exactly what runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from shoreup.model.errors import UserError

_DIGEST = re.compile(r"(?:^|@)(sha256:[0-9a-f]{64})$")


def running_images(content: bytes) -> Mapping[str, str]:
    """Digests by reference as pods ask for them; a reference of which two digests run is left out.

    Raises :class:`UserError` where the text is no list of pods.
    """
    try:
        held = msgspec.json.decode(content)
    except msgspec.DecodeError as problem:
        raise UserError(f"That is no output of 'kubectl get pods -A -o json': {problem}.") from None
    if not isinstance(held, dict) or not isinstance(held.get("items"), list):
        raise UserError("That is no output of 'kubectl get pods -A -o json': it has no items.")
    found: dict[str, set[str]] = {}
    for reference, digest in _statuses(held["items"]):
        found.setdefault(reference, set()).add(digest)
    return {reference: next(iter(digests)) for reference, digests in found.items() if len(digests) == 1}


def _statuses(pods: list[object]) -> Iterator[tuple[str, str]]:
    for pod in pods:
        spec, status = _mapping(pod, "spec"), _mapping(pod, "status")
        for containers, statuses in (
            ("containers", "containerStatuses"),
            ("initContainers", "initContainerStatuses"),
        ):
            wanted = {_text(one, "name"): _text(one, "image") for one in _list(spec, containers)}
            for one in _list(status, statuses):
                digest = _DIGEST.search(_text(one, "imageID"))
                reference = wanted.get(_text(one, "name"), "")
                if digest and reference:
                    yield reference, digest.group(1)


def _mapping(value: object, key: str) -> Mapping[str, object]:
    held = value.get(key) if isinstance(value, dict) else None
    return held if isinstance(held, dict) else {}


def _list(value: Mapping[str, object], key: str) -> list[object]:
    held = value.get(key)
    return held if isinstance(held, list) else []


def _text(value: object, key: str) -> str:
    held = value.get(key) if isinstance(value, dict) else None
    return held if isinstance(held, str) else ""
