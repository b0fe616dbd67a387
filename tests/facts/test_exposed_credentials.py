"""Which words of a command line are credentials, and which only look like it."""

from __future__ import annotations

import json

import pytest

from shoreup.facts.secrets.on_command_lines import ExposedCredential, exposed_credentials
from small_estates import estate

ENV = """
          env:
            - {name: PASSWORD, valueFrom: {secretKeyRef: {name: s, key: p}}}
            - {name: USERNAME, valueFrom: {secretKeyRef: {name: s, key: u}}}
            - {name: DATABASE_URL, valueFrom: {secretKeyRef: {name: s, key: d}}}
            - {name: PUBLIC_URL, value: "https://example.org"}
"""


def found(command: list[str]) -> list[ExposedCredential]:
    pod = f"""
      apiVersion: v1
      kind: Pod
      metadata: {{name: a, namespace: n}}
      spec:
        containers:
        - name: c
          image: alpine:3.21
          command: {json.dumps(command)}
{ENV}
    """
    return list(exposed_credentials(estate(pod)))


def shell(text: str) -> list[ExposedCredential]:
    return found(["sh", "-c", text])


@pytest.mark.parametrize(
    ("text", "tool", "option", "variable"),
    [
        ("mysql -u root -p$PASSWORD", "mysql", "-p", "PASSWORD"),
        ("mysql -u root -p${PASSWORD} app", "mysql", "-p", "PASSWORD"),
        ("mysqldump --password=$PASSWORD app", "mysqldump", "--password", "PASSWORD"),
        ("mysqladmin -p$P ping", "mysqladmin", "-p", "P"),
        ("P=$PASSWORD; mysqladmin -p$P ping", "mysqladmin", "-p", "PASSWORD"),
        ("P=$(cat /run/secrets/p); mysqladmin -p$P ping", "mysqladmin", "-p", ""),
        ("redis-cli -a $PASSWORD ping", "redis-cli", "-a", "PASSWORD"),
        ("redis-server --requirepass $PASSWORD", "redis-server", "--requirepass", "PASSWORD"),
        ("curl -u admin:$PASSWORD http://x", "curl", "-u", "PASSWORD"),
        ("curl --user=admin:$PASSWORD http://x", "curl", "--user", "PASSWORD"),
        ('curl -H "Authorization: Bearer $TOKEN" http://x', "curl", "a header", "TOKEN"),
        ("curl http://admin:$PASSWORD@x/", "curl", "a URL", "PASSWORD"),
        ("psql postgresql://app:$PASSWORD@db/app", "psql", "a URL", "PASSWORD"),
        ("psql -c \"ALTER USER a PASSWORD '$PASSWORD'\"", "psql", "", "PASSWORD"),
        ("mc alias set m http://m:9000 admin $PASSWORD", "mc", "", "PASSWORD"),
        ("exec redis-server --requirepass $PASSWORD", "redis-server", "--requirepass", "PASSWORD"),
        ("kubectl exec db-0 -- mysql -p$PASSWORD", "kubectl", "", "PASSWORD"),
        ("ldapsearch -x -w $PASSWORD", "ldapsearch", "-w", "PASSWORD"),
    ],
)
def test_a_credential_by_its_option_its_name_or_its_place(text: str, tool: str, option: str, variable: str) -> None:
    (one,) = shell(text)
    assert (one.tool, one.option, one.variable) == (tool, option, variable)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("mysql -psecret12", 8),
        ("redis-cli -a hunter22 ping", 8),
        ("curl -u a:hunter22 x", 8),
        ("psql postgres://a:hunter22@d/b", 8),
    ],
)
def test_a_written_credential_is_told_by_its_length_alone(text: str, length: int) -> None:
    (one,) = shell(text)
    assert (one.variable, one.length) == ("", length)


@pytest.mark.parametrize(
    "text",
    [
        "mysql -u root -p app",
        "mysql -u $USERNAME app",
        "MYSQL_PWD=$PASSWORD mysql app",
        "export PGPASSWORD=$PASSWORD; psql app",
        'echo "$PASSWORD" > /etc/pw',
        'printf "%s" "$PASSWORD" | docker login --password-stdin',
        '[ -n "$PASSWORD" ] && echo ok',
        'test -n "$PASSWORD"',
        "psql postgresql://app@db/app",
        "curl https://example.org/a:b@c",
        "curl -u admin http://x",
        "app --password-file=/run/secrets/p --token=/var/run/token --passphrase=@/run/p",
        "app --enable-token=true --password=",
        "app --token-ttl=3600 --secret-name=app-tls",
        "mkdir -p $PASSWORD_DIR",
        "ssh -p 22 host",
        "app --url=$PUBLIC_URL",
        "sed -i s/a/$TOKEN_URL/ x",
        'curl -H "Content-Type: application/json" http://x',
        'curl -H "X-Request-Id: 1234567890abcdef" http://x',
        "cat <<EOF > /etc/my.cnf\npassword=$PASSWORD\nEOF",
    ],
)
def test_what_only_looks_like_one(text: str) -> None:
    assert shell(text) == []


def test_a_connection_string_from_a_secret_is_likely_one() -> None:
    (one,) = shell("pg_dump $DATABASE_URL > /b/x")
    assert (one.variable, one.certain) == ("DATABASE_URL", False)


def test_kubernetes_own_references_count_in_arguments() -> None:
    (one,) = found(["app", "--password=$(PASSWORD)"])
    assert (one.option, one.variable) == ("--password", "PASSWORD")
    assert one.declared is not None
    assert found(["app", "--user=$(USERNAME)"]) == []


def test_arguments_without_a_command_belong_to_the_images_own() -> None:
    (one,) = found(["--requirepass", "$(PASSWORD)"])
    assert (one.tool, one.option) == ("", "--requirepass")
