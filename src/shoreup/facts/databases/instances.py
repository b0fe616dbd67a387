"""How many instances a database runs in."""

from __future__ import annotations

from shoreup.facts.estate import Database
from shoreup.facts.operators import operated, route_of
from shoreup.model.value import PartialText, Unknown, at


def instances(database: Database) -> int | Unknown:
    """The number of instances; 1 where nothing says that there are more."""
    if database.workload is not None:
        replicas = database.workload.replicas
        if isinstance(replicas, Unknown) and database.workload.least_replicas is not None:
            return database.workload.least_replicas
        return 1 if replicas is None else replicas
    for entry, _ in operated({database.resource.kind: (database.resource,)}):
        value = at(dict(database.resource.body), *route_of(entry.replicas)) if entry.replicas else None
        if isinstance(value, (Unknown, PartialText)):
            return Unknown(value.reason)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return 1
