"""The edits that take secrets out of a ConfigMap: into a Secret of the same name, with all who read it behind them.

Where everything that the ConfigMap holds is secret it becomes the Secret itself. Else the keys are split: variables
name the Secret, volumes show the files of both, and what reads all keys reads both.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec import Struct

from shoreup.facts.estate import ConfigEntry, Estate
from shoreup.facts.fields import items, mapping, text
from shoreup.facts.wiring.config_readers import Reader, readers
from shoreup.model.edit import Add, Append, Become, Edit, Put, Remove, Rename
from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.model.value import Unknown, Value

_FROM_CHARTS = frozenset({"helm", "flux", "argo"})
_NEW_FIELDS = (("data", "stringData"), ("binaryData", "data"))
_CONTAINERS = ("containers", "initContainers")
_TO_SECRET = {"configMapKeyRef": "secretKeyRef", "configMapRef": "secretRef", "configMap": "secret"}


class Moved(Struct, frozen=True):
    """The edits, or why there are none. ``readers`` counts the places that name the Secret from now on."""

    edits: tuple[Edit, ...] = ()
    readers: int = 0
    whole: bool = False
    why_not: str = ""


def moved(estate: Estate, config: Resource, entries: Sequence[ConfigEntry], keys: Collection[str]) -> Moved:
    """Take ``keys`` out of a ConfigMap that has these ``entries``."""
    if config.source in _FROM_CHARTS:
        return Moved(why_not="a chart makes the ConfigMap, and only its values could make a Secret of it")
    if isinstance(config.body.get("data"), Unknown) or isinstance(config.body.get("binaryData"), Unknown):
        return Moved(why_not="not all that the ConfigMap holds is known")
    asked = readers(estate, config)
    if asked.blocked:
        return Moved(why_not=asked.blocked)
    name = _free_name(estate, config)
    if not name:
        return Moved(why_not="every name for the Secret is taken")
    whole = set(keys) >= {entry.key for entry in entries}
    plan = _Plan(config, tuple(entries), frozenset(keys), name, whole and name == config.name)
    return plan.moved(asked.found)


def _free_name(estate: Estate, config: Resource) -> str:
    namespace = config.namespace or "default"
    taken = {one.name for one in estate.by_kind.get("Secret", ()) if (one.namespace or "default") in (namespace, "*")}
    candidates = (config.name, f"{config.name}-credentials", f"{config.name}-secret")
    return next((name for name in candidates if name not in taken), "")


class _Cannot(Exception):
    """A reader that cannot be made to read both."""


class _Plan(Struct, frozen=True):
    """How one ConfigMap is taken apart. ``whole`` says that all of it becomes the Secret."""

    config: Resource
    entries: tuple[ConfigEntry, ...]
    keys: frozenset[str]
    name: str
    whole: bool

    def moved(self, found: Sequence[Reader]) -> Moved:
        """The edits of the ConfigMap and of all who read it."""
        try:
            changes = [self._followed(one, found) for one in found]
        except _Cannot as problem:
            return Moved(why_not=str(problem))
        edits = [edit for each in changes for edit in each]
        here = (Become(self.config.key, "Secret", _NEW_FIELDS),) if self.whole else self._split()
        return Moved((*here, *edits), sum(map(bool, changes)), self.whole)

    def _split(self) -> tuple[Edit, ...]:
        metadata: dict[str, Value] = {"name": self.name}
        old = mapping(self.config.body.get("metadata"))
        metadata.update({field: old[field] for field in ("namespace", "labels") if old.get(field)})
        body: dict[str, Value] = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
        like: list[tuple[Route, Route]] = []
        edits: list[Edit] = []
        for entry in self.entries:
            if entry.key in self.keys:
                field = "data" if entry.binary else "stringData"
                held = body.setdefault(field, {})
                assert isinstance(held, dict)
                held[entry.key] = entry.value
                like.append(((field, entry.key), entry.route))
                edits.append(Remove(self.config.key, entry.route))
        return (Add(self.config.key, body, tuple(like)), *edits)

    # Who reads it

    def _followed(self, one: Reader, found: Sequence[Reader]) -> tuple[Edit, ...]:
        if one.form == "key":
            return self._variable(one) if self._is_moved(one.held.get("key")) else ()
        if one.form == "all":
            return self._variables(one)
        if one.form == "files":
            return self._files(one)
        if one.form in ("object", "objects"):
            return self._object(one)
        return self._reload(one)

    def _is_moved(self, key: Value) -> bool:
        if not isinstance(key, str):
            if self.whole:
                return True
            raise _Cannot("a variable reads a key of it that is not decided")
        return self.whole or key in self.keys

    def _variable(self, one: Reader) -> tuple[Edit, ...]:
        if self.name == self.config.name:
            return (Rename(one.resource.key, one.route, _TO_SECRET[str(one.route[-1])]),)
        held: dict[str, Value] = {**one.held, "name": self.name}
        return (Put(one.resource.key, one.route[:-1], {"secretKeyRef": held}),)

    def _variables(self, one: Reader) -> tuple[Edit, ...]:
        if self.whole:
            return (Rename(one.resource.key, one.route, "secretRef"),)
        key, listed, index = one.resource.key, one.route[:-2], one.route[-2]
        siblings = items(_at(one.resource, listed))
        if not isinstance(index, int) or index != len(siblings) - 1:
            raise _Cannot("what is read after it may set the same variables, so that their order counts")
        item: dict[str, Value] = {"secretRef": {**one.held, "name": self.name}}
        prefix = mapping(siblings[index]).get("prefix")
        if prefix is not None:
            item["prefix"] = prefix
        return (Append(key, listed, item, self._like(one, ("secretRef", "name"))),)

    def _files(self, one: Reader) -> tuple[Edit, ...]:
        key, chosen = one.resource.key, [mapping(item) for item in items(one.held.get("items"))]
        moved = [item for item in chosen if self._is_moved(item.get("key"))]
        in_projected = len(one.route) > 2 and one.route[-3] == "sources"
        if (chosen and not moved) or (not chosen and not in_projected and self._shows_others(one)):
            return ()
        if (self.whole or (chosen and len(moved) == len(chosen))) and self.name == self.config.name:
            inside = () if in_projected else (("name", "secretName"),)
            return (Rename(key, one.route, "secret", inside),)
        sources = self._sources(one, chosen)
        if in_projected:
            return self._projected(one, sources)
        volume = dict(mapping(_at(one.resource, one.route[:-1])))
        volume.pop("configMap", None)
        projected: dict[str, Value] = {"sources": list(sources)}
        if "defaultMode" in one.held:
            projected = {"defaultMode": one.held["defaultMode"], **projected}
            like: list[tuple[Route, Route]] = [(("projected", "defaultMode"), (*one.route, "defaultMode"))]
        else:
            like = []
        for number, source in enumerate(sources):
            kind = next(iter(source))
            like += self._like(one, ("projected", "sources", number, kind, "name"), kind == "secret")
        return (Put(key, one.route[:-1], {**volume, "projected": projected}, tuple(like)),)

    def _shows_others(self, one: Reader) -> bool:
        """Whether every container takes single files out of the volume, and none that moves."""
        if self.whole or one.route[-3:-2] != ("volumes",):
            return False
        pod, name = mapping(_at(one.resource, one.route[:-3])), mapping(_at(one.resource, one.route[:-1])).get("name")
        containers = [mapping(each) for field in _CONTAINERS for each in items(pod.get(field))]
        mounts = [mapping(mount) for each in containers for mount in items(each.get("volumeMounts"))]
        shown = [mount.get("subPath") for mount in mounts if mount.get("name") == name]
        return bool(shown) and all(isinstance(path, str) and path and path not in self.keys for path in shown)

    def _sources(self, one: Reader, chosen: Sequence[object]) -> list[dict[str, Value]]:
        """The two objects as sources of a projected volume."""
        base: dict[str, Value] = {key: one.held[key] for key in ("optional",) if key in one.held}
        left: dict[str, Value] = {"name": one.held["name"], **base}
        taken: dict[str, Value] = {"name": self.name, **base}
        if chosen:
            every = [dict(mapping(item)) for item in items(one.held.get("items"))]
            kept = [item for item in every if not self._is_moved(item.get("key"))]
            left["items"], taken["items"] = list(kept), [item for item in every if item not in kept]
            if not kept:
                return [{"secret": taken}]
        return [{"configMap": left}, {"secret": taken}]

    def _projected(self, one: Reader, sources: Sequence[dict[str, Value]]) -> tuple[Edit, ...]:
        key, listed = one.resource.key, one.route[:-2]
        edits: list[Edit] = []
        if "configMap" not in sources[0]:
            return (Put(key, one.route[:-1], sources[0]),)
        if "items" in one.held:
            edits.append(Put(key, (*one.route, "items"), mapping(sources[0]["configMap"]).get("items")))
        return (*edits, Append(key, listed, sources[1], self._like(one, ("secret", "name"))))

    def _object(self, one: Reader) -> tuple[Edit, ...]:
        key = one.resource.key
        if one.form == "object" and not self._is_moved(one.held.get("valuesKey", "values.yaml")):
            return ()
        if self.name == self.config.name and (self.whole or one.form == "object"):
            return (Put(key, (*one.route, "kind"), "Secret"),)
        item: dict[str, Value] = {**one.held, "kind": "Secret", "name": self.name}
        if one.form == "object":
            return (Put(key, one.route, item),)
        return (Append(key, one.route[:-1], item),)

    def _reload(self, one: Reader) -> tuple[Edit, ...]:
        key, beside = one.resource.key, "secret.reloader.stakater.com/reload"
        names = [name.strip() for name in text(one.held["names"]).split(",")]
        there = text(mapping(_at(one.resource, one.route[:-1])).get(beside))
        if self.whole and names == [self.config.name] and not there:
            return (Rename(key, one.route, beside),)
        together = ",".join([*(there.split(",") if there else ()), self.name])
        edits: list[Edit] = [Put(key, (*one.route[:-1], beside), together)]
        if self.whole:
            kept = [name for name in names if name != self.config.name]
            edits.append(Put(key, one.route, ",".join(kept)) if kept else Remove(key, one.route))
        return tuple(edits)

    def _like(self, one: Reader, inside: Route, renamed: bool = True) -> tuple[tuple[Route, Route], ...]:
        """The name as it is written where the ConfigMap is named, if the Secret has the same."""
        if renamed and self.name != self.config.name:
            return ()
        return ((inside, (*one.route, "name")),)


def _at(resource: Resource, route: Route) -> Value:
    value: Value = dict(resource.body)
    for step in route:
        if isinstance(value, dict):
            value = value.get(str(step))
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value
