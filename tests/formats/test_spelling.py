"""Other text in a string is written as the string is written, and nothing else of the file changes."""

from __future__ import annotations

import re

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from shoreup.formats.edits import CannotWrite, replaced
from shoreup.formats.encodings import plain_text, spelled
from shoreup.formats.sourcemap import whole
from shoreup.formats.spelling import rewritten, substituted
from shoreup.formats.yaml import load, origin_of
from shoreup.model.location import Route, Span
from shoreup.model.origin import Origin, Reference, Segment
from shoreup.model.value import Value, at
from terraform_reading import terraform

ANY = st.text(alphabet="ab é:#-'\"\\\t{}$%,&*!|>?@`0\n", max_size=14)
LINE = st.text(alphabet="ab é:#-'\"\\{}$%,&*!|>?@`0", max_size=10)


def in_yaml(text: str, *route: str | int) -> Origin:
    trace = load(text).documents[0].trace(route)
    assert trace is not None
    origin = origin_of(trace, whole("f.yaml", text))
    assert origin is not None
    return origin


def put_into(text: str, route: Route, start: int, end: int, new: str) -> str:
    made = substituted(in_yaml(text, *route), start, end, new, lambda _: text.encode())
    return replaced(text.encode(), made).decode()


@pytest.mark.parametrize(
    ("before", "new", "after"),
    [
        ("a: nginx:1.0 # pinned\nb: 1\n", "nginx:1.1", "a: nginx:1.1 # pinned\nb: 1\n"),
        ("a: word\n", "8080", 'a: "8080"\n'),
        ("a: word\n", "yes", 'a: "yes"\n'),
        ("a: word\n", "12:30:45", 'a: "12:30:45"\n'),
        ("a: word\n", "two: words", 'a: "two: words"\n'),
        ("a: word\n", "", 'a: ""\n'),
        ("a: word\n", 'say "hi": #1', "a: 'say \"hi\": #1'\n"),
        ("a: 'word'\n", "it's", "a: 'it''s'\n"),
        ("a: 'word'\n", "two\nlines", 'a: "two\\nlines"\n'),
        ('a: "word"\n', 'say "hi"\n', 'a: "say \\"hi\\"\\n"\n'),
        ("a: |\n  one\n  two\n", "one\nand\n\nmore\ntwo\n", "a: |\n  one\n  and\n\n  more\n  two\n"),
        ("a: |\r\n  one\r\n  two\r\n", "one\nand\ntwo\n", "a: |\r\n  one\r\n  and\r\n  two\r\n"),
        ("a: |-\n    one\nb: 2\n", "one\ntwo", "a: |-\n    one\n    two\nb: 2\n"),
        ("a: >\n  one two\n  three\n", "one 2\nthree\n", "a: >\n  one 2\n\n  three\n"),
        ('a: "one\\n\\\n  two"\n', "one\n  two", 'a: "one\\n  two"\n'),
        ("a: {b: word, c: 1}\n", "x,y", 'a: {b: "x,y", c: 1}\n'),
        ("a: ''\n", "text", "a: 'text'\n"),
    ],
)
def test_a_string_of_yaml_gets_another_text(before: str, new: str, after: str) -> None:
    route: Route = ("a", "b") if "{b" in before else ("a",)
    old = at(load(before).documents[0].value, *route)
    assert isinstance(old, str)
    made = put_into(before, route, 0, len(old), new)
    assert made == after
    assert put_into(made, route, 0, len(new), new) == made


SCRIPT = "a:\n  run: |\n    set -e\n\n    if true; then\n      pg_dump x > y\n    fi\n  b: 1\n"
VALUE = "set -e\n\nif true; then\n  pg_dump x > y\nfi\n"


@pytest.mark.parametrize(
    ("where", "old", "new", "after"),
    [
        ("set -e", "", "set -u\n", SCRIPT.replace("    set -e", "    set -u\n    set -e")),
        ("\n\n", "\n", "\nset -u\n", SCRIPT.replace("set -e\n", "set -e\n    set -u\n")),
        ("fi\n", "fi\n", "", SCRIPT.replace("    fi\n", "")),
        ("set -e\n", "set -e\n", "", SCRIPT.replace("    set -e\n", "")),
        ("  pg_dump", "  pg_dump x > y\n", "", SCRIPT.replace("      pg_dump x > y\n", "")),
        ("  pg_dump", "  pg_dump x > y", "  one\n  two", SCRIPT.replace("pg_dump x > y", "one\n      two")),
    ],
)
def test_lines_of_a_program_come_and_go_with_their_indentation(where: str, old: str, new: str, after: str) -> None:
    start = VALUE.index(where)
    assert put_into(SCRIPT, ("a", "run"), start, start + len(old), new) == after


