"""Small estates for tests of facts: manifests as text, read plainly."""

from __future__ import annotations

import yaml
from msgspec.structs import replace

from shoreup.facts.build import Extras, build
from shoreup.facts.estate import Estate
from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.model.value import Value
from shoreup.sources.reading import Found
from shoreup.sources.releases import reading
from shoreup.sources.releases.flux import flux_releases

TERRAFORM = "terraform"


def resource(body: dict[str, Value], key: int = 0, root: str = ".", source: str = "manifest") -> Resource:
    """An object as a reader would give it."""
    metadata = body.get("metadata")
    named = metadata if isinstance(metadata, dict) else {}
    namespace, name = named.get("namespace"), named.get("name")
    return Resource(
        str(body.get("apiVersion")),
        str(body.get("kind")),
        namespace if isinstance(namespace, str) else None,
        name if isinstance(name, str) else "",
        body,
        "",
        root,
        source,
        key,
    )


def estate(manifests: str, *more: Resource, extras: Extras | None = None) -> Estate:
    """The facts of a few manifests. A document with ``apiVersion: terraform`` stands for a foreign resource."""
    documents = [document for document in yaml.safe_load_all(manifests) if document]
    resources = [*(resource(document, key) for key, document in enumerate(documents)), *more]
    found = [Found(one, Untraced()) for one in resources]
    releases = tuple(flux_releases(found, reading.Estate(found)))
    return build(resources, replace(extras or Extras(), releases=releases))


class Untraced:
    """Of what is written nowhere."""

    def trace(self, route: Route) -> None:
        """There is no place."""


VAULT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: vault  # the passwords
  namespace: home
spec:
  replicas: 1
  strategy:
    type: RollingUpdate  # as it was
  selector: {matchLabels: {app: vault}}
  template:
    metadata: {labels: {app: vault}}
    spec:
      containers:
        - name: vault
          image: vaultwarden/server:1.32.0
          volumeMounts: [{name: data, mountPath: /data}]
      volumes:
        - name: data
          persistentVolumeClaim: {claimName: vault}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: vault, namespace: home}
spec:
  accessModes: [ReadWriteMany]
  storageClassName: nfs
  resources: {requests: {storage: 1Gi}}
"""
"""A workload that writes to a shared volume while it is rolled out; its passwords are nobody's."""
