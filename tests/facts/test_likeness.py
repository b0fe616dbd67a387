"""What an unknown image runs is told by how it is used, and only by signs that one engine alone gives."""

from __future__ import annotations

import pytest

from shoreup.facts.build import build
from shoreup.model.resource import Resource
from shoreup.model.value import Value


def database(image: str, path: str, env: list[str], port: int, kind: str = "persistentVolumeClaim") -> Resource:
    container: dict[str, Value] = {
        "name": "db",
        "image": image,
        "env": [{"name": name, "value": "x"} for name in env],
        "ports": [{"containerPort": port}],
        "volumeMounts": [{"name": "data", "mountPath": path}],
    }
    detail: dict[str, Value] = {"claimName": "data"} if kind == "persistentVolumeClaim" else {}
    spec: dict[str, Value] = {"containers": [container], "volumes": [{"name": "data", kind: detail}]}
    body: dict[str, Value] = {"spec": {"template": {"spec": spec}}}
    return Resource(
        key=0,
        root="",
        address="",
        source="yaml",
        api_version="apps/v1",
        kind="StatefulSet",
        name="db",
        namespace="d",
        body=body,
    )


@pytest.mark.parametrize(
    ("image", "path", "env", "port", "product", "version"),
    [
        ("r.test/lab/postgres-x:16.4-0.3", "/var/lib/postgresql/data", [], 5432, "postgresql", "16.4"),
        ("r.test/lab/store:16", "/var/lib/postgresql/data", ["POSTGRES_PASSWORD"], 1, "postgresql", ""),
        ("r.test/lab/mariadb:11.4", "/var/lib/mysql", ["MYSQL_ROOT_PASSWORD"], 3306, "mariadb", "11.4"),
    ],
)
def test_files_at_home_and_a_port_or_a_variable_of_the_server_tell(
    image: str, path: str, env: list[str], port: int, product: str, version: str
) -> None:
    (found,) = build([database(image, path, env, port)]).databases
    assert (found.product, found.version, found.likely) == (product, version, True)


@pytest.mark.parametrize(
    ("image", "path", "env", "port", "kind"),
    [
        ("r.test/app:1", "/data", ["POSTGRES_PASSWORD"], 5432, "persistentVolumeClaim"),
        ("r.test/app:1", "/var/lib/postgresql/data", [], 8080, "persistentVolumeClaim"),
        ("r.test/app:1", "/var/lib/postgresql/data", [], 5432, "emptyDir"),
        ("r.test/lab/store:1", "/var/lib/mysql", [], 3306, "persistentVolumeClaim"),
    ],
    ids=["files elsewhere", "no second sign", "nothing lasting", "two engines would do"],
)
def test_less_than_that_tells_nothing(image: str, path: str, env: list[str], port: int, kind: str) -> None:
    assert build([database(image, path, env, port, kind)]).databases == ()
