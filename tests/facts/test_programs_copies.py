"""What commands copy away: from which server or path, where to, and whether each run makes a new file."""

from __future__ import annotations

import pytest

from shoreup.facts.backups.commands.copies import Copy, copies, host_of
from shoreup.formats.shell import parse


def read(text: str, **environment: str) -> list[Copy]:
    return list(copies(parse(text), environment))


def one(text: str, **environment: str) -> Copy:
    found = read(text, **environment)
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("pg_dump -h db app", "db"),
        ("pg_dump --host=db app", "db"),
        ("pg_dump -hdb app", "db"),
        ("pg_dump postgresql://app:x@db.data.svc:5432/app", "db.data.svc"),
        ("pg_dump -d 'host=db dbname=app'", "db"),
        ("pg_dump --dbname=postgresql://db/app", "db"),
        ("pg_dump -h $HOST app", "db"),
        ("mysqldump -h db -uroot -psecret app", "db"),
        ("mongodump --uri=mongodb://u:p@db/?replicaSet=a --archive", "db"),
        ("redis-cli -h db --rdb /b/dump.rdb", "db"),
        ("pg_dump app", ""),
    ],
)
def test_the_server_that_is_read(text: str, host: str) -> None:
    found = one(f"{text} > /b/x", HOST="db")
    assert (host_of(found.host.text) if found.host else "") == host


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("pg_dump app > /b/app.sql", "/b/app.sql"),
        ("pg_dump app -f /b/app.sql", "/b/app.sql"),
        ("pg_dump app --file=/b/app.sql", "/b/app.sql"),
        ("pg_dump app | gzip > /b/app.gz", "/b/app.gz"),
        ("pg_dump app | gzip | tee /b/app.gz >/dev/null", "/b/app.gz"),
        ("pg_dump app | gpg -e -o /b/app.gpg", "/b/app.gpg"),
        ("pg_dump app | openssl enc -aes256 -out /b/app.enc", "/b/app.enc"),
        ("{ pg_dump app; } | zstd > /b/app.zst", "/b/app.zst"),
        ("cd /b && pg_dump app > app.sql", "/b/app.sql"),
        ("D=/b; pg_dump app > $D/app.sql", "/b/app.sql"),
        ("bash -c 'pg_dump app' > /b/app.sql", "/b/app.sql"),
        ("pg_dump app > /tmp/app.sql; mv /tmp/app.sql /b/app.sql", "/b/app.sql"),
        ("pg_basebackup -D /b/base", "/b/base"),
        ("mysqldump app -r /b/app.sql", "/b/app.sql"),
        ("mongodump --out /b/mongo", "/b/mongo"),
        ("mongodump --archive=/b/mongo.gz --gzip", "/b/mongo.gz"),
        ("mongodump --archive | gzip > /b/mongo.gz", "/b/mongo.gz"),
        ("mariadb-backup --backup --target-dir=/b/maria", "/b/maria"),
        ("etcdctl --endpoints=https://e:2379 snapshot save /b/etcd.db", "/b/etcd.db"),
        ("sqlite3 /data/app.db \".backup '/b/app.db'\"", "/b/app.db"),
        ("sqlite3 /data/app.db \"VACUUM INTO '/b/app.db'\"", "/b/app.db"),
        ("sqlite3 /data/app.db .dump > /b/app.sql", "/b/app.sql"),
        ("tar czf /b/files.tgz /data", "/b/files.tgz"),
        ("tar -cf - /data | gzip > /b/files.tgz", "/b/files.tgz"),
        ("cp -a /data /b/files", "/b/files"),
        ("rsync -a --delete /data/ /b/files/", "/b/files/"),
        ("zip -r /b/files.zip /data", "/b/files.zip"),
    ],
)
def test_the_file_that_is_written(text: str, path: str) -> None:
    found = one(text)
    assert found.path is not None
    assert found.path.text == path


