"""How findings call things, the same in every sentence."""

from __future__ import annotations

from shoreup.model.resource import Resource

_CALLED = {"ChartValues": "release", "ComposeService": "compose service"}


def named(resource: Resource, container: str = "") -> str:
    """Such as ``Deployment media/jellyfin``, with the container where it has a name of its own.

    What the code calls it stands for a name that only an apply knows.
    """
    kind = "compose service" if resource.api_version == "compose" else _CALLED.get(resource.kind, resource.kind)
    whole = f"{resource.namespace}/{resource.name}" if resource.namespace else resource.name
    if resource.name == "*" and resource.source == "terraform":
        whole = resource.address
    if container and container != resource.name:
        return f"{kind} {whole}, container {container}"
    return f"{kind} {whole}"
