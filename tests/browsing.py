"""Debian's Chromium for tests of pages, and the sizes that a page is looked at in."""

from __future__ import annotations

import shutil

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="not run: Debian's chromium is missing")
DESK, PHONE = (1280, 900), (390, 844)
