"""What holds for every test."""

from __future__ import annotations

from hypothesis import settings

# A machine that is busy is no failure. Everything else stays as Hypothesis has it, also in its profile for CI.
settings.register_profile("shoreup", deadline=None)
settings.load_profile("shoreup")
