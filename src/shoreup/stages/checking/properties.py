"""The properties that people speak of, by their words, with the question of the facts that each is."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from msgspec import Struct

from shoreup.facts.estate import Estate
from shoreup.stages.checking.questions import (
    Holds,
    Item,
    amounts,
    any_of,
    as_root,
    backed_up,
    both,
    budgeted,
    deadline,
    digested,
    in_container,
    in_either,
    in_job,
    in_pod,
    in_spec,
    isolated,
    latest,
    named_latest,
    on_volume,
    pinned,
    privileged,
    rate_limited,
    resource,
    secured,
    several,
    single,
    spread,
    strategy,
)


class Property(Struct, frozen=True):
    """A property: how it is called after ``has``, the words by which people speak of it, and how the facts are asked.

    ``of`` is the kind of thing that has it: workloads or ways in.
    """

    name: str
    words: str
    holds: Callable[[Estate, Item], Holds]
    of: str = "workload"
    strictly: Callable[[Estate, Item], Holds] | None = None
    """The narrower sense in which people count it too."""
    value: Callable[[Estate, Item], Sequence[str]] | None = None
    """What the property is, for those that have an amount."""
    concerns: tuple[str, ...] = ()
    """The concerns whose findings say that it is missing, or that it is there where it should not be."""
    trace: str = ""
    """How code speaks of it, where that differs from how people do."""
    contrary: str = ""
    """How code says that something has it not."""


PROPERTIES: tuple[Property, ...] = (
    Property(
        "a readiness probe",
        r"readiness(?:[ -]?(?:probes?|checks?))?",
        in_container("readinessProbe"),
        trace=r"readinessProbe|readiness_probe",
        concerns=("probe-readiness-missing",),
    ),
    Property(
        "a liveness probe",
        r"liveness(?:[ -]?(?:probes?|checks?))?",
        in_container("livenessProbe"),
        trace=r"livenessProbe|liveness_probe",
        concerns=("probe-liveness-missing",),
    ),
    Property(
        "a startup probe",
        r"startup[ -]?probes?",
        in_container("startupProbe"),
        trace=r"startupProbe|startup_probe",
        concerns=("probe-startup-missing",),
    ),
    Property(
        "a probe",
        r"(?:health[ -]?checks?|probes?)(?: of any kind)?",
        lambda estate, item: any_of(
            in_container(name)(estate, item) for name in ("readinessProbe", "livenessProbe", "startupProbe")
        ),
        concerns=("probe-readiness-missing", "probe-liveness-missing"),
    ),
    Property(
        "a rate limit",
        r"(?:a |any )?rate[ -]?limit(?:s|ing|er|ers)?",
        rate_limited,
        of="way",
        concerns=("rate-limit-missing",),
    ),
    Property(
        "a memory limit",
        r"memory limits?",
        resource("limits", "memory"),
        value=amounts("limits", "memory"),
        concerns=("memory-limit-missing",),
    ),
    Property("a processor limit", r"cpu limits?", resource("limits", "cpu"), value=amounts("limits", "cpu")),
    Property(
        "a memory request",
        r"memory requests?",
        resource("requests", "memory"),
        value=amounts("requests", "memory"),
        concerns=("resources-requests-missing",),
    ),
    Property(
        "a processor request",
        r"cpu requests?",
        resource("requests", "cpu"),
        value=amounts("requests", "cpu"),
        concerns=("resources-requests-missing",),
    ),
    Property("requests and limits", r"resource requests (?:and|or|\+) limits|requests/limits", both),
    Property("requests", r"(?:resources? )?requests", resource("requests"), concerns=("resources-requests-missing",)),
    Property(
        "limits", r"(?:resources? )?limits|resource limit", resource("limits"), concerns=("memory-limit-missing",)
    ),
    Property(
        "a root file system that is read-only",
        r"(?:a )?read[-_ ]?only[-_ ]?root[-_ ]?(?:file[-_ ]?systems?|fs)?(?:\s*[=:]\s*true)?",
        secured("readOnlyRootFilesystem"),
    ),
    Property(
        "all capabilities dropped",
        r"drop(?:s|ping)? all (?:linux )?(?:capabilities|caps)|all capabilities (?:are )?dropped",
        secured("capabilities", "drop", needed="ALL"),
    ),
    Property(
        "a user that is not root",
        r"run[-_ ]?as[-_ ]?non[-_ ]?root(?:\s*[=:]\s*true)?|as (?:a )?non-?root(?: users?)?",
        secured("runAsNonRoot"),
    ),
    Property("root as its user", r"as (?:root|uid 0|user 0)", as_root),
    Property(
        "a digest in its image",
        r"(?:a |an |by |with )?(?:@?sha256:? ?)?digests?(?:[ -]pinned)?",
        digested,
        trace="@sha256:",
        contrary=r"(?m)\bimage\W{1,4}[\w.-]+/[\w./-]+:[\w.+-]+[\"']?\s*$",
    ),
    Property("the host's process ids", r"host ?pid", in_pod("hostPID"), trace=r"host_?pid\W{1,5}true"),
    Property("a deadline for starting", r"(?:a )?starting[-_ ]?deadline(?:[-_ ]?seconds)?", deadline),
    Property(
        "the tag latest",
        r"(?:the |a |an )?:?latest(?:[ -]tags?|[ -]tagged| images?)?",
        latest,
        strictly=named_latest,
        trace=r":latest\b|\btag\W{1,5}latest\b",
        concerns=("image-tag-latest",),
    ),
    Property("more than one replica", r"(?:more than (?:one|1)|several|multiple|two or more) replicas?", several),
    Property(
        "one replica",
        r"(?:as |with |only )*(?:a )?(?:single|one|1) (?:replica|instance|pod)|replicas ?[:=] ?1",
        single,
        concerns=("replica-single",),
    ),
    Property("the strategy Recreate", r"(?:strategy |type )?`?Recreate`?(?: strategy)?", strategy("Recreate")),
    Property(
        "the strategy RollingUpdate",
        r"(?:a )?rolling[- ]?updates?(?: strategy)?",
        strategy("RollingUpdate"),
    ),
    Property(
        "a concurrency policy",
        r"(?:a )?concurrency[-_ ]?polic(?:y|ies)",
        in_spec("concurrencyPolicy"),
    ),
    Property("a deadline", r"(?:an )?active[-_ ]?deadline(?:[-_ ]?seconds)?", in_job("activeDeadlineSeconds")),
    Property("a security context", r"(?:a |any )?security[-_ ]?contexts?", in_either("securityContext")),
    Property("a lifecycle hook", r"(?:a )?(?:pre-?stop|lifecycle)(?: hooks?)?", in_container("lifecycle")),
    Property(
        "a budget",
        r"(?:a |any )?(?:pod ?disruption ?budgets?|disruption budgets?|pdbs?)",
        budgeted,
        concerns=("pdb-missing",),
    ),
    Property(
        "a privileged container",
        r"(?:as )?privileged(?: mode| containers?| pods?)?",
        privileged,
        trace=r"privileged\W{1,5}true",
        concerns=("privileged-workload",),
    ),
    Property(
        "the host's network",
        r"(?:the )?host ?network(?:ing)?",
        in_pod("hostNetwork"),
        trace=r"host_?network\W{1,5}true",
    ),
    Property("a folder of the node", r"(?:a )?host ?path(?: volumes?| mounts?)?", on_volume("host-path")),
    Property("a volume on NFS", r"nfs(?: volumes?| storage| mounts?)?", on_volume("nfs")),
    Property(
        "a priority class", r"(?:a )?priority ?class(?:es)?", in_pod("priorityClassName"), concerns=("priority-unset",)
    ),
    Property("a backup", r"(?:a |any )?back(?:ed)?[ -]?ups?(?: jobs?)?", backed_up, concerns=("backup-missing",)),
    Property(
        "a network policy", r"(?:a |any )?network ?polic(?:y|ies)", isolated, concerns=("network-policy-missing",)
    ),
    Property(
        "a rule that spreads it",
        r"(?:pod )?(?:anti-?affinity|topology spread(?: constraints?)?|spread constraints?)(?: rules?)?",
        spread,
        concerns=("replicas-colocated",),
    ),
    Property("a node of its own", r"(?:pinned to (?:a|one|a single) node|(?:a )?node ?selectors?)", pinned),
)
"""The more special before the more general: the first whose words fit is meant."""
PATTERNS: tuple[tuple[Property, re.Pattern[str]], ...] = tuple(
    (one, re.compile(rf"(?<![\w-])(?:{one.words})(?![\w-])", re.IGNORECASE)) for one in PROPERTIES
)
