"""Who depends on whom, read from names and addresses."""

from __future__ import annotations

import time

import pytest

from shoreup.facts.estate import Estate
from shoreup.facts.network.addresses import addresses
from shoreup.facts.wiring.reading import Node, Wiring, wiring
from shoreup.facts.wiring.standing import others
from small_estates import estate

DATABASE = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: data}
spec:
  replicas: 1
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "postgres:16.10", ports: [{containerPort: 5432}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: data}
spec: {selector: {app: db}, ports: [{port: 5432}]}
---
"""


def app(
    name: str, env: str = "[]", more: str = "", namespace: str = "apps", image: str = "ghcr.io/example/app:1"
) -> str:
    """A Deployment that is told something."""
    return f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers: [{{name: app, image: "{image}", env: {env}{more}}}]
---
"""


def called(graph: Wiring, name: str) -> set[str]:
    """The names of what depends on the node with a name."""
    return {node.name for node in graph.running(by_name(graph, name))}


def by_name(graph: Wiring, name: str) -> Node:
    """The node with a name."""
    return next(node for node in graph.nodes if node.name == name)


@pytest.mark.parametrize(
    "env",
    [
        "[{name: DB_HOST, value: db.data}]",
        "[{name: DB_HOST, value: db.data.svc.cluster.local}]",
        "[{name: DATABASE_URL, value: 'postgres://app:word@db.data.svc:5432/app'}]",
        "[{name: SETTINGS, value: 'host=db.data port=5432'}]",
        "[{name: PRIMARY, value: 'db-0.db.data.svc'}]",
        "[{name: ADDRESS, value: 'tcp://db.data.svc:5432'}]",
    ],
)
def test_a_variable_that_names_the_service_is_an_edge(env: str) -> None:
    assert called(wiring(estate(DATABASE + app("wiki", env))), "StatefulSet data/db") == {"Deployment apps/wiki"}


@pytest.mark.parametrize(
    "env",
    [
        "[{name: DB_HOST, value: db}]",  # another namespace
        "[{name: DRIVER, value: db.data}]".replace("db.data", "db"),
        "[{name: DB_HOST, value: db.example.org}]",
        "[{name: DB_HOST, value: 'db.data.*'}]",
        "[{name: DB_HOST, value: 'db.data${SUFFIX}'}]",
        "[{name: IMAGE, value: 'db:16'}]",
    ],
)
def test_a_word_that_looks_like_it_is_none(env: str) -> None:
    assert called(wiring(estate(DATABASE + app("wiki", env))), "StatefulSet data/db") == set()


def test_configuration_files_and_secrets_are_read_where_they_are_mounted() -> None:
    mounted = """, volumeMounts: [{name: files, mountPath: /etc/app}]}]
      volumes: [{name: files, configMap: {name: files}}]
      x: [{"""
    config = """
apiVersion: v1
kind: ConfigMap
metadata: {name: files, namespace: apps}
data: {app.ini: "[database]\\nhost = db.data.svc\\n"}
"""
    graph = wiring(estate(DATABASE + app("wiki", more=mounted) + config))

    assert called(graph, "StatefulSet data/db") == {"Deployment apps/wiki"}
    path = graph.path(by_name(graph, "Deployment apps/wiki"), by_name(graph, "StatefulSet data/db"))
    assert [(edge.how, edge.note) for edge in path] == [
        ("calls", "app.ini in ConfigMap files"),
        ("answers", "selects it"),
    ]


GATE = (
    app("sign-in", namespace="auth")
    + """
apiVersion: v1
kind: Service
metadata: {name: sign-in, namespace: auth}
spec: {selector: {app: sign-in}, ports: [{port: 9091}]}
---
apiVersion: traefik.io/v1alpha1
kind: Middleware
metadata: {name: gate, namespace: auth}
spec: {forwardAuth: {address: "http://sign-in.auth.svc:9091/verify"}}
---
"""
)


def route(name: str) -> str:
    """A way in that passes the gate."""
    return f"""
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {{name: {name}, namespace: apps}}
spec:
  routes:
    - match: Host(`{name}.example.org`)
      middlewares: [{{name: gate, namespace: auth}}]
      services: [{{name: {name}, port: 80}}]
---
"""


def test_a_way_in_depends_on_the_gate_that_it_passes() -> None:
    whole = estate(GATE + route("wiki") + route("chat"))
    graph = wiring(whole)

    assert called(graph, "Deployment auth/sign-in") == {"wiki.example.org", "chat.example.org"}
    assert len(others(whole, by_name(graph, "Deployment auth/sign-in").resource)) == 2


def test_what_watches_does_not_stop_with_what_it_watches() -> None:
    watching = app("prometheus", "[{name: TARGET_URL, value: 'http://db.data.svc'}]", image="prom/prometheus:v3.1.0")
    assert called(wiring(estate(DATABASE + watching)), "StatefulSet data/db") == set()


def test_a_service_goes_on_while_one_of_its_workloads_is_left() -> None:
    two = app("one").replace("labels: {app: one}", "labels: {app: both}") + app("two").replace(
        "labels: {app: two}", "labels: {app: both}"
    )
    service = """
apiVersion: v1
kind: Service
metadata: {name: both, namespace: apps}
spec: {selector: {app: both}, ports: [{port: 80}]}
---
"""
    graph = wiring(estate(two + service + app("wiki", "[{name: API_URL, value: 'http://both'}]")))

    assert graph.without(by_name(graph, "Deployment apps/one")) == ()
    assert by_name(graph, "Deployment apps/wiki") in graph.dependants(by_name(graph, "Deployment apps/one"))
    assert by_name(graph, "Deployment apps/wiki") in graph.without(by_name(graph, "Service apps/both"))


def test_two_that_call_each_other_depend_on_each_other() -> None:
    services = "".join(
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: apps}}\n"
        f"spec: {{selector: {{app: {name}}}, ports: [{{port: 80}}]}}\n---\n"
        for name in ("one", "two")
    )
    graph = wiring(
        estate(
            services
            + app("one", "[{name: PEER_URL, value: 'http://two'}]")
            + app("two", "[{name: PEER_URL, value: 'http://one'}]")
        )
    )
    assert called(graph, "Deployment apps/one") == {"Deployment apps/two"}
    assert called(graph, "Deployment apps/two") == {"Deployment apps/one"}


def test_it_is_worked_out_once() -> None:
    whole = estate(DATABASE)
    assert wiring(whole) is wiring(whole)
    assert wiring(Estate()) is not wiring(whole)


@pytest.mark.parametrize("text", ["a." * 80_000, "host = " * 20_000, "://a" * 40_000, "x:11 " * 30_000, "a" * 190_000])
def test_a_long_text_is_read_in_time_that_grows_with_it(text: str) -> None:
    started = time.perf_counter()
    list(addresses(text, "URL"))
    assert time.perf_counter() - started < 5
