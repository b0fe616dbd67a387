"""One Kubernetes object (or one foreign resource, such as a DNS record), wherever it came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from shoreup.model.location import Route
from shoreup.model.origin import Origin
from shoreup.model.value import Value


class Resource(Struct, frozen=True, eq=False):
    """An object as Kubernetes would see it.

    ``body`` has Kubernetes' own field names, also when the source was Terraform. A resource that is no
    Kubernetes object (``cloudflare_ruleset``, ``helm_release``, a compose service) has
    ``api_version == "terraform"`` or ``"compose"`` and its type as ``kind``; ``body`` then has the
    source's own shape. ``name`` and ``namespace`` show ``*`` for unknown parts. ``address`` is
    Terraform's address, or ``apps/v1/Deployment/namespace/name``. ``root`` is the directory, relative to
    the estate, that is applied as one (a Terraform root, a kustomization); ``"."`` is the estate itself.
    ``source`` tells the reader: ``terraform``, ``manifest``, ``kustomize``, ``helm``, ``flux``, ``argo``,
    ``compose``. ``key`` is unique within one reading of the estate and finds the origin of a field.
    ``parent`` is the key of the release (HelmRelease, helm_release, Application) that this was derived
    from, or -1. ``hashed`` says that its name really ends in a hash of what it holds (Kustomize's generators), which
    ``name`` leaves out: with other content it is another object.
    """

    api_version: str
    kind: str
    namespace: str | None
    name: str
    body: Mapping[str, Value]
    address: str
    root: str
    source: str
    key: int = -1
    parent: int = -1
    hashed: bool = False


class Tracer(Protocol):
    """Finds where a resource's fields are written. Kept by the reader, never shipped between processes."""

    def trace(self, route: Route) -> Origin | None:
        """The origin of the field or block at ``route``; ``None`` where the route leads nowhere.

        The empty route is the whole resource.
        """
        ...