def test_a_line_is_added_at_the_end_of_a_program() -> None:
    end = len(VALUE)
    assert put_into(SCRIPT, ("a", "run"), end, end, "done\n") == SCRIPT.replace("    fi\n", "    fi\n    done\n")


@given(
    st.sampled_from([None, '"', "'", "|"]),
    st.lists(LINE, min_size=1, max_size=4).map("\n".join),
    st.data(),
)
@settings(max_examples=400)
def test_what_is_read_back_is_what_was_written(style: str | None, old: str, data: st.DataObject) -> None:
    text = yaml.dump({"k": [{"a": old, "b": "x"}]}, default_style=style, allow_unicode=True, width=60)
    if at(load(text).documents[0].value, "k", 0, "a") != old:
        return
    start = data.draw(st.integers(0, len(old)))
    end = data.draw(st.integers(start, len(old)))
    new = data.draw(ANY)
    try:
        made = put_into(text, ("k", 0, "a"), start, end, new)
    except CannotWrite:
        return
    expected = [{"a": old[:start] + new + old[end:], "b": "x"}]
    assert load(made).documents[0].value == {"k": expected}
    if "\t" not in made:  # which PyYAML does not take everywhere
        assert yaml.safe_load(made) == {"k": expected}


@given(ANY)
def test_plain_text_is_read_as_itself(text: str) -> None:
    if plain_text(text):
        assert yaml.safe_load(f"- {text}\n- x: {text}\n") == [text, {"x": text}]
    if plain_text(text, flow=True):
        assert yaml.safe_load(f"[{text}, {{x: {text}}}]\n") == [text, {"x": text}]


TERRAFORM = """
variable "tag" { default = "1.0" }
locals {
  words = { text = "say \\"hi\\" $${x}", port = 8080, image = "nginx:${var.tag}" }
  made  = upper("text")
  both  = "${var.tag}-${var.tag}"
}
resource "kubernetes_config_map" "a" {
  metadata { name = "a" }
  data = {
    text   = local.words.text
    image  = local.words.image
    made   = local.made
    both   = local.both
    port   = local.words.port
    flush  = <<-EOT
      set -e

      curl ${var.tag}
        ${var.tag} last
    EOT
    values = <<EOT
a: "in quotes"
b: |
  one
  two
c: plain
EOT
    list   = jsonencode({ key = "value" })
  }
}
"""


ADDRESS = "kubernetes_config_map.a"


def in_terraform(key: str, old: str, new: str) -> tuple[str, Value]:
    """The text and the value after a change, and the value that is expected."""
    with terraform({"main.tf": TERRAFORM}) as read:
        value = str(read.value(ADDRESS, "data", key))
        start = value.index(old)
        found = next(found for found in read.reading.found if found.resource.address == ADDRESS)
        origin = found.tracer.trace(("data", key))
        assert origin is not None
        content = TERRAFORM.encode()
        changed = replaced(content, substituted(origin, start, start + len(old), new, read.tree.read))
    with terraform({"main.tf": changed}) as read:
        assert not read.problems
        after = read.value(ADDRESS, "data", key)
    assert str(after) == value.replace(old, new, 1)
    return changed.decode(), after


@pytest.mark.parametrize(
    ("key", "old", "new", "line"),
    [
        ("text", "hi", 'a "b" ${c}', 'text = "say \\"a \\"b\\" $${c}\\" $${x}"'),
        ("text", "hi", "two\nlines", 'text = "say \\"two\\nlines\\" $${x}"'),
        ("image", "nginx:1.0", "nginx:1.1", 'variable "tag" { default = "1.1" }'),
        ("image", "nginx", "docker.io/nginx", 'image = "docker.io/nginx:${var.tag}"'),
        ("flush", "set -e\n", "set -eu\nset -x\n", "      set -eu\n      set -x\n\n      curl"),
        ("flush", "curl ", "curl --retry 3 ", "      curl --retry 3 ${var.tag}\n"),
        ("flush", "\n\ncurl", "\n\necho 1\ncurl", "      set -e\n\n      echo 1\n      curl ${var.tag}\n"),
        ("flush", "  1.0 last", "echo 2\n  1.0 last", "      echo 2\n        ${var.tag} last\n"),
        ("values", "one\n  two", "one\n  1\n  two", "  one\n  1\n  two\nc"),
        ("list", "value", "other", 'jsonencode({ key = "other" })'),
    ],
)
def test_a_string_of_terraform_is_changed_where_it_is_written(key: str, old: str, new: str, line: str) -> None:
    text, _ = in_terraform(key, old, new)
    assert line in text


@pytest.mark.parametrize(
    ("key", "old", "new", "reason"),
    [
        ("made", "TEXT", "other", "made by upper() in main.tf, line 5"),
        ("list", '{"key"', '{"name"', "made by jsonencode() in main.tf"),
        ("list", "value", 'val"ue', "cannot be written"),
    ],
)
def test_what_is_made_and_not_written_is_refused_with_the_reason(key: str, old: str, new: str, reason: str) -> None:
    with pytest.raises(CannotWrite, match=re.escape(reason)):
        in_terraform(key, old, new)


def test_text_from_several_places_is_refused_unless_only_one_of_them_changes() -> None:
    text = b'a = "nginx"\nb = "1.0"\n'
    segments = (
        Segment("nginx", Span("f", 5, 10), encodings=("hcl-quoted",), via=(Reference("local.a", Span("f", 0, 1)),)),
        Segment("1.0", Span("f", 17, 20), encodings=("hcl-quoted",), via=(Reference("local.b", Span("f", 0, 1)),)),
    )
    origin = Origin(Span("f", 0, 5), Span("f", 0, 5), (), segments)
    with pytest.raises(CannotWrite, match=r"several places: local\.a and local\.b"):
        substituted(origin, 0, 8, "other", lambda _: text)
    assert replaced(text, substituted(origin, 0, 8, "nginx2.0", lambda _: text)) == b'a = "nginx"\nb = "2.0"\n'


def test_what_is_not_known_is_refused() -> None:
    origin = Origin(Span("f", 0, 1), Span("f", 0, 1), (), (Segment("", Span("f", 0, 1), unknown="set outside"),))
    with pytest.raises(CannotWrite, match="not known: set outside"):
        substituted(origin, 0, 0, "x", lambda _: b"x")


@pytest.mark.parametrize(
    ("before", "new", "after"),
    [("a: 1 # one\n", 2, "a: 2 # one\n"), ("a: true\n", False, "a: false\n"), ("a: word\n", "x", "a: x\n")],
)
def test_a_scalar_is_written_over_another(before: str, new: Value, after: str) -> None:
    old = at(load(before).documents[0].value, "a")
    made = rewritten(in_yaml(before, "a"), old, new, lambda _: before.encode())
    assert replaced(before.encode(), made).decode() == after


def test_a_number_of_terraform_is_written_over() -> None:
    assert "port = 90," in in_terraform("port", "8080", "90")[0]
    assert 'port = "http",' in in_terraform("port", "8080", "http")[0]


@pytest.mark.parametrize(
    ("text", "encodings", "written"),
    [
        ('a "b"', ("hcl-heredoc", "yaml-double"), 'a \\"b\\"'),
        ('a "b"', ("hcl-quoted", "json"), 'a \\\\\\"b\\\\\\"'),
        ("${a}", ("json", "hcl-template"), "$${a}"),
        ("true", ("yaml-plain",), None),
        ("a\nb", ("yaml-single",), None),
        ("plain", ("hcl-quoted", "encoded"), "plain"),
        ('"', ("hcl-quoted", "encoded"), None),
        ("12", ("hcl-literal",), "12"),
        ("a b", ("hcl-literal",), None),
    ],
)
def test_the_outer_format_writes_what_the_inner_one_wrote(
    text: str, encodings: tuple[str, ...], written: str | None
) -> None:
    assert spelled(text, encodings) == written
