"""Whole estates, damaged at random: the audit gives an account of what is left, and never fails by a fault of ours."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bad_estates import MANIFEST, SECONDS, TODAY, faults, manifest, terraform, write
from shoreup.concerns.registry import all_concerns, page
from shoreup.formats.files import FileTree
from shoreup.model.location import Route
from shoreup.model.value import Value
from shoreup.report import contract, sarif, text
from shoreup.stages.audit import AuditOptions, audit
from shoreup.stages.auditing.reading import read

HOMELAB = Path(__file__).parents[2] / "examples" / "homelab"
PARTS = (("terraform/apps", "terraform/modules"), ("terraform/cluster",), ("kubernetes", "edge", "nodes", ".github"))
SMALL: Mapping[str, bytes] = {
    path: content.encode()
    for path, content in {
        "root/main.tf": 'module "m" {\n  source   = "../module"\n  for_each = local.all\n  name     = each.key\n}\n'
        'locals {\n  all = { for x in ["a", "b"] : x => upper(x) if x != "c" }\n}\n'
        'resource "kubectl_manifest" "k" {\n  yaml_body = templatefile("k.yaml.tftpl", { all = local.all })\n}\n',
        "root/k.yaml.tftpl": MANIFEST + '          args: ["%{ for key, x in all ~}${key}=${x} %{ endfor ~}"]\n',
        "root/terraform.tfvars": 'one = "1"\ntwo = [2, { three = <<-EOT\n  text\n  EOT\n}]\n',
        "module/main.tf": 'variable "name" {\n  type = string\n}\n' + terraform("m", '"nginx:${var.name}"'),
        "data/main.tf.json": '{"locals": {"a": "${1 + 1}"}, '
        '"resource": {"kubernetes_config_map": {"c": {"data": {}}}}}',
        "unit/terragrunt.hcl": 'terraform {\n  source = "../module"\n}\ninputs = {\n  name = "unit"\n}\n',
        "overlay/kustomization.yaml": "resources: [../base]\nnamePrefix: x-\nimages: [{name: nginx, newTag: '1'}]\n"
        "patches: [{patch: '[{op: replace, path: /spec/replicas, value: 2}]', target: {kind: Deployment}}]\n"
        "configMapGenerator: [{name: c, literals: [a=b], files: [f=file.txt]}]\n",
        "overlay/file.txt": "#!/bin/sh\nset -e\npg_dump db | gzip > /backup/$(date +%F).gz\n"
        "find /backup -mtime +7 -delete\n",
        "base/kustomization.yaml": "resources:\n- a.yaml\n",
        "base/a.yaml": manifest("a").replace("spec:\n  selector", "spec:\n  replicas: 1\n  selector"),
        "compose.yaml": "x-all: &all {restart: always}\nservices:\n  db:\n    <<: *all\n    image: postgres:15\n"
        '    ports: ["5432:5432"]\n    volumes: [db:/var/lib/postgresql/data]\nvolumes: {db: {}}\n',
        ".github/workflows/a.yaml": "on: push\njobs:\n  a:\n    steps:\n    - run: |\n"
        "        terraform apply -auto-approve\n",
    }.items()
}


def _parts() -> list[Mapping[str, bytes]]:
    files = {path.relative_to(HOMELAB).as_posix(): path for path in HOMELAB.rglob("*") if path.is_file()}
    return [
        {name: path.read_bytes() for name, path in sorted(files.items()) if name.startswith(part)} for part in PARTS
    ]


ESTATES = [SMALL, SMALL, *_parts()]
STRANGE = [
    *(b"null", b"{}", b"[]", b'""', b"${", b"}", b"%{ if x }", b"~", b"*a", b"&a ", b"<<: ", b"- ", b": ", b"\t"),
    *(b"\n---\n", b"each.value", b"count.index", b"[*]", b"...", b"=>", b"for x in y", b"\0", b"\xff", b"-1", b"1e999"),
    *(b"99999999999999999999999", b'"', b"'", b"|", b">", b"!!binary ", b"<<EOT\n", b"\r\n", b"\xef\xbb\xbf"),
    *(b"{{ .x }}", b"$patch: delete\n", b"self", b"local.x", b"..", b"0x1f", b".inf", b"2026-01-01", b"1:30"),
]
Damage = Callable[[bytes], bytes]


def _spliced(start: float, length: int, instead: bytes) -> Damage:
    def damage(content: bytes) -> bytes:
        at = int(start * len(content))
        return content[:at] + instead + content[at + length :]

    return damage


def _moved(take: float, put: float, keep: bool) -> Damage:
    def damage(content: bytes) -> bytes:
        lines = content.split(b"\n")
        line = lines[int(take * len(lines))]
        if not keep:
            lines.remove(line)
        lines.insert(int(put * len(lines)), line)
        return b"\n".join(lines)

    return damage


def _given_another(at: float, value: bytes) -> Damage:
    def damage(content: bytes) -> bytes:
        lines = content.split(b"\n")
        index = int(at * len(lines))
        for sign in (b": ", b" = "):
            key, found, _ = lines[index].partition(sign)
            if found:
                lines[index] = key + sign + value
        return b"\n".join(lines)

    return damage


PAGES = tuple(page(one) for one in all_concerns())
PLACES = st.floats(0, 1, exclude_max=True)
DAMAGES = st.one_of(
    st.builds(_spliced, PLACES, st.integers(0, 40), st.sampled_from([b"", *STRANGE])),
    st.builds(_spliced, PLACES, st.just(1), st.binary(min_size=1, max_size=1)),
    st.builds(_spliced, PLACES, st.just(1 << 30), st.just(b"")),
    st.builds(_moved, PLACES, PLACES, st.booleans()),
    st.builds(_given_another, PLACES, st.sampled_from(STRANGE)),
)


@st.composite
def damaged(draw: st.DrawFn) -> Mapping[str, bytes]:
    """An estate with damage in some of its files."""
    files = dict(draw(st.sampled_from(ESTATES)))
    for path in draw(st.lists(st.sampled_from(sorted(files)), min_size=1, max_size=4)):
        for damage in draw(st.lists(DAMAGES, min_size=1, max_size=3)):
            files[path] = damage(files[path])
    return files


def routes(value: Value, route: Route = ()) -> Iterator[Route]:
    """The way to every value inside a value."""
    yield route
    if isinstance(value, dict):
        for key, item in value.items():
            yield from routes(item, (*route, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from routes(item, (*route, index))


def survive(files: Mapping[str, bytes]) -> None:
    """Audit the files; whatever they are, the account can be told and has no fault of ours, and all has its place."""
    with TemporaryDirectory() as folder:
        write(Path(folder), files)
        began = time.process_time()
        account = audit([Path(folder)], AuditOptions(cache=False, today=TODAY))
        assert faults(account) == []
        assert time.process_time() - began < SECONDS
        assert json.loads(contract.render(account))["version"]
        assert json.loads(sarif.render(account, PAGES))["version"] == "2.1.0"
        assert text.render(account, width=80, detail="full")
        reading = read(FileTree(Path(folder)), None, lambda *_: None)
        for found in reading.found:
            for route in routes(dict(found.resource.body)):
                found.tracer.trace(route)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(damaged())
def test_a_damaged_estate_is_audited(files: Mapping[str, bytes]) -> None:
    survive(files)


def test_the_estates_are_whole_before_they_are_damaged() -> None:
    for files in ESTATES:
        with TemporaryDirectory() as folder:
            write(Path(folder), files)
            account = audit([Path(folder)], AuditOptions(cache=False, today=TODAY))
            assert account.findings
            assert not any("valid" in one.cause or "expected" in one.cause for one in account.errors)


def test_files_that_are_no_text_are_asked_for_where_they_are_used() -> None:
    used = terraform("a").replace(
        "        container {\n", '        container {\n          args = ["x", file("run.sh")]\n'
    )
    data = 'data "local_file" "x" {\n  filename = "run.sh"\n}\n' + terraform("b", "data.local_file.x.content")
    survive(
        {
            "root/main.tf": used.encode(),
            "root/run.sh": b"echo \xea\n",
            "other/main.tf": data.encode(),
            "other/run.sh": b"\xea",
        }
    )
