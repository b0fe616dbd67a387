"""Volumes, followed to the server, disk or path where their bytes lie.

A pod names a claim, the claim is bound to a volume or made by a storage class, and either may lead to an NFS
server. The way is followed as far as the estate decides it, no further.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from shoreup.facts.estate import Release, Volume
from shoreup.facts.fields import NOTHING, first, items, mapping, text, texts, truth, why_open
from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.model.value import Value

_KINDS: Mapping[str, str] = {
    "persistentVolumeClaim": "claim",
    "ephemeral": "claim",
    "nfs": "nfs",
    "hostPath": "host-path",
    "local": "host-path",
    "emptyDir": "empty-dir",
    "configMap": "config-map",
    "secret": "secret",
    "csi": "csi",
    "projected": "projected",
}


class Backing(Struct, frozen=True):
    """Where bytes lie. ``kind`` is ``nfs``, ``host-path``, ``csi`` or empty."""

    kind: str = ""
    server: str = ""
    path: str = ""


_NOWHERE = Backing()


class Storage(Struct, frozen=True, eq=False):
    """The claims, volumes and storage classes of an estate."""

    claims: Mapping[tuple[str, str], Resource]
    volumes: Mapping[str, Resource]
    bound: Mapping[tuple[str, str], Resource]
    classes: Mapping[str, Backing]

    def read(
        self, resource: Resource, pod: Mapping[str, Value], pod_route: Route, templates: Sequence[Value]
    ) -> tuple[Volume, ...]:
        """The volumes of a pod's spec and of its claim templates, each followed to what is behind it."""
        namespace = resource.namespace or "default"
        found = [
            self._volume(body, (*pod_route, "volumes", index), namespace)
            for index, body in enumerate(map(mapping, items(pod.get("volumes"))))
            if body
        ]
        for index, template in enumerate(map(mapping, templates)):
            name = text(mapping(template.get("metadata")).get("name"))
            route: Route = ("spec", "volumeClaimTemplates", index)
            volume = Volume(name, route, "claim", claim=f"{name}-{resource.name}")
            found.append(self._claimed(volume, mapping(template.get("spec")), namespace))
        return tuple(found)

    def _volume(self, body: Mapping[str, Value], route: Route, namespace: str) -> Volume:
        name = text(body.get("name"))
        field = next((key for key in _KINDS if body.get(key) is not None), "")
        kind = _KINDS.get(field, "other")
        detail = mapping(body.get(field)) if field else NOTHING
        reason = why_open(body.get(field)) if field else ""
        volume = Volume(
            name,
            route,
            kind,
            read_only=truth(detail.get("readOnly")) is True,
            undecided=reason,
        )
        if field == "persistentVolumeClaim":
            return self._claim(volume, text(detail.get("claimName")), namespace)
        if field == "ephemeral":
            return self._claimed(volume, mapping(mapping(detail.get("volumeClaimTemplate")).get("spec")), namespace)
        if field == "configMap":
            return replace(volume, source=text(detail.get("name")))
        if field == "secret":
            return replace(volume, source=text(first(detail.get("secretName"), detail.get("name"))))
        if field == "emptyDir":
            return replace(volume, medium=text(detail.get("medium")), size=text(detail.get("sizeLimit")))
        backing = _backing(body)
        kind = backing.kind or kind
        return replace(volume, kind=kind, server=backing.server, path=backing.path)

    def _claim(self, volume: Volume, claim: str, namespace: str) -> Volume:
        volume = replace(volume, claim=claim)
        resource = self.claims.get((namespace, claim))
        if resource is None:
            bound = self.bound.get((namespace, claim))
            return replace(self._persistent(volume, bound), undecided="") if bound else volume
        return self._claimed(volume, mapping(resource.body.get("spec")), namespace)

    def _claimed(self, volume: Volume, claim: Mapping[str, Value], namespace: str) -> Volume:
        storage_class = text(claim.get("storageClassName"))
        volume = replace(
            volume,
            storage_class=storage_class,
            access_modes=texts(claim.get("accessModes")),
            size=text(mapping(mapping(claim.get("resources")).get("requests")).get("storage")),
        )
        persistent = self.volumes.get(text(claim.get("volumeName"))) or self.bound.get((namespace, volume.claim))
        if persistent is not None:
            return self._persistent(volume, persistent)
        backing = self.classes.get(storage_class, _NOWHERE)
        return replace(volume, server=backing.server, path=backing.path, somewhere_below=bool(backing.server))

    def _persistent(self, volume: Volume, resource: Resource) -> Volume:
        spec = mapping(resource.body.get("spec"))
        # Terraform's provider puts the source under ``persistentVolumeSource``, Kubernetes beside the rest.
        backing = _backing(spec)
        if not backing.kind:
            backing = _backing(mapping(spec.get("persistentVolumeSource")))
        return replace(
            volume,
            server=backing.server,
            path=backing.path,
            access_modes=volume.access_modes or texts(spec.get("accessModes")),
            size=volume.size or text(mapping(spec.get("capacity")).get("storage")),
            storage_class=volume.storage_class or text(spec.get("storageClassName")),
        )


