"""What holds for every test."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from hypothesis import settings

# A machine that is busy is no failure. Everything else stays as Hypothesis has it, also in its profile for CI.
settings.register_profile("shoreup", deadline=None)
settings.load_profile("shoreup")


GARBAGE = 1_000_000
"""So many new containers since the last collection are worth another."""


def pytest_runtest_setup() -> None:
    """No finaliser runs, and fails, at the bottom of a deep recursion: nor does one in an audit."""
    gc.disable()


def pytest_runtest_teardown() -> None:
    """What a test left is collected between tests."""
    if gc.get_count()[0] > GARBAGE:
        gc.collect()


@pytest.fixture(autouse=True, scope="session")
def no_ledger_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Whatever the person who runs the tests has proven is not theirs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield
