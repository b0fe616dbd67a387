"""``pool``: the clients that the estate configures, on a real pooler and server with its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from shoreup.drills.base import Experiment, Go, Trial, Wishes
from shoreup.drills.pooling.trial import MOST, PoolSpec, pool
from shoreup.engines.choosing import Wanted
from shoreup.facts.databases.connections import Pool as Between
from shoreup.facts.databases.connections import pools
from shoreup.facts.estate import Estate
from shoreup.facts.proofs import Drill, Inputs, subject_of
from shoreup.model.proof import digest_of

_TRIED = {"pgbouncer", "postgresql"}
_PODS = 4


class Pool(Experiment):
    """Connections through each pooler, and to each server that has none."""

    drill = Drill.POOL
    title = "every connection that the clients may open, on a real PgBouncer and PostgreSQL: who waits, who is refused"
    proves = frozenset({"connection-pool-undersized"})
    asked_only = True
    nothing = "The estate has no pooler and no server whose limit and clients' pools are both written down."

    def trials(self, estate: Estate, wishes: Wishes) -> Iterator[Trial]:
        for found in pools(estate):
            resource = found.workload.resource
            yield Trial(
                subject=subject_of(resource),
                name=f"{resource.namespace or ''}/{resource.name}".strip("/"),
                prepare=partial(_prepared, found),
                inputs=_inputs(found),
            )


def _inputs(found: Between) -> Inputs:
    clients = sorted(f"{one.resource.kind} {one.resource.name} {one.pods} x {one.each}" for one in found.clients)
    numbers = sorted(f"{name} = {value}" for name, value in found.settings.items())
    said = "; ".join([*clients, *numbers, f"{found.pods} pods", f"{found.server} of the server"])
    return Inputs({"command": digest_of(said), "image": digest_of(found.container.image.text)})


def _prepared(found: Between) -> Go | str:
    product = found.container.image.product
    if product not in _TRIED:
        return f"{product or 'what it runs'} is no pooler or server that a drill can put under load yet"
    if found.undecided:
        return f"it cannot be tried as it is: {found.undecided}"
    clients = tuple(one.total for one in found.clients if one.total)
    if sum(clients) > MOST or found.pods > _PODS:
        return f"{sum(clients)} connections over {found.pods} pods are more than a drill opens ({MOST}, {_PODS} pods)"
    if sum(clients) < 2:
        return "its clients open one connection, which nothing can refuse to another"
    text = found.container.image.text
    spec = PoolSpec(
        subject=subject_of(found.workload.resource),
        wanted=Wanted(product, found.container.image.version, image="" if "*" in text else text),
        pooler=found.pooler,
        pods=max(1, found.pods),
        settings=dict(found.settings),
        clients=clients,
        server=found.server,
        inputs=_inputs(found).digests,
    )
    return lambda run, now: pool(spec, run=run, now=now)
