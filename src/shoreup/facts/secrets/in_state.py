"""Secrets that Terraform writes into its state in clear.

Whatever a resource generates or is given stands in the state as text, ``sensitive`` or not. A local backend keeps it
on a disk as it is; what remote backends do with it is theirs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from shoreup.facts.estate import Estate, StateBackend
from shoreup.facts.fields import mapping
from shoreup.model.resource import Resource

_LOCAL = "local"
_SECRET_KINDS = frozenset({
    "random_password", "tls_private_key", "aws_iam_access_key", "google_service_account_key", "cloudflare_api_token",
    "grafana_service_account_token", "b2_application_key", "random_bytes", "minio_iam_service_account", "vault_token",
    "proxmox_virtual_environment_user_token", "acme_certificate", "wireguard_asymmetric_key",
})  # fmt: skip


class ClearState(Struct, frozen=True, eq=False):
    """A root whose state lies in clear, with the resources whose secrets stand in it. ``named`` as the root says so."""

    backend: StateBackend
    resources: tuple[Resource, ...]
    named: bool


def clear_states(estate: Estate) -> Iterator[ClearState]:
    """Every root that keeps secrets in a state on a disk."""
    held: dict[str, list[Resource]] = defaultdict(list)
    for resource in estate.resources:
        if resource.source == "terraform" and _holds_secrets(resource):
            held[resource.root].append(resource)
    for backend in estate.backends:
        if backend.kind in {_LOCAL, ""} and not backend.encrypted and held.get(backend.root):
            yield ClearState(backend, tuple(held[backend.root]), backend.kind == _LOCAL)


def _holds_secrets(resource: Resource) -> bool:
    if resource.kind in _SECRET_KINDS and resource.api_version == "terraform":
        return True
    if resource.kind != "Secret":
        return False
    return bool(mapping(resource.body.get("data")) or mapping(resource.body.get("stringData")))
