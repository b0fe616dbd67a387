"""YAML is read as Kubernetes reads it; what is broken is said and what is whole is kept."""

from __future__ import annotations

import math
import time

import pytest

from shoreup.formats.yaml import ENCRYPTED, TEMPLATE, load, load_json
from shoreup.model.value import Unknown, Value


def value_of(text: str, *, words: bool = True) -> Value:
    stream = load(text, words=words)
    assert not stream.problems
    (document,) = stream.documents
    return document.value


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("yes", True),
        ("Off", False),
        ("y", True),
        ("null", None),
        ("~", None),
        ("0777", 511),
        ("0o17", 15),
        ("0x1F", 31),
        ("-0b11", -3),
        ("08", 8.0),
        ("1_000", 1000),
        ("1.5e3", 1500.0),
        ("1e3", 1000.0),
        ("12:30:45", "12:30:45"),
        ("2001-12-14", "2001-12-14"),
        ("1.2.3", "1.2.3"),
        (".5", 0.5),
        ("+12", 12),
        ("0", 0),
        ("-.inf", -math.inf),
        ("10m", "10m"),
        ("'yes'", "yes"),
        ("!!str 5", "5"),
        ('!!int "5"', 5),
        ("!!float 5", 5.0),
        ("!vault abc", "abc"),
        ("9" * 400, int("9" * 400)),
        ("9" * 401, "9" * 401),
    ],
)
def test_plain_scalars_are_resolved_as_go_yaml_does(written: str, meant: Value) -> None:
    value = value_of(f"a: {written}")
    assert isinstance(value, dict)
    assert value["a"] == meant
    assert type(value["a"]) is type(meant)


def test_an_absent_value_is_null() -> None:
    assert value_of("a:\nb: 1\n") == {"a": None, "b": 1}


def test_kustomize_and_workflows_read_yes_as_text() -> None:
    assert value_of("on: yes\nx: true\n", words=False) == {"on": "yes", "x": True}


def test_keys_are_text_as_in_json() -> None:
    assert value_of("1: a\ntrue: b\n~: c\n1.5: d\n") == {"1": "a", "true": "b", "null": "c", "1.5": "d"}


def test_merge_keys_give_way_to_what_is_written() -> None:
    text = "base: &base {a: 1, b: 2}\nother: &other {b: 3, c: 4}\none:\n  <<: [*base, *other]\n  a: 9\n"
    value = value_of(text)
    assert isinstance(value, dict)
    assert value["one"] == {"a": 9, "b": 2, "c": 4}


def test_a_key_given_twice_is_reported_and_the_last_wins() -> None:
    stream = load("a: 1\nb: 2\na: 3\n")
    assert stream.documents[0].value == {"a": 3, "b": 2}
    (problem,) = stream.problems
    assert (problem.line, problem.cause) == (3, 'the key "a" is given twice')


def test_whole_documents_beside_a_broken_one_are_kept() -> None:
    stream = load("a: 1\n---\nb: [1\nc: 2\n---\nd: 3\n")
    assert [document.value for document in stream.documents] == [{"a": 1}, {"d": 3}]
    assert [document.line for document in stream.documents] == [1, 5]
    (problem,) = stream.problems
    assert problem.line == 4
    assert "no valid YAML" in problem.cause
    trace = stream.documents[1].trace(("d",))
    assert trace is not None
    assert (trace.start, trace.end) == (27, 28)


@pytest.mark.parametrize(
    ("text", "line", "cause"),
    [
        ("a: 1\n\tb: 2\n", 2, "found a tab character"),
        ("a: 1\nb: \0\n", 2, "U+0000"),
        ("a: *nowhere\n", 1, "refers to nothing"),
        ("a: &a [*a]\n", 1, "refers to nothing"),
        ("? [a]\n: 1\n", 1, "a mapping or a list"),
        ("a:\n  <<: 5\n", 2, "<< takes a mapping"),
        ("a: 'open\n", 2, "quoted scalar"),
        ("%YAML 3.0\n---\na: 1\n", 1, "no valid YAML"),
    ],
)
def test_what_is_wrong_has_its_line_and_cause(text: str, line: int, cause: str) -> None:
    problem = load(text).problems[0]
    assert problem.line == line
    assert cause in problem.cause


