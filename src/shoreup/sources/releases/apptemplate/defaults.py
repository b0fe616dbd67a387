"""The values that version 2 of the chart brings itself.

From version 3 on the chart declares nothing unasked. Version 2 has a controller, a service and more called ``main``
that the user's values are laid over; what of them can show in an object is said here (read from 2.6.0).
"""

from __future__ import annotations

from shoreup.model.value import Value
from shoreup.sources.releases.layers import Layer, Stack, nowhere, stack


def _probe(period: int, failures: int) -> Value:
    spec: dict[str, Value] = {
        "initialDelaySeconds": 0,
        "periodSeconds": period,
        "timeoutSeconds": 1,
        "failureThreshold": failures,
    }
    return {"enabled": True, "custom": False, "type": "TCP", "spec": spec}


def _values() -> dict[str, Value]:
    probes: dict[str, Value] = {"liveness": _probe(10, 3), "readiness": _probe(10, 3), "startup": _probe(5, 30)}
    schedule: dict[str, Value] = {"schedule": "*/20 * * * *", "concurrencyPolicy": "Forbid", "backoffLimit": 6}
    main: dict[str, Value] = {
        "type": "deployment",
        "replicas": 1,
        "cronjob": schedule,
        "containers": {"main": {"probes": probes}},
    }
    http: dict[str, Value] = {"enabled": True, "primary": True, "protocol": "HTTP"}
    service: dict[str, Value] = {"controller": "main", "primary": True, "type": "ClusterIP", "ports": {"http": http}}
    endpoint: dict[str, Value] = {"port": "http", "scheme": "http", "path": "/metrics"}
    monitor: dict[str, Value] = {
        "enabled": False,
        "serviceName": '{{ include "bjw-s.common.lib.chart.names.fullname" $ }}',
        "endpoints": [endpoint],
    }
    path: dict[str, Value] = {"path": "/", "pathType": "Prefix", "service": {"name": "main"}}
    ingress: dict[str, Value] = {
        "enabled": False,
        "primary": True,
        "hosts": [{"host": "chart-example.local", "paths": [path]}],
    }
    return {
        "controllers": {"main": main},
        "service": {"main": service},
        "serviceMonitor": {"main": monitor},
        "ingress": {"main": ingress},
        "route": {"main": {"enabled": False}},
        "persistence": {"config": {"enabled": False, "accessMode": "ReadWriteOnce", "size": "1Gi"}},
        "secrets": {"secret": {"enabled": False}},
        "configMaps": {"config": {"enabled": False}},
    }


def with_defaults(values: Stack) -> Stack:
    """The user's values over the chart's own."""
    return stack((Layer(_values(), nowhere), *values.layers))
