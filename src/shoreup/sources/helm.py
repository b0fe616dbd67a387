"""The Helm of this machine, if there is one.

``SHOREUP_HELM`` names the program; else ``helm`` on the path is taken; ``SHOREUP_HELM=""`` does without.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def helm_program() -> str | None:
    """The Helm to use, if there is one."""
    named = os.environ.get("SHOREUP_HELM")
    return (named or None) if named is not None else shutil.which("helm")


def helm_stamp() -> str:
    """What changes with the program; empty without one. Starts nothing: for caches."""
    program = helm_program()
    if program is None:
        return ""
    try:
        status = Path(program).stat()
    except OSError:
        return program
    return f"{program} {status.st_mtime_ns} {status.st_size}"
