"""MySQL of its makers, not MariaDB: dumps that come back, what a manifest sees, and an upgrade by dump.

tests/environment/mysql brings one; a machine without it says that these were not run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from engines_here import chosen
from shoreup.cli.main import run
from shoreup.compare.manifest import Manifest, differences
from shoreup.compare.mysql import take
from shoreup.engines.mysql.server import Mysql, RunningMysql, restore_errors
from shoreup.engines.scratch import Scratch

ORDERS = (
    """CREATE TABLE customer (
        id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40) COLLATE utf8mb4_0900_ai_ci, about JSON, far DOUBLE,
        fits INT GENERATED ALWAYS AS (CHAR_LENGTH(name)) STORED, INDEX (name))""",
    """INSERT INTO customer (name, about, far)
        WITH RECURSIVE n AS (SELECT 1 g UNION ALL SELECT g + 1 FROM n WHERE g < 300)
        SELECT CONCAT('Müller ', g), JSON_OBJECT('g', g), SIN(g) FROM n""",
    "CREATE VIEW far_ones AS SELECT * FROM customer WHERE far > 0.5",
    "CREATE TRIGGER no_blank BEFORE INSERT ON customer FOR EACH ROW SET NEW.name = TRIM(NEW.name)",
    "CREATE EVENT tidy ON SCHEDULE EVERY 1 DAY DO DELETE FROM customer",
)
ESTATE = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: shop, namespace: data}
spec:
  serviceName: shop
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
        - name: mysql
          image: mysql:8.4
          ports: [{containerPort: 3306}]
          volumeMounts: [{name: data, mountPath: /var/lib/mysql}]
  volumeClaimTemplates:
    - metadata: {name: data}
      spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""
SMOKE = """\
[[smoke]]
subject = "data/shop"
query = "SELECT COUNT(*) FROM customer WHERE about->'$.g' > 100"
expect = "{}"
name = "late customers"
"""


@pytest.fixture(scope="module")
def running() -> Iterator[RunningMysql]:
    """A server with a shop in it."""
    with Scratch() as scratch, Mysql(chosen("mysql", "8.4"), scratch).start() as server:
        server.create("shop")
        carried_out(server, "shop", *ORDERS)
        yield server


@pytest.fixture
def copy(running: RunningMysql, tmp_path: Path) -> Path:
    """A dump of the shop."""
    assert running.dump(tmp_path / "shop.sql", "shop").well
    return tmp_path / "shop.sql"


def carried_out(server: RunningMysql, database: str, *orders: str) -> None:
    with server.connect(database) as connection, connection.cursor() as cursor:
        for order in orders:
            cursor.execute(order)


def held(server: RunningMysql, database: str) -> Manifest:
    one = take(server.connect, [database], product="mysql")
    return replace(one, contents=(replace(one.contents[0], name="shop"),))


def test_a_dump_comes_back_whole_and_one_change_is_seen(running: RunningMysql, copy: Path) -> None:
    assert running.engine.version.startswith("9.")
    running.create("back")
    finished = running.restore(copy, "back")
    assert finished.well, restore_errors(finished)
    assert differences(held(running, "shop"), held(running, "back")) == ()
    carried_out(running, "back", "UPDATE customer SET about = JSON_SET(about, '$.g', 0) WHERE id = 7")
    (one,) = differences(held(running, "shop"), held(running, "back"))
    assert "table customer: 300 rows, now as many rows" in str(one)


@pytest.mark.timeout(300)  # a whole rehearsal, on a machine that may have others to serve
def test_an_upgrade_is_planned_and_rehearsed_with_the_owners_questions(
    copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    estate = tmp_path / "estate"
    estate.mkdir()
    (estate / "db.yaml").write_text(ESTATE, encoding="utf-8")
    (estate / "shoreup.toml").write_text(SMOKE.format(200), encoding="utf-8")
    asked = (str(estate), "--format", "json", "--ledger", "sqlite:///ledger.sqlite")
    assert run(["upgrade", "mysql", "plan", *asked]) == 0
    (plan,) = json.loads(capsys.readouterr().out)["plans"]
    assert (plan["target"], plan["by_dump"], plan["rehearsal"]["counts"]) == ("9.7", True, False)

    assert run(["upgrade", "mysql", "rehearse", *asked, "--from", str(copy)]) == 0
    (proof,) = json.loads(capsys.readouterr().out)["proofs"]
    assert (proof["drill"], proof["verdict"]) == ("upgrade", "pass"), proof["after"]
    assert proof["control"]["refused"] is True
    assert any(one["name"] == "asked" for one in proof["measurements"])
