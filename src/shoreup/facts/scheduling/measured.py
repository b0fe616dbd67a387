"""What containers used, as a Prometheus kept it: the only source from which a request or a limit may be written.

A workload's pods come and go, so its use at a moment is that of its busiest pod then, and the quantiles are taken over
those moments. The questions are built here, so that a person can be shown the one that is theirs to ask.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import timedelta

from msgspec import Struct

from shoreup.facts.estate import Estate, Workload
from shoreup.model.measured import Use, spoken

STEP_MINUTES = 5
LEAST_HOURS = 24.0
"""A shorter history has not seen a night, a backup and a morning."""
HEADROOM = 1.25
"""A memory limit over the 99th percentile: what is over the limit is killed, so a quarter is left for a worse day."""
_MIB = 1024 * 1024
_LETTERS = "[bcdfghjklmnpqrstvwxz2456789]"
"""What Kubernetes makes the ends of names of: no vowels, so that ``web`` does not take the pods of ``web-redis``."""
_ENDS: Mapping[str, str] = {
    "Deployment": f"-{_LETTERS}{{1,10}}-{_LETTERS}{{5}}",
    "Rollout": f"-{_LETTERS}{{1,10}}-{_LETTERS}{{5}}",
    "ReplicaSet": f"-{_LETTERS}{{5}}",
    "ReplicationController": f"-{_LETTERS}{{5}}",
    "DaemonSet": f"-{_LETTERS}{{5}}",
    "StatefulSet": "-[0-9]+",
    "Pod": "",
}


def use_of(estate: Estate, workload: Workload, container: str) -> Use | str:
    """What a container used, or why that is not known well enough to write a number."""
    measured = estate.measured
    if measured is None:
        return "no Prometheus was asked what it uses (--prometheus URL asks one)"
    if measured.trouble:
        return measured.trouble
    found = measured.containers.get((workload.namespace, workload.kind, workload.name, container))
    if found is None:
        return f"{measured.source} has recorded nothing of this container in {spoken(measured.window)}"
    if found.hours < LEAST_HOURS:
        return f"{measured.source} has recorded only {found.hours:.0f} hours of this container, and a day is the least"
    return found


def pods(workload: Workload) -> str:
    """A pattern of the names of a workload's pods; empty where Kubernetes does not name them after it."""
    end = _ENDS.get(workload.kind)
    if end is None or "*" in workload.name or not workload.name:
        return ""
    return re.escape(workload.name) + end


class Questions(Struct, frozen=True):
    """The expressions of PromQL for one workload; each answers by ``container``."""

    cpu: str
    memory: str
    window: str
    chosen: str

    def quantile(self, quantile: float, of: str) -> str:
        """A quantile over the window, of the busiest pod at each moment."""
        return f"quantile_over_time({quantile:g}, {of}[{self.window}:{STEP_MINUTES}m])"

    def most(self) -> str:
        """The most memory that was ever seen."""
        return f"max by (container) (max_over_time({_MEMORY}{{{self.chosen}}}[{self.window}]))"

    def moments(self) -> str:
        """How many of the moments were recorded."""
        return f"count_over_time({self.memory}[{self.window}:{STEP_MINUTES}m])"

    def throttled(self) -> str:
        """The share of periods in which the limit stopped it."""
        stopped = f"container_cpu_cfs_throttled_periods_total{{{self.chosen}}}[{self.window}]"
        every = f"container_cpu_cfs_periods_total{{{self.chosen}}}[{self.window}]"
        return f"sum by (container) (increase({stopped})) / sum by (container) (increase({every}))"


_MEMORY = "container_memory_working_set_bytes"


def questions(namespace: str, pattern: str, window: timedelta, container: str = "") -> Questions:
    """What to ask of the pods whose names fit ``pattern``; of one container where it is named."""
    which = f"container={json.dumps(container)}" if container else 'container!="",container!="POD"'
    chosen = f"namespace={json.dumps(namespace)},pod=~{json.dumps(pattern)},{which}"
    cpu = f"max by (container) (rate(container_cpu_usage_seconds_total{{{chosen}}}[{STEP_MINUTES}m]))"
    memory = f"max by (container) ({_MEMORY}{{{chosen}}})"
    return Questions(cpu, memory, f"{int(window.total_seconds())}s", chosen)


def millicores(cores: float) -> str:
    """Cores as a quantity, rounded up to a whole millicore: ``120m``."""
    return f"{max(1, math.ceil(round(cores * 1000, 6)))}m"


def mebibytes(count: float) -> str:
    """Bytes as a quantity, rounded up to a whole MiB: ``310Mi``."""
    return f"{max(1, math.ceil(round(count / _MIB, 6)))}Mi"