@pytest.mark.parametrize(
    ("text", "remote"),
    [
        ("pg_dump app | aws s3 cp - s3://copies/app.sql", "s3://copies/app.sql"),
        ("pg_dump app | rclone rcat b2:copies/app.sql", "b2:copies/app.sql"),
        ("pg_dump app | mc pipe minio/copies/app.sql", "minio/copies/app.sql"),
        ("pg_dump app | restic backup --stdin", "restic repository"),
        ("pg_dump app > /tmp/app.sql && aws s3 cp /tmp/app.sql s3://copies/", "s3://copies/"),
        ("restic backup /data", "restic repository"),
        ("borg create ssh://b@h/./repo::{now} /data", "ssh://b@h/./repo"),
        ("rclone sync /data b2:copies", "b2:copies"),
        ("rsync -a /data/ user@nas:/copies/", "user@nas:/copies/"),
        ("pg_dump app | ssh nas 'cat > /copies/app.sql'", "ssh nas"),
    ],
)
def test_the_place_elsewhere_that_it_is_sent_to(text: str, remote: str) -> None:
    assert one(text).remote == remote


@pytest.mark.parametrize(
    ("name", "new"),
    [
        ("app.sql", False),
        ("app-$(date +%F).sql", True),
        ("app-`date +%Y%m%d`.sql", True),
        ("app-$(date).sql", True),
        ("app-$(date -Iseconds).sql", True),
        ("app-$(date +%s).sql", True),
        ("app-$(date +%u).sql", False),
        ("app-$(date +%a-%H).sql", False),
        ("app-$(hostname).sql", False),
        ("app-$RANDOM.sql", True),
        ("$(date +%F)/app.sql", True),
        ("app-$1.sql", None),
        ("app-$(git rev-parse HEAD).sql", None),
    ],
)
def test_whether_each_run_makes_a_new_file(name: str, new: bool | None) -> None:
    assert one(f"pg_dump app > /b/{name}").new_file is new


def test_a_date_in_a_variable_is_seen() -> None:
    assert one("NOW=$(date +%F)\nF=/b/app-$NOW.sql\npg_dump app > $F").new_file is True


def test_a_loop_over_databases_is_no_new_name_by_itself() -> None:
    assert one("for d in a b; do pg_dump $d > /b/$d.sql; done").new_file is False
    assert one("for d in a b; do pg_dump $d > /b/$d-$(date +%F).sql; done").new_file is True


def test_what_is_appended_to_is_one_file() -> None:
    assert one("pg_dump app >> /b/app-$(date +%F).sql").new_file is False


def test_a_variable_of_the_container_is_the_same_each_time() -> None:
    assert one("pg_dump app > /b/$NAME.sql").new_file is False


def test_output_into_another_engine_is_no_backup() -> None:
    assert one("pg_dump -h old app | psql -h new app").lost


def test_a_tool_that_only_says_its_version_copies_nothing() -> None:
    assert read("pg_dump --version") == []
    assert read("redis-cli ping") == []
    assert read("etcdctl member list") == []
    assert read("tar xzf /b/files.tgz") == []


def test_what_no_run_reaches_is_no_copy() -> None:
    assert read("save() { pg_dump app > /b/x; }") == []
    assert len(read("save() { pg_dump app > /b/x; }\nsave")) == 1


@pytest.mark.parametrize(
    ("options", "consistent"),
    [
        ("app", True),
        ("app table1 table2", True),
        ("--databases app", True),
        ("--databases app shop", False),
        ("-A", False),
        ("--all-databases", False),
        ("--all-databases --single-transaction", True),
        ("--single-transaction=TRUE -A", True),
        ("--all-databases --lock-all-tables", True),
        ("--all-databases -x", True),
        ("--all-databases --source-data=2", True),
        ("--skip-lock-tables app", False),
        ("--skip-opt app", False),
        ("--skip-opt --lock-tables app", True),
        ("--skip-lock-tables --single-transaction app", True),
        ("--lock-tables=false app", False),
        ("--defaults-extra-file=/etc/x.cnf -A", None),
        ("$OPTIONS --all-databases", None),
    ],
)
def test_when_a_mysql_dump_is_of_one_moment(options: str, consistent: bool | None) -> None:
    assert one(f"mysqldump -u root -p$PW {options} > /b/x").consistent is consistent
    assert one(f"mariadb-dump {options} > /b/x").consistent is consistent


def test_pg_dump_is_always_of_one_moment_and_mongodump_only_with_the_oplog() -> None:
    assert one("pg_dump app > /b/x").consistent is True
    assert one("mongodump --oplog --out /b/x").consistent is True
    assert one("mongodump --out /b/x").consistent is None