def _backing(source: Mapping[str, Value]) -> Backing:
    """What a volume source says of the place, for pods and persistent volumes alike."""
    nfs = mapping(source.get("nfs"))
    if nfs:
        return Backing("nfs", text(nfs.get("server")), text(nfs.get("path")))
    host = mapping(source.get("hostPath")) or mapping(source.get("local"))
    if host:
        return Backing("host-path", "", text(host.get("path")))
    csi = mapping(source.get("csi"))
    if csi:
        attributes = mapping(csi.get("volumeAttributes"))
        server = text(attributes.get("server")) or text(attributes.get("source"))
        return Backing("nfs" if server else "csi", server, text(attributes.get("share")))
    return _NOWHERE


def read_storage(by_kind: Mapping[str, Sequence[Resource]], releases: Sequence[Release]) -> Storage:
    """Everything of the estate that says where volumes lie."""
    bound: dict[tuple[str, str], Resource] = {}
    for resource in by_kind.get("PersistentVolume", ()):
        claim = mapping(mapping(resource.body.get("spec")).get("claimRef"))
        if claim:
            bound[(text(claim.get("namespace")) or "default", text(claim.get("name")))] = resource
    return Storage(
        claims={
            (claim.namespace or "default", claim.name): claim for claim in by_kind.get("PersistentVolumeClaim", ())
        },
        volumes={volume.name: volume for volume in by_kind.get("PersistentVolume", ())},
        bound=bound,
        classes=_classes(by_kind, releases),
    )


def _classes(by_kind: Mapping[str, Sequence[Resource]], releases: Sequence[Release]) -> Mapping[str, Backing]:
    provisioners = dict(_provisioners(by_kind.get("Deployment", ())))
    classes: dict[str, Backing] = {}
    for resource in by_kind.get("StorageClass", ()):
        parameters = mapping(resource.body.get("parameters"))
        server = text(parameters.get("server")) or text(parameters.get("nfsServer"))
        if server:
            classes[resource.name] = Backing("nfs", server, text(parameters.get("share", parameters.get("path"))))
        else:
            classes[resource.name] = provisioners.get(text(resource.body.get("provisioner")), _NOWHERE)
    for release in releases:
        classes.update(_chart_classes(release.values))
    return classes


def _provisioners(deployments: Iterable[Resource]) -> Iterable[tuple[str, Backing]]:
    """Provisioners that say in their environment which NFS export they serve from."""
    for resource in deployments:
        spec = mapping(mapping(mapping(resource.body.get("spec")).get("template")).get("spec"))
        for container in map(mapping, items(spec.get("containers"))):
            env = {
                text(item.get("name")): text(item.get("value")) for item in map(mapping, items(container.get("env")))
            }
            if env.get("PROVISIONER_NAME") and env.get("NFS_SERVER"):
                yield env["PROVISIONER_NAME"], Backing("nfs", env["NFS_SERVER"], env.get("NFS_PATH", ""))


def _chart_classes(values: Mapping[str, Value]) -> Iterable[tuple[str, Backing]]:
    """Storage classes that the values of an NFS chart describe: a class beside the server that it uses."""
    nfs = mapping(values.get("nfs"))
    server = text(nfs.get("server"))
    one = mapping(values.get("storageClass"))
    if server and one.get("create") is not False and text(one.get("name")):
        yield text(one.get("name")), Backing("nfs", server, text(nfs.get("path")))
    for item in (*items(values.get("storageClasses")), values.get("storageClass")):
        entry = mapping(item)
        parameters = mapping(entry.get("parameters"))
        if text(parameters.get("server")) and text(entry.get("name")):
            yield text(entry.get("name")), Backing("nfs", text(parameters.get("server")), text(parameters.get("share")))
