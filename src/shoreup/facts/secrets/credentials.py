"""The estate's own credentials: Secrets that it declares, and whether anything in it replaces them by itself."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from shoreup.facts.estate import ConfigEntry, Estate
from shoreup.facts.fields import mapping, text
from shoreup.facts.secrets.recognition import likenesses, placeholder, secret_name
from shoreup.facts.secrets.ssh_keys import SshKey, ssh_keys
from shoreup.model.resource import Resource
from shoreup.model.value import PartialText, Unknown, is_known

_NO_CREDENTIALS = frozenset({"kubernetes.io/tls", "helm.sh/release.v1", "kubernetes.io/service-account-token"})
_ROTATORS = frozenset({"VaultDynamicSecret", "VaultPKISecret", "Password", "GeneratorState"})
"""Kinds by which another system makes a credential anew."""


class Credentials(Struct, frozen=True, eq=False):
    """A Secret that holds credentials; ``entry`` is the first of them."""

    resource: Resource
    entry: ConfigEntry


def credentials(estate: Estate) -> Iterator[Credentials]:
    """Every Secret that the estate declares with a credential in it; SSH keys have a concern of their own."""
    keys = {key.entry.resource.key for key in ssh_keys(estate) if isinstance(key, SshKey)}
    seen: set[int] = set()
    for entry in estate.config:
        resource = entry.resource
        if entry.kind != "Secret" or resource.key in seen or resource.key in keys or resource.parent >= 0:
            continue
        if text(resource.body.get("type")) in _NO_CREDENTIALS or _made_elsewhere(resource):
            continue
        if _is_credential(entry):
            seen.add(resource.key)
            yield Credentials(resource, entry)


def rotator(estate: Estate) -> str:
    """What in the estate makes credentials anew by a rhythm; empty where nothing does."""
    for resource in estate.resources:
        if resource.kind in _ROTATORS:
            return resource.kind
        if resource.kind in ("time_rotating", "vault_database_secret_backend_role"):
            return resource.kind
    return ""


def _is_credential(entry: ConfigEntry) -> bool:
    if not secret_name(entry.key):
        return isinstance(entry.value, str) and not entry.binary and any(likenesses(entry.value, entry.key))
    if isinstance(entry.value, (Unknown, PartialText)):
        return True
    return (
        isinstance(entry.value, str)
        and is_known(entry.value)
        and ("ENC[" in entry.value or not placeholder(entry.value))
    )


def _made_elsewhere(resource: Resource) -> bool:
    """Whether a controller fills the Secret, so that what stands here is not what is used."""
    annotations = mapping(mapping(resource.body.get("metadata")).get("annotations"))
    return any(
        key.startswith(("secret-generator.", "replicator.", "reflector.", "secretgenerator.", "vault.", "avp."))
        for key in annotations
    )
