"""Python programs: the processes that they start and the files that they remove."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoreup.formats.python_source import parse_python


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('import subprocess\nsubprocess.run(["pg_dump", "-h", "db"])', ["pg_dump", "-h", "db"]),
        ('import subprocess\nsubprocess.check_call(("pg_dump", "-h", HOST))', ["pg_dump", "-h", "*"]),
        ('import os\nos.system("pg_dump -h db")', ["pg_dump", "-h", "db"]),
        ('import subprocess\nsubprocess.run(f"pg_dump -h {host}", shell=True)', ["pg_dump", "-h", "*"]),
        ('import os\nos.system("pg_dump -h " + os.environ["H"])', ["pg_dump", "-h", "*"]),
    ],
)
def test_a_process_is_a_command(text: str, words: list[str]) -> None:
    (command,) = parse_python(text).commands.commands
    assert [word.text for word in command.words] == words
    assert text[command.start : command.end].endswith(")")


def test_a_variable_of_the_environment_is_told_by_name() -> None:
    (command,) = parse_python('import os, subprocess\nsubprocess.run(["x", os.environ["TOKEN"]])').commands.commands
    assert command.words[1].variables == ("TOKEN",)


def test_what_it_removes() -> None:
    text = "import os, pathlib\nos.remove('ä')\npathlib.Path('b').unlink()\n"
    assert [text[start:end] for start, end in parse_python(text).removals] == [
        "os.remove('ä')",
        "pathlib.Path('b').unlink()",
    ]


@pytest.mark.parametrize("text", ["def (", "\0", "print 'two'", "(" * 3000, "\ud800"])
def test_what_is_not_python_is_said(text: str) -> None:
    assert parse_python(text).broken


@given(st.text(max_size=80))
def test_any_text_is_borne(text: str) -> None:
    parse_python(text)
