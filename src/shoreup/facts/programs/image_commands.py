"""Which kind of commands an image has: GNU's, or BusyBox's, as far as its name and its own program tell.

Sources, read 2026-11: the Dockerfiles of the images that are named here. An official image with ``alpine`` in its tag
is made from Alpine, whose commands are BusyBox's; what ``apk add coreutils findutils`` brings takes their place.
"""

from __future__ import annotations

import re

from msgspec import Struct

from shoreup.facts.estate import Image

_BUSYBOX = re.compile(r"alpine|busybox", re.IGNORECASE)
_APK = re.compile(r"\bapk\s+(?:--\S+\s+)*add\b(?P<packages>[^;&|\n]*)")
_REPLACING = frozenset({"coreutils", "findutils"})
_MADE_FROM_ALPINE = frozenset({
    "hashicorp/vault", "vault", "hashicorp/consul", "restic/restic", "rclone/rclone", "curlimages/curl", "alpine/git",
    "alpine/k8s", "offen/docker-volume-backup", "docker", "keinos/sqlite3", "nouchka/sqlite3", "openbao/openbao",
})  # fmt: skip
_MADE_FROM_GNU = frozenset({
    "postgres", "mysql", "mariadb", "redis", "valkey/valkey", "mongo", "debian", "ubuntu", "percona", "influxdb",
    "neo4j", "cassandra", "bitnami/postgresql", "bitnami/mariadb", "bitnami/mysql", "bitnami/kubectl", "bitnami/redis",
    "bitnami/minideb", "buildpack-deps", "fedora", "almalinux", "rockylinux", "oraclelinux", "amazonlinux", "python",
})  # fmt: skip
_SHELL_IS_BASH = frozenset({"mysql", "fedora", "almalinux", "rockylinux", "oraclelinux", "amazonlinux", "percona"})


class ImageCommands(Struct, frozen=True):
    """``busybox`` says which of the two; ``bash`` that the image's ``sh`` is bash; ``note`` what is not certain."""

    busybox: bool
    bash: bool = False
    note: str = ""


def image_commands(image: Image, program: str) -> ImageCommands:
    """The commands that a program finds in its image, and in what it installs first."""
    repository = image.repository.removeprefix("library/")
    added = {word for match in _APK.finditer(program) for word in match["packages"].split()}
    busybox = bool(_BUSYBOX.search(image.text)) or repository in _MADE_FROM_ALPINE or bool(added)
    if busybox and added & _REPLACING:
        return ImageCommands(False, note="the program installs GNU's commands over BusyBox's; all were taken for GNU's")
    if busybox:
        return ImageCommands(True)
    if repository in _MADE_FROM_GNU or re.search(r"\bapt(?:-get)?\s.*\binstall\b", program):
        return ImageCommands(False, repository in _SHELL_IS_BASH)
    return ImageCommands(False, note=f"which commands {image.text or 'the image'} has; GNU's were tried")
