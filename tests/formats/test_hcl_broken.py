"""Broken and hostile HCL: what is whole is kept, each problem has its line, nothing fails and nothing hangs."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from time import process_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shoreup.formats.hcl import Source, parse_file
from shoreup.formats.hcl.json_syntax import parse_json_file, parse_json_values
from shoreup.formats.hcl.syntax import Attribute, Block, Body, File

WHOLE = """\
variable "a" {
  default = "x${1 + 1}"
}
resource "b" "c" {
  d = [for e in f : e if e != null]
  g {
    h = <<-EOT
      i ${~ j } %{ if k }l%{ else }m%{ endif }
    EOT
  }
  n = { o = "p", (q) = r[0].s[*].t }
}
locals {
  u = v ? w(x, y...) : "\\u00e9"
}
"""


def read(text: str | bytes) -> File:
    return parse_file(Source("main.tf", text if isinstance(text, bytes) else text.encode()))


def names(body: Body) -> list[str]:
    return [" ".join([block.kind, *block.labels]) for block in body.blocks]


@pytest.mark.parametrize(
    ("broken", "line", "cause"),
    [
        ('resource "x" "y" {\n  a = \n}\n', 5, "an expression is missing"),
        ('resource "x" "y" {\n  a = [1,\n}\n', 6, "unexpected '}'"),
        ('resource "x" "y" {\n  a = "b\n}\n', 5, "a string that is never closed"),
        ('resource "x" "y" {\n  a = <<EOT\n}\n', 5, "the heredoc EOT is never closed"),
        ('resource "x" "y" {\n  a = 1\n  a = 2\n}\n', 6, "the argument a is set twice in one block"),
        ('resource "x" "y" {\n  a = 1\n', 4, "this block is never closed with }"),
        ('resource "x" "y" {\n  a = "${b"\n}\n', 5, "expected '}' to end the template sequence, found a string"),
        ('resource "x" "y" {\n  a == 1\n}\n', 5, "a word that begins neither an argument nor a block"),
    ],
)
def test_a_broken_block_costs_itself_alone(broken: str, line: int, cause: str) -> None:
    before = 'variable "one" {\n  default = 1\n}\n'
    after = 'output "two" {\n  value = 2\n}\n'
    file = read(before + broken + after)
    assert names(file.body) == ["variable one", "output two"]
    assert [(problem.line, problem.cause, problem.skipped) for problem in file.problems] == [
        (line, cause, 'the block resource "x" "y"')
    ]


def test_several_broken_blocks_are_each_named() -> None:
    file = read('resource "a" "b" {\n  x = \n}\nlocals {\n  y = 1\n}\nresource "c" "d" {\n  z = )\n}\n')
    assert names(file.body) == ["locals"]
    assert [(problem.line, problem.skipped) for problem in file.problems] == [
        (2, 'the block resource "a" "b"'),
        (8, 'the block resource "c" "d"'),
    ]


def test_a_block_that_begins_like_another_inside_a_heredoc_is_text() -> None:
    file = read('resource "a" "b" {\n  x = <<EOT\nresource "no" "no" {\nEOT\n}\nlocals {\n  y = )\n}\n')
    assert names(file.body) == ["resource a b"]


def test_values_after_a_broken_one_are_kept() -> None:
    file = read('a = 1\nb = [\nc = "x"\nd = {\n  e = 1\n}\n')
    assert set(file.body.attributes) == {"a", "c", "d"}
    assert [(problem.line, problem.skipped) for problem in file.problems] == [(3, "the argument b")]


def test_problems_repeat_no_text_of_the_file() -> None:
    file = read('a = "first"hunter2"\nb = hunter2 hunter3\n')
    assert file.problems
    assert not any("hunter" in problem.cause + problem.skipped for problem in file.problems)


def test_text_that_is_not_utf_8_costs_the_block_that_holds_it() -> None:
    file = read(b'locals {\n  a = "\xff"\n}\n# \xff\nresource "b" "c" {\n  d = "\xc3\xa9"\n}\n')
    assert names(file.body) == ["resource b c"]
    assert [(problem.line, problem.cause, problem.skipped) for problem in file.problems] == [
        (2, "not UTF-8", "the block locals")
    ]


def test_many_problems_end_with_a_last_one() -> None:
    file = read("a = ]\n" * 1000)
    assert len(file.problems) == 51
    assert file.problems[-1].skipped == "the rest of the file"


HOSTILE = {
    "brackets": "a = " + "[" * 100_000,
    "braces": "a = " + "{" * 100_000,
    "parentheses": "a = " + "(" * 100_000,
    "calls": "a = " + "f(" * 50_000,
    "conditions": "a = " + "b ? " * 50_000,
    "minuses": "a = " + "-" * 100_000,
    "interpolations": 'a = "' + '${"' * 50_000,
    "directives": 'a = "' + "%{if a}" * 50_000 + '"',
    "blocks": "a {\n" * 50_000,
    "headers": 'resource "a" "b" {\n' * 20_000,
    "quotes": '"' * 100_000,
    "open strings": 'a = "\n' * 50_000,
    "open heredocs": "".join(f"a{i} = <<E{i}\n" for i in range(20_000)),
    "open comments": "a = 1 /*\n" * 50_000,
    "digits": "a = " + "9" * 100_000,
    "exponent": "a = 1e999999\n",
    "names": "a " * 100_000,
    "scopes": "a = a" + "::b" * 50_000,
    "indexes": "a = b" + "[0]" * 50_000,
    "attributes": "a = b" + ".c" * 50_000,
    "splats": "a = b" + "[*]" * 50_000,
    "sums": "a = 1" + "+1" * 50_000,
    "items": "a = [" + "1," * 50_000 + "]",
    "same argument": "a = 1\n" * 50_000,
    "escapes": 'a = "' + "\\" * 100_000 + '"',
    "dollars": 'a = "' + "$" * 100_000 + '"',
    "trims": 'a = "' + "${~ a ~}  " * 20_000 + '"',
    "heredoc lines": "a = <<-EOT\n" + "  é ${b} %{ if c }d%{ endif }\n" * 10_000 + "  EOT\n",
    "zeros": "a = \0" * 50_000,
    "blanks": "a = 1" + " " * 100_000 + "x",
    "marks": "\ufeff" * 50_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_ends_soon(name: str) -> None:
    started = process_time()
    file = read(HOSTILE[name])
    for block in file.body.blocks[:1000]:
        file.source.span(block.start, block.end)
    assert process_time() - started < 20
    assert len(file.problems) <= 51


GROWING: dict[str, Callable[[int], str]] = {
    "lines of a heredoc": lambda size: "a = <<-EOT\n" + "  é ${b} %{ if c }d%{ endif }\n" * size + "  EOT\n",
    "items": lambda size: "a = [" + "é," * size + "]\n",
    "arguments": lambda size: "".join(f'a{number} = "é${{b}}"\n' for number in range(size)),
    "broken blocks": lambda size: 'resource "a" "b" {\n  x = \n}\n' * size,
}


@pytest.mark.parametrize("name", GROWING)
def test_time_grows_no_faster_than_the_size(name: str) -> None:
    def seconds(size: int) -> float:
        text = GROWING[name](size)
        started = process_time()
        file = read(text)
        for attribute in file.body.attributes.values():
            file.source.span(attribute.start, attribute.end)
        return process_time() - started

    assert seconds(20_000) < 12 * max(seconds(5_000), 0.05)


PIECES = [
    *WHOLE.split(" "),
    *[
        '"',
        "${",
        "%{",
        "}",
        "{",
        "[",
        "]",
        "(",
        ")",
        "\n",
        "<<EOT\n",
        "EOT\n",
        "~}",
        "=",
        "\\",
        "\0",
        "é",
        "*/",
        "/*",
        "#",
    ],
    *["if", "for", "in", "=>", "...", ".", "0", "1e9", "?", ":", ",", "endfor }", "\r\n", "$$", "%%", "::", "resource"],
]


@given(st.lists(st.sampled_from(PIECES), max_size=60))
def test_any_sequence_of_tokens_is_read_or_refused_with_a_line(pieces: list[str]) -> None:
    check(" ".join(pieces).encode())


@given(st.binary(max_size=300))
@example(b"\xef\xbb\xbf")
@example(b"\xef\xbb\xbf\xff{")
def test_any_bytes_are_read_or_refused_with_a_line(content: bytes) -> None:
    check(content)


@given(st.integers(0, 2**32))
def test_a_file_with_a_few_bytes_changed_is_read_or_refused_with_a_line(seed: int) -> None:
    random = Random(seed)
    content = bytearray(WHOLE.encode())
    for _ in range(random.randint(1, 5)):
        at = random.randrange(len(content))
        if random.random() < 0.4:
            del content[at : at + random.randint(1, 8)]
        else:
            content[at:at] = random.choice(PIECES).encode()
    check(bytes(content))


def check(content: bytes) -> None:
    source = Source("main.tf", content)
    for read_file in (parse_file, parse_json_file, parse_json_values):
        file = read_file(source)
        lines = source.text.count("\n") + 1
        assert all(1 <= problem.line <= lines for problem in file.problems)
        items: list[Attribute | Block] = [*file.body.attributes.values(), *file.body.blocks]
        for item in items:
            span = item.source.span(item.start, item.end)
            assert 0 <= span.start <= span.end <= len(content)
