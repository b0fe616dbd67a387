"""Shell programs are read as commands with words, pipes, options and places in the outer text."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shoreup.formats.shell import Command, Program, parse
from shoreup.formats.shell.reader import MAX_CHARS


def command(program: Program, name: str) -> Command:
    return next(item for item in program.commands if item.name == name)


def texts(item: Command) -> list[str]:
    return [word.text for word in item.words]


def test_words_lose_their_quotes_and_keep_their_places() -> None:
    text = "pg_dump -h 'db host' \"--file=/b/$NAME.sql\" plain\\ one"
    dump = command(parse(text), "pg_dump")
    assert texts(dump) == ["pg_dump", "-h", "db host", "--file=/b/*.sql", "plain one"]
    file = dump.words[3]
    assert [(part.kind, part.text) for part in file.parts] == [
        ("literal", "--file=/b/"),
        ("variable", "NAME"),
        ("literal", ".sql"),
    ]
    assert [text[part.start : part.end] for part in file.parts] == ["--file=/b/", "$NAME", ".sql"]


def test_an_options_value_is_the_word_without_the_option() -> None:
    text = "x --file=/b/$NAME"
    value = parse(text).commands[0].words[1].drop(len("--file="))
    assert value.text == "/b/*"
    assert text[value.start : value.end] == "/b/$NAME"


@pytest.mark.parametrize(
    ("text", "kind"),
    [("rm *.gz", "glob"), ("rm '*.gz'", "literal"), ("rm $X", "variable"), ("rm $(ls)", "substitution")],
)
def test_parts_say_what_decides_them(text: str, kind: str) -> None:
    assert command(parse(text), "rm").words[1].parts[0].kind == kind


def test_a_variable_set_once_is_known() -> None:
    program = parse("DIR=/backup\nFILE=$DIR/db-$(date +%F).sql.gz\npg_dump db > $FILE\n")
    target = command(program, "pg_dump").redirects[0].target
    assert target is not None
    expanded = program.expand(target)
    assert expanded.text == "/backup/db-*.sql.gz"
    assert [program.commands[i].name for part in expanded.parts for i in part.commands] == ["date"]


def test_a_variable_set_twice_or_by_a_loop_is_not_known() -> None:
    assert parse("A=1; A=2; echo $A").value("A") is None
    assert parse("for A in 1 2; do echo $A; done").value("A") is None
    assert parse("read -r A; echo $A").value("A") is None


@pytest.mark.parametrize(
    ("text", "environment", "seen"),
    [
        ("echo ${D:-7}", {}, "7"),
        ("echo ${D:-7}", {"D": "9"}, "9"),
        ("D=${D:-7}; echo $D", {}, "7"),
        ("D=${D:-7}; echo $D", {"D": "9"}, "9"),
        (': "${D:=7}"; echo $D', {}, "7"),
        ("echo $D", {}, "*"),
        ("echo ${D%.gz}", {"D": "a.gz"}, "*"),
        ("A=$B; B=$A; echo $A", {}, "*"),
    ],
)
def test_defaults_and_values_from_outside(text: str, environment: dict[str, str], seen: str) -> None:
    program = parse(text)
    assert program.expand(command(program, "echo").words[1], environment).text == seen


def test_pipes_know_what_comes_before_and_after() -> None:
    program = parse("(cd /d && tar c .) | gzip | tee /b/x.gz > /dev/null; ls")
    assert [item.name for item in program.downstream(command(program, "tar"))] == ["gzip", "tee"]
    assert [item.name for item in program.upstream(command(program, "gzip"))] == ["cd", "tar"]
    assert program.downstream(command(program, "ls")) == ()


def test_the_redirection_after_a_pipe_belongs_to_its_last_command() -> None:
    program = parse("pg_dump db | gzip > /b/x.gz")
    assert command(program, "pg_dump").redirects == ()
    assert [item.operator for item in command(program, "gzip").redirects] == [">"]


def test_the_redirection_of_a_group_belongs_to_all_of_it() -> None:
    program = parse("{ pg_dump a; pg_dump b; } > /b/x")
    assert [len(item.redirects) for item in program.commands] == [1, 1]


def test_words_after_a_redirection_are_still_arguments() -> None:
    assert texts(parse("pg_dump > /b/x -h db").commands[0]) == ["pg_dump", "-h", "db"]


def test_options_are_known_where_a_command_stands() -> None:
    program = parse("a\nset -euo pipefail\nb\n(set +e; c)\nd\n")
    seen = [(item.name, item.options.errexit, item.options.pipefail) for item in program.commands]
    assert ("a", False, False) in seen
    assert ("b", True, True) in seen
    assert ("c", False, True) in seen
    assert ("d", True, True) in seen


def test_the_shebang_sets_options() -> None:
    assert parse("#!/bin/bash -e\na").commands[0].options.errexit


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("a && x", ["and"]),
        ("a || x", ["or"]),
        ("! x", ["not"]),
        ("x &", ["background"]),
        ("(x)", ["subshell"]),
        ("while true; do x; done", ["while"]),
        ("if x; then a; fi", ["if", "condition"]),
        ("for f in a; do x; done", ["for"]),
        ("f() { x; }", ["function", "group"]),
        ("case $1 in a) x ;; esac", ["case"]),
        ("echo $(x)", ["substitution"]),
        ("diff <(x)", ["process"]),
    ],
)
def test_a_command_knows_what_it_stands_in(text: str, kinds: list[str]) -> None:
    assert [frame.kind for frame in command(parse(text), "x").context] == kinds


def test_a_loop_knows_what_it_runs_over() -> None:
    program = parse("for f in $(ls -t /b | tail -n +8); do rm $f; done")
    frame = command(program, "rm").frame("for")
    assert frame is not None
    assert [program.commands[i].name for i in frame.words[0].parts[0].commands] == ["ls", "tail"]


@pytest.mark.parametrize(
    "text",
    [
        "bash -c 'pg_dump -h db'",
        'bash -euo pipefail -c "pg_dump -h \\"db\\""',
        "su postgres -c 'pg_dump -h db'",
        "timeout 30m pg_dump -h db",
        "sudo -u postgres PGUSER=x pg_dump -h db",
        "find /x -exec pg_dump -h db \\;",
        "echo db | xargs -n 1 pg_dump -h db",
        "ssh -p 22 host pg_dump -h db",
        "ssh host 'pg_dump -h db'",
        "kubectl exec -n x db-0 -- pg_dump -h db",
        "docker exec -t box pg_dump -h db",
        "bash <<'EOF'\npg_dump -h db\nEOF",
        "kubectl exec db-0 -- sh -c 'pg_dump -h db'",
    ],
)
def test_commands_inside_commands_are_found_in_their_place(text: str) -> None:
    dump = command(parse(text), "pg_dump")
    assert texts(dump) == ["pg_dump", "-h", "db"]
    assert text[dump.words[0].start : dump.words[0].end] == "pg_dump"
    assert text[dump.words[2].start : dump.words[2].end].strip('\\"') == "db"


def test_what_the_outer_shell_puts_in_is_still_seen_in_the_inner_one() -> None:
    dump = command(parse("bash -c \"pg_dump -h '$HOST'\""), "pg_dump")
    assert dump.words[2].variables == ("HOST",)


def test_commands_that_run_elsewhere_say_so() -> None:
    assert command(parse("kubectl exec db-0 -- pg_dump x"), "pg_dump").frame("remote") is not None
    assert command(parse("timeout 3 pg_dump x"), "pg_dump").frame("remote") is None


@pytest.mark.parametrize("word", ["app-`date +%F`.sql", "`date +%F`", '"app-`date +%F`"', "app`date +%F`"])
def test_backquotes_are_substitutions_in_one_word(word: str) -> None:
    text = f"mv {word} /b"
    program = parse(text)
    moved = command(program, "mv").words
    assert len(moved) == 3
    assert [program.commands[i].name for part in moved[1].parts for i in part.commands] == ["date"]
    assert text[moved[1].start : moved[1].end] == word


def test_backquotes_between_single_quotes_are_text() -> None:
    assert parse("echo 'a `b` c'").commands[0].words[1].literal == "a `b` c"


def test_a_heredoc_is_text_with_variables() -> None:
    feeding = command(parse("psql <<EOF\nselect '$x';\nEOF\n"), "psql").redirects[0]
    assert feeding.target is not None
    assert feeding.target.text == "select '*';\n"


def test_kubernetes_references_are_variables_not_commands() -> None:
    text = "sh -c 'mysqldump -p$(PASSWORD)' && echo $(date)"
    program = parse(text, environment=frozenset({"PASSWORD"}))
    assert command(program, "mysqldump").words[1].variables == ("PASSWORD",)
    assert command(program, "date").frame("substitution") is not None
    part = command(program, "mysqldump").words[1].parts[1]
    assert text[part.start : part.end] == "$(PASSWORD)"


def test_unknown_text_is_a_part_of_its_own() -> None:
    text = "pg_dump -h  > /b/x"
    dump = parse(text, gaps=(text.index("  ") + 1,)).commands[0]
    assert [part.kind for part in dump.words[2].parts] == ["unknown"]
    assert dump.redirects[0].target is not None
    assert text[dump.redirects[0].target.start : dump.redirects[0].target.end] == "/b/x"


def test_places_count_characters_not_bytes() -> None:
    text = "echo 'größe €'; rm ü"
    removal = command(parse(text), "rm")
    assert text[removal.start : removal.end] == "rm ü"


def test_what_is_whole_survives_what_is_broken() -> None:
    program = parse("pg_dump db > /b/x\nif then ((\n")
    assert command(program, "pg_dump").redirects
    assert program.broken


def test_a_function_that_nothing_calls_does_not_run() -> None:
    program = parse("a() { x; }\nb() { y; }\na\n")
    assert program.runs(command(program, "x"))
    assert not program.runs(command(program, "y"))


def test_endless_nesting_and_endless_text_end() -> None:
    assert parse("(" * 3000 + "a" + ")" * 3000).broken
    assert parse("a " * MAX_CHARS).commands == ()


SHELLISH = st.lists(
    st.sampled_from(
        [
            "pg_dump",
            " ",
            "\n",
            "$(",
            ")",
            "'",
            '"',
            "|",
            "&&",
            ";",
            "<<EOF\n",
            "\nEOF\n",
            "{",
            "}",
            "\\",
            "ü",
            "$x",
            ">",
            "bash -c ",
            "if",
            "then",
            "fi",
            "\ue000",
            "`",
        ]
    ),
    max_size=40,
).map("".join)


@example('"`)`"', [])
@example('"`"`"', [])
@given(SHELLISH, st.lists(st.integers(0, 20), max_size=3))
def test_any_text_gives_commands_whose_places_lie_in_it(text: str, gaps: list[int]) -> None:
    program = parse(text, gaps=[gap for gap in gaps if gap <= len(text)])
    for item in program.commands:
        assert 0 <= item.start <= item.end <= len(text)
        for part in (part for word in item.words for part in word.parts):
            assert 0 <= part.start <= part.end <= len(text)
            if part.kind == "literal" and part.positions is None:
                assert text[part.start : part.start + len(part.text)] == part.text
        assert item not in program.upstream(item)
