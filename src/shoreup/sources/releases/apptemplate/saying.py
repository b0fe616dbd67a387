"""How a change of an object is said in the values of the app-template chart.

The way back from what :mod:`.pods` and :mod:`.containers` make: a probe of a container is ``probes.readiness`` with
``custom`` and ``spec``, an option of the pod stands in ``pod`` or in ``defaultPodOptions``, and so on.
"""

from __future__ import annotations

from collections.abc import Mapping

from shoreup.formats.edits import CannotWrite
from shoreup.model.location import Route
from shoreup.model.value import Value, at
from shoreup.sources.releases.apptemplate.chart import Rules
from shoreup.sources.releases.derive import From, Mark
from shoreup.sources.releases.derived import Said

_SAME_IN_CONTAINER = frozenset(
    {
        "workingDir", "securityContext", "lifecycle", "terminationMessagePath", "terminationMessagePolicy", "resources",
        "restartPolicy", "stdin", "tty", "command", "args", "ports", "envFrom",
    }
)  # fmt: skip
_SAME_IN_POD = frozenset(
    {
        "priorityClassName", "runtimeClassName", "schedulerName", "securityContext", "hostname", "hostUsers",
        "shareProcessNamespace", "dnsConfig", "dnsPolicy", "hostAliases", "imagePullSecrets",
        "terminationGracePeriodSeconds", "restartPolicy", "nodeSelector", "tolerations", "affinity",
        "enableServiceLinks", "topologySpreadConstraints", "automountServiceAccountToken", "hostIPC",
        "hostNetwork", "hostPID",
    }
)  # fmt: skip
_PROBES = {"livenessProbe": "liveness", "readinessProbe": "readiness", "startupProbe": "startup"}
_TIMES = frozenset({"initialDelaySeconds", "failureThreshold", "timeoutSeconds", "periodSeconds", "successThreshold"})
_CRON = {
    "suspend": "suspend",
    "concurrencyPolicy": "concurrencyPolicy",
    "startingDeadlineSeconds": "startingDeadlineSeconds",
    "schedule": "schedule",
    "successfulJobsHistoryLimit": "successfulJobsHistory",
    "failedJobsHistoryLimit": "failedJobsHistory",
    "timeZone": "timeZone",
}
_JOB = frozenset({"backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished", "parallelism"})
_PODS: dict[str, Route] = {
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "Job": ("spec", "template"),
}


