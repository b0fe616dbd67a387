"""``probe``: the probes that the estate has, and those that ``fix`` proposes, asked of a real server in every state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from shoreup.concerns.probe_startup_missing import ENOUGH, patience_of
from shoreup.concerns.repairs.probes import repaired_probe
from shoreup.drills.base import Experiment, Go, Trial, Wishes
from shoreup.drills.probing.patients import wards
from shoreup.drills.probing.trial import Asks, ProbeSpec, probe
from shoreup.engines.choosing import Wanted
from shoreup.engines.web_servers import WEB_SERVERS
from shoreup.facts.estate import Estate
from shoreup.facts.fields import items, known_text, mapping, number, text, why_open
from shoreup.facts.network.serving import Serving, serving
from shoreup.facts.proofs import Drill, Inputs, first_unknown, subject_of
from shoreup.model.edit import Put, Repair
from shoreup.model.proof import digest_of
from shoreup.model.value import Value

_FIELDS = {"readiness": "readinessProbe", "liveness": "livenessProbe"}
_NAMES = ("USER", "USERNAME", "DB", "DATABASE", "PORT")
"""Endings of variables that a probe's command may ask for and that are no secret."""


class Probe(Experiment):
    """The probes of every database, cache, pooler and web server."""

    drill = Drill.PROBE
    title = (
        "the probes of databases and web servers, as they are and as fix proposes them, on a real one: healthy, full, "
        "hung, starting"
    )
    proves = frozenset({"probe-readiness-missing", "probe-liveness-missing", "probe-startup-missing"})
    asked_only = True
    nothing = "The estate runs no database, cache, pooler or web server whose probes could be tried on a real one."

    def trials(self, estate: Estate, wishes: Wishes) -> Iterator[Trial]:
        for found in serving(estate):
            if found.product is None or found.product.id not in wards():
                continue
            resource = found.workload.resource
            probes = _probes(found)
            yield Trial(
                subject=subject_of(resource, found.container.name),
                name=f"{resource.namespace or ''}/{resource.name}".strip("/"),
                prepare=partial(_prepared, found, probes),
                inputs=_inputs(found, probes),
            )


def _probes(found: Serving) -> Mapping[str, Value]:
    """The probes by field: what the container has, and what would be proposed where it has none."""
    body = found.container.body
    probes: dict[str, Value] = {
        field: body[field] for field in (*_FIELDS.values(), "startupProbe") if body.get(field) is not None
    }
    for kind, field in _FIELDS.items():
        if field not in probes:
            proposed = repaired_probe(found, kind)
            if isinstance(proposed, Repair):
                for edit in proposed.edits:
                    if isinstance(edit, Put):
                        probes.setdefault(str(edit.route[-1]), edit.value)
    return probes


def _inputs(found: Serving, probes: Mapping[str, Value]) -> Inputs:
    said = "; ".join(f"{field} {probes[field]!r}" for field in sorted(probes))
    return Inputs({"image": digest_of(found.container.image.text), "command": digest_of(said)})


def _prepared(found: Serving, probes: Mapping[str, Value]) -> Go | str:
    assert found.product is not None
    asked: dict[str, Asks | None] = {}
    for kind, field in _FIELDS.items():
        way = _asks(probes.get(field), by_http=found.product.id in WEB_SERVERS)
        if isinstance(way, str):
            return f"its {kind} probe cannot be tried: {way}"
        asked[kind] = way
    if not any(asked.values()):
        return "it has no probe, and none can be proposed: which command or port tells that it works is not known"
    patience = patience_of(mapping(probes.get("livenessProbe")))
    spec = ProbeSpec(
        subject=subject_of(found.workload.resource, found.container.name),
        wanted=Wanted(found.product.id, found.container.image.version or "", image=_image(found)),
        readiness=asked["readiness"],
        liveness=asked["liveness"],
        # A web server listens long before any liveness probe has lost its patience.
        held_back="startupProbe" in probes
        or (isinstance(patience, int) and patience >= ENOUGH)
        or found.product.id in WEB_SERVERS,
        inputs=_inputs(found, probes).digests,
        variables={
            name: written
            for name, value in found.container.env.items()
            if name.upper().endswith(_NAMES) and (written := known_text(value))
        },
    )
    return lambda run, now: probe(spec, run=run, now=now)


def _asks(value: Value, *, by_http: bool) -> Asks | str | None:
    """What a probe does, or why a drill cannot do the same."""
    if value is None:
        return None
    why = why_open(value) or first_unknown(value)
    if why:
        return f"not all of it is known ({why})"
    said = mapping(value)
    seconds = float(max(1, number(said.get("timeoutSeconds")) or 1))
    command = tuple(text(word) for word in items(mapping(said.get("exec")).get("command")))
    if command:
        return Asks(command, seconds)
    if mapping(said.get("tcpSocket")):
        return Asks((), seconds)
    if by_http and mapping(said.get("httpGet")):
        return Asks((), seconds, text(mapping(said.get("httpGet")).get("path")) or "/")
    return "it asks by HTTP or gRPC, which no server of this kind speaks here"


def _image(found: Serving) -> str:
    return "" if "*" in found.container.image.text else found.container.image.text
