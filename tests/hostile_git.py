"""A repository whose settings are traps: each that can name a program names one that leaves a marker."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


def hostile(root: Path) -> Path:
    """Every setting of a repository that names a program names one that leaves a marker."""
    marker = root.parent / "ran"
    program = root.parent / "program"
    program.write_text(f'#!/bin/sh\ntouch "{marker}"\ncat\n')
    program.chmod(0o755)
    command = str(program)
    settings = {
        "core.fsmonitor": command,
        "core.hooksPath": str(root.parent / "hooks"),
        "core.pager": command,
        "core.sshCommand": command,
        "core.gitProxy": command,
        "core.askPass": command,
        "core.editor": command,
        "core.alternateRefsCommand": command,
        "credential.helper": f"!{command}",
        "diff.external": command,
        "diff.x.textconv": command,
        "diff.x.command": command,
        "filter.x.clean": command,
        "filter.x.smudge": command,
        "filter.x.process": command,
        "filter.x.required": "true",
        "merge.x.driver": command,
        "gpg.program": command,
        "gpg.ssh.program": command,
        "log.showSignature": "true",
        "interactive.diffFilter": command,
        "pager.log": command,
        "pager.blame": command,
        "pager.ls-files": command,
        "alias.ls-files": f"!{command}",
        "remote.origin.url": f"ext::{command}",
        "remote.origin.uploadpack": command,
        "remote.origin.promisor": "true",
        "remote.origin.partialclonefilter": "blob:none",
        "extensions.partialClone": "origin",
        "core.repositoryformatversion": "1",
        "protocol.ext.allow": "always",
        "protocol.allow": "always",
    }
    hooks = root.parent / "hooks"
    hooks.mkdir()
    for folder in (hooks, root / ".git" / "hooks"):
        folder.mkdir(exist_ok=True)
        for hook in (
            "post-index-change",
            "fsmonitor-watchman",
            "post-checkout",
            "pre-auto-gc",
            "reference-transaction",
        ):
            shutil.copy(program, folder / hook)
    for name, value in settings.items():
        subprocess.run(["git", "config", "--file", str(root / ".git" / "config"), name, value], check=True)
    included = root / ".git" / "more"
    included.write_text(f"[core]\n\tfsmonitor = {command}\n")
    with (root / ".git" / "config").open("a") as config:
        config.write(f'[include]\n\tpath = more\n[includeIf "gitdir:{root}/"]\n\tpath = more\n')
    (root / ".git" / "info" / "attributes").write_text("* filter=x diff=x merge=x\n")
    return marker
