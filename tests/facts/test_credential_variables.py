"""A credential that a command gets from its environment: what the script says afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from shoreup.stages.fix import FixOptions, fix

HEAD = """\
apiVersion: batch/v1
kind: Job
metadata: {name: dump, namespace: data}
spec:
  template:
    spec:
      containers:
        - name: job
          image: tools:1.2.3
          command:
            - sh
            - -c
            - |
"""


def silent(what: str, done: int, total: int) -> None:
    """Nobody waits."""


def handed_over(folder: Path, line: str, *, head: str = HEAD, concern: str = "credential-on-command-line") -> str:
    """The program after the fix."""
    written = head + "".join(f"              {one}\n" for one in line.split("\n"))
    (folder / "job.yaml").write_text(written)
    fixed = fix([folder], FixOptions(select=(concern,), unsafe=True), silent)
    assert not fixed.amendment.dropped
    after = next((one.after.decode() for one in fixed.amendment.changes), written)
    return "\n".join(one.removeprefix("              ") for one in after.removeprefix(head).splitlines())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("mysqldump -h db -p$PASSWORD app > /b/a", 'MYSQL_PWD="$PASSWORD" mysqldump -h db app > /b/a'),
        ('mysql --password="${DB_PASSWORD}" -e "x"', 'MYSQL_PWD="${DB_PASSWORD}" mysql -e "x"'),
        ("redis-cli -a $REDIS_PASSWORD ping", 'REDISCLI_AUTH="$REDIS_PASSWORD" redis-cli ping'),
        ("sshpass -p $SSH_PASSWORD scp a b:", 'SSHPASS="$SSH_PASSWORD" sshpass -e scp a b:'),
        (
            'pg_dump "postgresql://app:${PG_PASSWORD}@db/app" > /b/a',
            'PGPASSWORD="${PG_PASSWORD}" pg_dump "postgresql://app@db/app" > /b/a',
        ),
        ("psql postgresql://app:$PG_PASSWORD@db/app", 'PGPASSWORD="$PG_PASSWORD" psql postgresql://app@db/app'),
        ("cat a | mysql -u root -p$PASSWORD", 'cat a | MYSQL_PWD="$PASSWORD" mysql -u root'),
        ("mysqldump \\\n  -p$PASSWORD \\\n  app", 'MYSQL_PWD="$PASSWORD" mysqldump \\\n  app'),
        ("mysql -p$MYSQL_PWD app", "mysql app"),
    ],
)
def test_the_variable_stands_before_the_command(before: str, after: str, tmp_path: Path) -> None:
    assert handed_over(tmp_path, before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("set -ex\ncurl -H $API_TOKEN a", "set -e\ncurl -H $API_TOKEN a"),
        ("set -x\ncurl -H $API_TOKEN a", "curl -H $API_TOKEN a"),
        ("set -e -x -u\ncurl -H $API_TOKEN a", "set -e -u\ncurl -H $API_TOKEN a"),
        ("set -e\nset -o xtrace\ncurl -H $API_TOKEN a", "set -e\ncurl -H $API_TOKEN a"),
        ('a\necho "with $PASSWORD"\nb', "a\nb"),
        ('if a; then\n  echo "$PASSWORD"\nfi', "if a; then\n  :\nfi"),
        ('echo "$PASSWORD" | tee /run/p', 'echo "$PASSWORD" > /run/p'),
        ('echo "$PASSWORD" | tee -a /run/p', 'echo "$PASSWORD" >> /run/p'),
        ('a && echo "$PASSWORD"', 'a && echo "$PASSWORD"'),
        ('a || \\\n  echo "$PASSWORD"', 'a || \\\n  echo "$PASSWORD"'),
    ],
)
def test_what_prints_goes(before: str, after: str, tmp_path: Path) -> None:
    assert handed_over(tmp_path, before, concern="credential-in-log") == after


@pytest.mark.parametrize(
    "line",
    [
        "mysqldump -pwritten-out app",
        "timeout 60 mysqldump -p$PASSWORD app",
        "kubectl exec db -- mysqldump -p$PASSWORD app",
        'sh -c "mysqldump -p$PASSWORD app"',
        "mysqldump -p${PASSWORD:-none} app",
        "mysqldump -p$(cat /run/password) app",
        "ldapsearch -w $PASSWORD -D cn=admin",
        "curl -u admin:$PASSWORD https://example.org",
    ],
)
def test_what_is_not_sure_stays_as_it_is(line: str, tmp_path: Path) -> None:
    assert handed_over(tmp_path, line) == line
