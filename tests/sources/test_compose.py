"""A compose file's services, as Compose itself would read them."""

from __future__ import annotations

from pathlib import Path

from shoreup.formats.files import FileTree
from shoreup.model.location import Span
from shoreup.model.value import PartialText, Unknown, at
from shoreup.sources.compose import read_compose
from shoreup.sources.reading import Found


def services(root: Path, **files: str) -> dict[str, Found]:
    for name, content in files.items():
        path = root / name.replace("__", "/").replace("_env", ".env").replace("_yaml", ".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return {found.resource.name: found for found in read_compose(FileTree(root)) if found.resource.kind == "service"}


def test_a_service_keeps_composes_own_shape(tmp_path: Path) -> None:
    found = services(
        tmp_path,
        stack__compose_yaml="services:\n  db: {image: postgres:16.4, volumes: [data:/var/lib/data]}\n",
    )
    resource = found["db"].resource
    assert (resource.api_version, resource.source, resource.root) == ("compose", "compose", "stack")
    assert resource.body == {"image": "postgres:16.4", "volumes": ["data:/var/lib/data"]}


def test_variables_come_from_the_env_file_beside_it_and_keep_both_places(tmp_path: Path) -> None:
    found = services(
        tmp_path,
        compose_yaml='services:\n  db:\n    image: "postgres:${PG}-alpine"\n',
        _env="# comment\nOTHER='x'\nPG=16.4 # the version\n",
    )
    db = found["db"]
    assert db.resource.body["image"] == "postgres:16.4-alpine"
    origin = db.tracer.trace(("image",))
    assert origin is not None
    assert origin.text == "postgres:16.4-alpine"
    setting = next(segment for segment in origin.segments if segment.text == "16.4")
    assert setting.span == Span(".env", 23, 27)
    (step,) = setting.via
    assert step.name == "PG"
    assert step.span.file == "compose.yaml"


def test_defaults_are_used_and_what_the_shell_sets_is_unknown(tmp_path: Path) -> None:
    found = services(
        tmp_path,
        compose_yaml="""\
services:
  app:
    image: example/app:${TAG:-1.2.3}
    user: ${USER_ID}
    hostname: a-${HOST_NAME:?say it}-b
    command: echo $$HOME ${EMPTY-fallback} ${SET:+replaced}
""",
        _env="EMPTY=\nSET=1\n",
    )
    body = found["app"].resource.body
    assert body["image"] == "example/app:1.2.3"
    assert isinstance(body["user"], Unknown)
    assert isinstance(body["hostname"], PartialText)
    assert body["hostname"].pattern == "a-*-b"
    assert body["command"] == "echo $HOME  replaced"
    origin = found["app"].tracer.trace(("image",))
    assert origin is not None
    content = (tmp_path / "compose.yaml").read_bytes()
    default = next(segment for segment in origin.segments if segment.text == "1.2.3")
    assert default.span is not None
    assert content[default.span.start : default.span.end] == b"1.2.3"


def test_an_override_file_lies_over_its_base(tmp_path: Path) -> None:
    (tmp_path / "docker-compose.yml").write_text("services:\n  app: {image: a:1, restart: always}\n")
    (tmp_path / "docker-compose.override.yml").write_text("services:\n  app: {image: a:2}\n")
    found = services(tmp_path)
    assert found["app"].resource.body == {"image": "a:2", "restart": "always"}
    origin = found["app"].tracer.trace(("image",))
    assert origin is not None
    assert origin.span.file == "docker-compose.override.yml"


def test_extends_is_followed_into_another_file_and_never_in_a_circle(tmp_path: Path) -> None:
    found = services(
        tmp_path,
        compose_yaml="""\
services:
  web: {extends: {file: base/common.yaml, service: base}, image: web:2}
  loop: {extends: loop, image: loop:1}
  lost: {extends: {file: nowhere.yaml, service: base}, image: lost:1}
""",
        base__common_yaml="services:\n  base: {image: web:1, restart: always}\n",
    )
    assert found["web"].resource.body == {"image": "web:2", "restart": "always"}
    assert found["loop"].resource.body == {"image": "loop:1"}
    assert found["lost"].resource.body == {"image": "lost:1"}


def test_a_variant_gives_only_services_that_stand_alone(tmp_path: Path) -> None:
    (tmp_path / "compose.prod.yaml").write_text("services:\n  app: {restart: always}\n  extra: {image: extra:1}\n")
    assert set(services(tmp_path)) == {"extra"}


def test_what_is_no_compose_file_is_left_alone_and_what_is_broken_is_told(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services: [\n")
    (tmp_path / "docker-compose.yaml").write_bytes(b"services: \xff\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "compose.yaml").write_text("services:\n")
    tree = FileTree(tmp_path)
    assert list(read_compose(tree)) == []
    assert {error.file for error in tree.errors} == {"compose.yaml", "docker-compose.yaml"}


def test_anchors_and_merge_keys(tmp_path: Path) -> None:
    found = services(
        tmp_path,
        compose_yaml="""\
x-common: &common {restart: always, environment: {TZ: Europe/Berlin}}
services:
  app: {<<: *common, image: app:1}
""",
    )
    assert at(dict(found["app"].resource.body), "environment", "TZ") == "Europe/Berlin"
