"""Second tries and time-outs in Python programs: in the program's own style, and nothing else of it changes."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoreup.formats.python_calls import waiting_calls
from shoreup.formats.python_repeating import applied, with_retries, with_timeouts

PLAIN = """\
#!/usr/bin/env python3
'''Writes down what it sees.'''
import os
import requests  # the client

URL = os.environ['URL']


def seen():
  return requests.get(URL, timeout=60).json()


print(seen())
"""
REPAIRED = """\
#!/usr/bin/env python3
'''Writes down what it sees.'''
import os
import requests  # the client
import time


def retry(call, tries=5):
  for attempt in range(1, tries + 1):
    try:
      return call()
    except OSError as problem:
      print(f'try {attempt} of {tries} failed: {type(problem).__name__}', flush=True)
      if attempt == tries:
        raise
      time.sleep(2 ** (attempt - 1))


URL = os.environ['URL']


def seen():
  return retry(lambda: requests.get(URL, timeout=60)).json()


print(seen())
"""


def retried(text: str) -> str:
    """The program with second tries for all of its calls, or the reason why not."""
    made = with_retries(text, [call for call in waiting_calls(text) if not call.retried])
    return made if isinstance(made, str) else applied(text, made)


def timed(text: str, seconds: int = 60) -> str:
    made = with_timeouts(text, waiting_calls(text), seconds)
    return made if isinstance(made, str) else applied(text, made)


def test_the_function_is_written_as_the_program_is() -> None:
    assert retried(PLAIN) == REPAIRED


def test_what_was_repaired_counts_as_retried() -> None:
    assert [call.retried for call in waiting_calls(REPAIRED)] == [True]


def test_a_second_call_takes_the_function_that_is_there() -> None:
    again = REPAIRED + "print(requests.get(URL, timeout=60).status_code)\n"
    assert retried(again) == REPAIRED + "print(retry(lambda: requests.get(URL, timeout=60)).status_code)\n"


def test_a_program_without_imports_gets_one() -> None:
    text = "pods = subprocess.check_output(['kubectl', 'get', 'pods'])\nprint(pods)\n"
    made = retried(text)
    assert made.startswith("import time\n\n\ndef retry(call, tries=5):\n")
    assert made.endswith(
        "\n\n\npods = retry(lambda: subprocess.check_output(['kubectl', 'get', 'pods']))\nprint(pods)\n"
    )
    assert "except Exception" in made, "a command's failure is no OSError"


def test_a_name_that_is_taken_is_not_taken_again() -> None:
    text = "import time\nimport requests\n\nretry = 3\nrequests.get('https://a.example')\n"
    assert "try_again(lambda: requests.get('https://a.example'))" in retried(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import requests; requests.get('https://a.example')", "single line"),
        ("import requests\nclass A:\n    b = requests.get('https://a.example')\n", "stands around it"),
        ("import requests\r\nrequests.get('https://a.example')\r\n", "Windows"),
        ("import requests\nfrom clock import time\nrequests.get('https://a.example')\n", "in use"),
        ("import requests\ndef f():\n    requests.get((yield))\n", "stands around it"),
    ],
)
def test_what_cannot_be_moved_into_a_function_is_left(text: str, why: str) -> None:
    assert why in retried(text)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("requests.get(url)", "requests.get(url, timeout=60)"),
        ("requests.get(\n    url,\n)", "requests.get(\n    url, timeout=60\n)"),
        ("urlopen(url, timeout=5)", "urlopen(url, timeout=60)"),
        ("urlopen(url, timeout=None)", "urlopen(url, timeout=60)"),
        ("requests.get(urlopen(url).url)", "requests.get(urlopen(url, timeout=60).url, timeout=60)"),
    ],
)
def test_a_time_out_stands_where_the_others_do(before: str, after: str) -> None:
    assert timed(before) == after


@pytest.mark.parametrize(
    ("text", "may"),
    [
        ("requests.get(url)", True),
        ("requests.post(url)", False),
        ("requests.request('HEAD', url)", True),
        ("requests.request(verb, url)", False),
        ("urlopen('https://a.example')", True),
        ("urlopen('https://a.example', b'x')", False),
        ("urlopen('https://a.example', data=body)", False),
        ("urlopen(Request(url, headers=headers))", True),
        ("urlopen(Request(url, method='POST'))", False),
        ("asked = Request(url, data=body)\nurlopen(asked)", False),
        ("asked = Request(url, **more)\nurlopen(asked)", False),
        ("urlopen(asked)", True),
    ],
)
def test_what_only_asks_may_happen_twice(text: str, may: bool) -> None:
    assert [call.repeatable for call in waiting_calls(text)] == [may]


NAMES = st.sampled_from(["requests.get(url)", "urlopen(url, timeout=3)", "requests.head('ä')", "retry", "time", "1"])


@given(
    st.lists(st.sampled_from(["import time", "import requests", "# note", "", "x = {}", "def f():\n\treturn {}"])),
    NAMES,
)
def test_whatever_comes_out_is_python_and_twice_is_once(lines: list[str], name: str) -> None:
    text = "\n".join(lines).replace("{}", name) + f"\n{name}\n"
    made = retried(text)
    if "\n" not in made:
        return
    ast.parse(made)
    assert all(call.retried for call in waiting_calls(made))
    assert retried(made) == made