class AppTemplate:
    """The words for one object of a release."""

    def __init__(self, body: Mapping[str, Value], marks: Mapping[Route, Mark], values: Value, rules: Rules) -> None:
        self._body: Value = dict(body)
        self._marks = marks
        self._values = values
        self._rules = rules
        self._kind = str(body.get("kind"))
        whole = marks.get(())
        self._home: Route = whole.route if isinstance(whole, From) else ()
        self._pod = _PODS.get(self._kind, ())

    def put(self, route: Route, value: Value) -> tuple[Said, ...]:
        """A field of the object."""
        if len(route) == 3 and route[0] == "metadata" and route[1] in ("labels", "annotations") and self._home:
            return (Said((*self._home, *route[1:]), value),)
        if not self._pod or self._home[:1] != ("controllers",):
            raise CannotWrite(f"how the chart is told {_named(route)} of a {self._kind} is not known")
        size = len(self._pod)
        if route[:size] == self._pod and len(route) > size:
            return self._of_pod(route[size:], value)
        if route[0] == "spec" and len(route) > 1:
            return self._of_controller(route[1:], value)
        raise CannotWrite(f"the chart has no value for {_named(route)}")

    def append(self, route: Route, value: Value) -> tuple[Said, ...]:
        """An item of a list that the chart makes: only variables are written otherwise than they come out."""
        size = len(self._pod) + 4
        if self._pod and len(route) == size and route[-1] == "env":
            return self._variable(self._container(route[:-1]), value)
        raise CannotWrite(f"how the chart is told another item of {_named(route)} is not known")

    def add(self, body: Mapping[str, Value]) -> tuple[Said, ...] | None:
        """A disruption budget for the controller's pods, which the chart makes since its version 2."""
        spec = body.get("spec")
        kinds = ("Deployment", "StatefulSet", "DaemonSet")
        if body.get("kind") != "PodDisruptionBudget" or self._kind not in kinds or not self._rules.pod_label:
            return None
        if not isinstance(spec, dict) or self._home[:1] != ("controllers",):
            return None
        if at(spec, "selector") != at(self._body, "spec", "selector"):
            return None
        stated = {key: item for key, item in spec.items() if key != "selector"}
        if not stated.keys() <= {"minAvailable", "maxUnavailable"}:
            return None
        return (Said((*self._home, "podDisruptionBudget"), stated),)

    # Controllers

    def _of_controller(self, route: Route, value: Value) -> tuple[Said, ...]:
        field, rest = route[0], route[1:]
        if field == "replicas" and not rest and self._kind in ("Deployment", "StatefulSet"):
            return (Said((*self._home, "replicas"), value),)
        if field == "revisionHistoryLimit" and not rest:
            return (Said((*self._home, "revisionHistoryLimit"), value),)
        if field == "strategy" and self._kind == "Deployment":
            return self._strategy(rest, value)
        if field == "updateStrategy" and self._kind == "StatefulSet" and rest == ("type",):
            return (Said((*self._home, "strategy"), value),)
        if self._kind == "CronJob" and not rest and str(field) in _CRON:
            return (Said((*self._home, "cronjob", _CRON[str(field)]), value),)
        if self._kind == "CronJob" and route[:2] == ("jobTemplate", "spec") and len(route) == 3 and route[2] in _JOB:
            return (Said((*self._home, "cronjob", route[2]), value),)
        if self._kind == "Job" and not rest and field in _JOB | {"suspend", "completions", "completionMode"}:
            return (Said((*self._home, "job", field), value),)
        raise CannotWrite(f"the chart has no value for {_named(route)} of a {self._kind}")

    def _strategy(self, rest: Route, value: Value) -> tuple[Said, ...]:
        if not rest and isinstance(value, dict) and value.keys() <= {"type", "rollingUpdate"} and "type" in value:
            made = [Said((*self._home, "strategy"), value["type"])]
            steps = value.get("rollingUpdate")
            if isinstance(steps, dict) and steps:
                said = {str(self._step(key)): _step_value(item) for key, item in steps.items()}
                made.append(Said((*self._home, "rollingUpdate"), said))
            return tuple(made)
        if rest == ("type",):
            return (Said((*self._home, "strategy"), value),)
        if len(rest) == 2 and rest[0] == "rollingUpdate":
            return (Said((*self._home, "rollingUpdate", self._step(rest[1])), _step_value(value)),)
        raise CannotWrite(f"the chart has no value for strategy.{_named(rest)}")

    def _step(self, key: str | int) -> str:
        """How the chart calls a step of a rolling update; both of its words are read, the long one first."""
        short = {"maxUnavailable": "unavailable", "maxSurge": "surge"}.get(str(key))
        if short is None:
            raise CannotWrite(f"the chart has no value for rollingUpdate.{key}")
        return str(key) if at(self._values, *self._home, "rollingUpdate", key) is not None else short

    # Pods

    def _of_pod(self, route: Route, value: Value) -> tuple[Said, ...]:
        if route[0] == "metadata" and len(route) == 3 and route[1] in ("labels", "annotations"):
            return (Said((*self._home, "pod", *route[1:]), value),)
        if route[0] != "spec" or len(route) < 2:
            raise CannotWrite(f"the chart has no value for {_named(route)} of a pod")
        field, rest = str(route[1]), route[2:]
        if field in ("containers", "initContainers") and len(rest) > 1:
            return self._of_container((*self._pod, *route[:3]), rest[1:], value)
        if field in _SAME_IN_POD:
            return (Said((*self._options(field), field, *rest), value),)
        raise CannotWrite(f"the chart makes {field} of other values")

    def _options(self, field: str) -> Route:
        """Where the options of the pod are said: for all controllers, where there is one and its owner does so."""
        controllers = at(self._values, "controllers")
        one = isinstance(controllers, dict) and len(controllers) == 1
        own = at(self._values, *self._home, "pod")
        everywhere = isinstance(at(self._values, "defaultPodOptions"), dict)
        if everywhere and one and not (isinstance(own, dict) and (field in own or len(own) > 1)):
            return ("defaultPodOptions",)
        return (*self._home, "pod")

    # Containers

    def _container(self, route: Route) -> Route:
        mark = self._marks.get(route)
        if not isinstance(mark, From) or mark.route[:1] == ("global",) or not mark.route:
            raise CannotWrite("the container is not one of the values")
        return mark.route

    def _of_container(self, route: Route, field: Route, value: Value) -> tuple[Said, ...]:
        home = self._container(route)
        name, rest = str(field[0]), field[1:]
        if home[-1:] == ("spec",):
            return (Said((*home, *field), value),)  # version 1 has Kubernetes' own containers beside the main one
        if name in _PROBES:
            return self._probe((*home, "probes", _PROBES[name]), rest, value)
        if name == "imagePullPolicy" and not rest and isinstance(at(self._values, *home, "image"), dict):
            return (Said((*home, "image", "pullPolicy"), value),)
        if name == "image" and not rest and isinstance(value, str):
            return self._image(home, value)
        if name == "env":
            return self._variables(home, rest, value)
        if name in _SAME_IN_CONTAINER:
            return (Said((*home, *field), value),)
        raise CannotWrite(f"the chart has no value for {name} of a container")

    def _probe(self, home: Route, rest: Route, value: Value) -> tuple[Said, ...]:
        there = at(self._values, *home)
        custom = isinstance(there, dict) and bool(there.get("custom")) and there.get("enabled") is True
        if not rest:
            if value is None:
                return (Said(home, None),)
            if custom:
                return (Said((*home, "spec"), value),)
            return (Said(home, {"enabled": True, "custom": True, "spec": value}, ("spec",)),)
        if custom or (rest[0] in _TIMES and isinstance(there, dict)):
            return (Said((*home, "spec", *rest), value),)
        raise CannotWrite("the chart makes the probe of other values")

    def _image(self, home: Route, value: str) -> tuple[Said, ...]:
        if not isinstance(at(self._values, *home, "image"), dict):
            return (Said((*home, "image"), value),)
        name, _, digest = value.partition("@")
        repository, colon, tag = name.rpartition(":")
        if not colon or "/" in tag:
            repository, tag = name, ""
        made = [Said((*home, "image", "repository"), repository)]
        apart = at(self._values, *home, "image", "digest") is not None
        if digest and not apart:
            tag, digest = f"{tag}@{digest}", ""
        made += [Said((*home, "image", key), item) for key, item in (("tag", tag), ("digest", digest)) if item]
        return tuple(one for one in made if at(self._values, *one.route) != one.value)

    def _variables(self, home: Route, rest: Route, value: Value) -> tuple[Said, ...]:
        if not rest and isinstance(value, list) and at(self._values, *home, "env") is None:
            pairs: dict[str, Value] = {}
            for item in value:
                name, said = _pair(item)
                pairs[name] = said
            return (Said((*home, "env"), pairs),)
        raise CannotWrite("the chart makes the variables of other values")

    def _variable(self, home: Route, value: Value) -> tuple[Said, ...]:
        there = at(self._values, *home, "env")
        if isinstance(there, list):
            return (Said((*home, "env", len(there)), value),)
        name, said = _pair(value)
        return (Said((*home, "env", name), said),)


def _step_value(value: Value) -> Value:
    if value in (0, "", None):
        raise CannotWrite("the chart takes a step of 0 for one that is not given")
    return value


def _pair(item: Value) -> tuple[str, Value]:
    """A variable of Kubernetes as the chart's map has it."""
    name = at(item, "name")
    if not isinstance(item, dict) or not isinstance(name, str):
        raise CannotWrite("a variable without a name")
    if "value" in item:
        return name, item["value"]
    return name, {key: part for key, part in item.items() if key != "name"}


def _named(route: Route) -> str:
    return ".".join(map(str, route))
