"""Calls in Python that wait for something outside of it."""

from __future__ import annotations

from shoreup.formats.python_calls import waiting_calls


def test_a_call_without_a_timeout_is_not_timed() -> None:
    text = "import requests\nrequests.get('https://é.example')\n"
    (call,) = waiting_calls(text)
    assert (call.kind, call.timed, call.timeout, call.retried) == ("network", False, None, False)
    assert text[call.start : call.end] == "requests.get('https://é.example')"
    assert call.command == "", "an address may hold a credential and is never kept"


def test_a_timeout_of_none_is_none() -> None:
    assert [call.timed for call in waiting_calls("requests.get(u, timeout=None)")] == [False]
    assert [call.timeout for call in waiting_calls("requests.get(u, timeout=2.5)")] == [2.5]
    assert [(call.timed, call.timeout) for call in waiting_calls("requests.get(u, timeout=t)")] == [(True, None)]
    assert [call.timed for call in waiting_calls("requests.get(u, **options)")] == [True]


def test_a_loop_alone_is_no_retry_and_a_loop_that_catches_is() -> None:
    assert [call.retried for call in waiting_calls("for u in us:\n  requests.get(u)")] == [False]
    assert [
        call.retried for call in waiting_calls("for n in r:\n  try:\n    requests.get(u)\n  except E:\n    pass")
    ] == [True]


def test_a_process_is_told_by_its_first_word() -> None:
    assert [call.command for call in waiting_calls("subprocess.run(['/usr/bin/kubectl', 'get', 'pods'])")] == [
        "kubectl"
    ]


def test_what_is_no_python_has_no_calls() -> None:
    assert waiting_calls("if then fi") == ()
