"""The command line is tested as on a terminal that wishes for nothing."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def no_wishes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Width and colour do not come from the terminal that the tests run in."""
    for name in ("COLUMNS", "FORCE_COLOR", "NO_COLOR", "SHOREUP_TRACEBACK"):
        monkeypatch.delenv(name, raising=False)