def test_an_alias_bomb_is_refused_at_once() -> None:
    levels = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30))
    began = time.monotonic()
    stream = load(f"a0: &a0 lol\n{levels}\n")
    assert "unfold" in stream.problems[0].cause
    assert stream.documents == ()
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "- " * 100_000,
        "{a: " * 50_000,
        "\n".join(" " * n + "a:" for n in range(2_000)),
        "\n".join([f"a{n}: &a{n} [{f'*a{n - 1}' if n else ''}]" for n in range(400)]),
    ],
    ids=["flow", "dashes", "maps", "blocks", "aliases"],
)
def test_deep_nesting_is_refused_at_once(text: str) -> None:
    began = time.monotonic()
    stream = load(text)
    assert "nested deeper" in stream.problems[0].cause
    assert time.monotonic() - began < 5


def test_json_is_bounded_too() -> None:
    assert load_json('{"a": [1, null]}').documents[0].value == {"a": [1, None]}
    assert "no valid JSON" in load_json('{"a": }').problems[0].cause
    assert load_json("[" * 100_000).problems
    assert load_json("[" * 200 + "]" * 200).problems
    assert load_json('{"a": NaN}').problems


@pytest.mark.parametrize(
    "text",
    [
        "kind: Service\nmetadata:\n  name: {{ .Values.name }}\n",
        "{{- if .Values.enabled }}\nkind: Service\n{{- end }}\n",
        '{{- define "x" }}\n  a: b\n{{- end }}\n',
        "{% if a %}\nkind: Service\n{% endif %}\n",
        "packages:\n  - git\n  %{if cluster}\n  - kubelet\n  %{~ endif }\n",
        "spec:\n  {{- toYaml .Values.spec | nindent 2 }}\n  a: {{ .b }}:{{ .c }}\n",
        'labels: {{ include "x" . }}\n',
    ],
)
def test_a_template_is_recognised(text: str) -> None:
    stream = load(text)
    assert (stream.skipped, stream.documents, stream.problems) == (TEMPLATE, (), ())


def test_a_broken_file_with_quoted_braces_is_no_template() -> None:
    stream = load('a: "{{ .Values.x }}"\nb: [1\n')
    assert not stream.skipped
    assert stream.problems


def test_braces_inside_text_are_text() -> None:
    assert value_of('a: "{{ x }}"\nb: |\n  {{ y }}\nc: ${VAR}\n') == {"a": "{{ x }}", "b": "{{ y }}\n", "c": "${VAR}"}


def test_sops_documents_show_their_keys_and_never_a_value() -> None:
    text = (
        "kind: Secret\ndata:\n  password: ENC[AES256_GCM,data:Zm9v,iv:eA==,tag:eA==,type:str]\n"
        "sops:\n  mac: ENC[AES256_GCM,data:eA==]\n  lastmodified: '2026-01-01T00:00:00Z'\n"
    )
    (document,) = load(text).documents
    assert document.encrypted
    assert document.value == {"kind": "Secret", "data": {"password": Unknown("encrypted with sops")}}


def test_an_ansible_vault_is_encrypted() -> None:
    assert load("$ANSIBLE_VAULT;1.1;AES256\n6162\n").skipped == ENCRYPTED


def test_an_empty_text_has_no_documents() -> None:
    assert load("").documents == ()
    assert load("# only a comment\n").documents == ()
    assert [document.value for document in load("---\n---\na: 1\n").documents] == [None, {"a": 1}]


def test_megabytes_are_read_in_time() -> None:
    text = "".join(f"- name: item{n}\n  value: [1, 2, three]\n" for n in range(40_000))
    began = time.monotonic()
    value = value_of(text)
    assert isinstance(value, list)
    assert len(value) == 40_000
    assert time.monotonic() - began < 20
