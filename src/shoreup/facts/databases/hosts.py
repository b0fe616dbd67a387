"""Which database a host's name means, seen from a namespace."""

from __future__ import annotations

from collections.abc import Sequence

from shoreup.facts.estate import Database, Service, Workload


class Hosts:
    """Databases by the names under which a client reaches them."""

    def __init__(self, services: Sequence[Service], databases: Sequence[Database]) -> None:
        self._by_workload: dict[int, list[Database]] = {}
        for database in databases:
            if database.workload is not None:
                self._by_workload.setdefault(id(database.workload), []).append(database)
        self._declared: dict[tuple[str, str], list[Database]] = {}
        self._pods: dict[tuple[str, str], list[Database]] = {}
        for database in databases:
            if database.workload is not None:
                self._pods.setdefault((database.namespace, database.name), []).append(database)
            else:
                for host in operator_hosts(database.name):
                    self._declared.setdefault((database.namespace, host), []).append(database)
        self._services = {(service.namespace, service.name): service for service in services}

    def of(self, workload: Workload) -> tuple[Database, ...]:
        """The databases that a workload runs."""
        return tuple(self._by_workload.get(id(workload), ()))

    def find(self, host: str, namespace: str) -> tuple[Database, ...]:
        """The databases behind a host's name as seen from a namespace."""
        labels = host.strip().rstrip(".").lower().split(".")
        if not labels[0]:
            return ()
        where = labels[1] if len(labels) > 1 and (len(labels) < 3 or labels[2] == "svc") else namespace
        if len(labels) > 2 and labels[2] != "svc":
            if len(labels) > 3 and labels[3] == "svc":  # POD.SERVICE.NAMESPACE.svc
                labels, where = labels[1:], labels[2]
            else:
                return ()
        service = self._services.get((where, labels[0]))
        if service is not None:
            return tuple(database for workload in service.workloads for database in self.of(workload))
        declared = self._declared.get((where, labels[0]), [])
        pod, dash, number = labels[0].rpartition("-")
        of_pod = self._pods.get((where, pod), []) if dash and number.isdecimal() else []
        return (*declared, *of_pod)


def operator_hosts(name: str) -> frozenset[str]:
    """The services that database operators make for a cluster (CloudNativePG, MariaDB, Percona, Zalando)."""
    endings = ("", "-rw", "-ro", "-r", "-primary", "-secondary", "-repl", "-ha", "-pgbouncer", "-haproxy", "-proxysql")
    return frozenset(name + ending for ending in endings)
