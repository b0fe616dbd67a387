"""Tools that send what they are given elsewhere: to an object store, a repository of their own, another machine.

One small reader a tool, for each says in its own words what it does and where to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial

from msgspec import Struct

from shoreup.formats.shell import Command

RCLONE_COPYING = frozenset({"copy", "sync", "move", "copyto", "moveto", "rcat", "bisync"})
_OVER_SSH = re.compile(r"[^/]*[^/:]:")
"""A colon before any slash: ``host:path``, ``user@host:path``."""


class _Said(Struct, frozen=True):
    """The words behind a tool's name: all of them, and those that are no options (``-`` is none)."""

    every: frozenset[str]
    in_order: tuple[str, ...]
    plain: tuple[str, ...]

    @property
    def verb(self) -> str:
        return self.plain[0] if self.plain else ""

    @property
    def last(self) -> str:
        return self.plain[-1] if self.plain else ""


def upload(command: Command) -> str:
    """The remote that a command sends its input or files to; empty when it sends nothing."""
    read = _TOOLS.get(command.name)
    if read is None:
        return ""
    texts = tuple(word.text for word in command.arguments)
    plain = tuple(text for text in texts if not text.startswith("-") or text == "-")
    return read(_Said(frozenset(texts), texts, plain))


def _to_scheme(scheme: str, said: _Said, *, verbs: frozenset[str] = frozenset()) -> str:
    """The last word, where it is an address of this scheme and the first one is among the verbs, if there are any."""
    return said.last if said.last.startswith(scheme) and (not verbs or said.verb in verbs) else ""


def _aws(said: _Said) -> str:
    return _to_scheme("s3:", said) if "s3" in said.every and said.every & {"cp", "sync", "mv"} else ""


def _rclone(said: _Said) -> str:
    if len(said.plain) < 2 or said.verb not in RCLONE_COPYING:
        return ""
    target = 1 if said.verb == "rcat" else 2  # rcat reads its standard input, so it names no source
    return said.plain[target] if len(said.plain) > target else "rclone"


def _minio(said: _Said) -> str:
    return said.last if len(said.plain) > 1 and said.verb in {"pipe", "cp", "mirror", "mv", "put"} else ""


def _borg(said: _Said) -> str:
    if "create" not in said.plain:
        return ""
    return next((text.partition("::")[0] for text in said.plain if "::" in text), "") or "borg repository"


def _repository(verbs: frozenset[str], named: str, said: _Said) -> str:
    """A repository that stands in an option or in the environment, where all the verbs are said."""
    return named if verbs <= set(said.plain) else ""


def _scp(said: _Said) -> str:
    return said.last if _OVER_SSH.match(said.last) else ""


def _rsync(said: _Said) -> str:
    return _scp(said) or _to_scheme("rsync://", said)


def _curl(said: _Said) -> str:
    if not said.every & {"-T", "--upload-file", "-F", "--form", "--data-binary"}:
        return ""
    return next((text for text in said.in_order if "://" in text), "an HTTP service")


def _ssh(said: _Said) -> str:
    return f"ssh {said.verb}" if said.plain else ""


def _duplicity(said: _Said) -> str:
    return said.last if "://" in said.last else ""


def _whatever_it_does(name: str, _: _Said) -> str:
    """A client that does nothing but speak to a remote, whose words are not read."""
    return name


_TOOLS: Mapping[str, Callable[[_Said], str]] = {
    "aws": _aws,
    "rclone": _rclone,
    **dict.fromkeys(("mc", "mcli"), _minio),
    **dict.fromkeys(("gsutil", "gcloud"), partial(_to_scheme, "gs:")),
    "s3cmd": partial(_to_scheme, "s3:", verbs=frozenset({"put", "sync"})),
    "s5cmd": partial(_to_scheme, "s3:"),
    **dict.fromkeys(("restic", "rustic"), partial(_repository, frozenset({"backup"}), "restic repository")),
    "borg": _borg,
    "kopia": partial(_repository, frozenset({"snapshot", "create"}), "kopia repository"),
    "scp": _scp,
    "rsync": _rsync,
    "curl": _curl,
    "ssh": _ssh,
    "duplicity": _duplicity,
    **{
        name: partial(_whatever_it_does, name)
        for name in ("b2", "azcopy", "lftp", "smbclient", "ftp", "sftp", "ncftpput")
    },
}
