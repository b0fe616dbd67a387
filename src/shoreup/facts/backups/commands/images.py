"""Images that are backup tools in themselves: the command is inside, the environment says what it does.

Read from the projects' documentation, 2026-11. ``KNOWN`` holds images whose retention follows from their environment
alone; ``ENTRYPOINTS`` those that are one tool, so that their arguments are that tool's.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from shoreup.facts.estate import Image

ENTRYPOINTS: Mapping[str, str] = {
    "restic/restic": "restic",
    "rustic-rs/rustic": "rustic",
    "rclone/rclone": "rclone",
    "kopia/kopia": "kopia",
    "amazon/aws-cli": "aws",
    "aws-cli/aws-cli": "aws",
    "minio/mc": "mc",
    "bitnami/kubectl": "kubectl",
    "rancher/kubectl": "kubectl",
    "keinos/sqlite3": "sqlite3",
    "nouchka/sqlite3": "sqlite3",
    "curlimages/curl": "curl",
    "wal-g/wal-g": "wal-g",
    "peak/s5cmd": "s5cmd",
}
"""Repository to the command that its entrypoint runs."""


class BackupImage(Struct, frozen=True):
    """One image.

    ``hosts`` are the variables that name the server, ``folder`` where it writes unless ``folder_variable`` says
    otherwise; ``remote`` variables name a store elsewhere. ``age`` maps variables that keep by age to days per unit,
    ``count`` names those that keep a number; ``default_age`` (days) and ``default_count`` hold when none of them is
    set. ``keeps_one`` says that old copies are only removed after a new one was made. ``off`` are values that switch
    retention off.
    """

    title: str
    products: tuple[str, ...]
    hosts: tuple[str, ...] = ()
    folder: str = ""
    folder_variable: str = ""
    remote: tuple[str, ...] = ()
    age: tuple[tuple[str, float], ...] = ()
    count: tuple[str, ...] = ()
    default_age: float | None = None
    default_count: int | None = None
    keeps_one: bool = False
    off: tuple[str, ...] = ("", "-1", "0", "false", "FALSE")
    schedule: tuple[str, ...] = ()
    source: str = ""
    commands: tuple[str, ...] = ()
    """Commands of the image that do the same once, for use under another schedule."""
    reads: tuple[str, ...] = ()
    """Folders of which it copies what is mounted there."""
    reads_variable: str = ""
    """The variable that names another folder to copy."""
    stamped_by: str = ""
    """The variable without which each run writes over the file of the one before."""
    tag_is_client: bool = False
    """The image's tag is the version of the dump tool in it."""


_PG_LOCAL = BackupImage(
    "postgres-backup-local",
    ("postgresql",),
    hosts=("POSTGRES_HOST",),
    folder="/backups",
    folder_variable="BACKUP_DIR",
    age=(("BACKUP_KEEP_DAYS", 1), ("BACKUP_KEEP_WEEKS", 7), ("BACKUP_KEEP_MONTHS", 31), ("BACKUP_KEEP_MINS", 1 / 1440)),
    default_age=31 * 6,
    keeps_one=True,
    schedule=("SCHEDULE",),
    source="https://github.com/prodrigestivill/docker-postgres-backup-local",
    commands=("/backup.sh",),
    tag_is_client=True,
)
_PG_S3 = BackupImage(
    "postgres-backup-s3",
    ("postgresql",),
    hosts=("POSTGRES_HOST",),
    remote=("S3_BUCKET",),
    age=(("BACKUP_KEEP_DAYS", 1),),
    keeps_one=True,
    schedule=("SCHEDULE",),
    source="https://github.com/eeshugerman/postgres-backup-s3",
    tag_is_client=True,
)

_MYSQL_BACKUP = BackupImage(
    "mysql-backup",
    ("mysql", "mariadb"),
    hosts=("DB_SERVER",),
    folder="/backup",
    folder_variable="DB_DUMP_TARGET",
    age=(("DB_DUMP_RETENTION", 1), ("RETENTION", 1)),
    schedule=("DB_DUMP_CRON",),
    source="https://github.com/databacker/mysql-backup",
)

KNOWN: Mapping[str, BackupImage] = {
    "prodrigestivill/postgres-backup-local": _PG_LOCAL,
    "eeshugerman/postgres-backup-s3": _PG_S3,
    "fradelg/mysql-cron-backup": BackupImage(
        "mysql-cron-backup",
        ("mysql", "mariadb"),
        hosts=("MYSQL_HOST",),
        folder="/backup",
        count=("MAX_BACKUPS",),
        schedule=("CRON_TIME",),
        source="https://github.com/fradelg/docker-mysql-cron-backup",
    ),
    "offen/docker-volume-backup": BackupImage(
        "docker-volume-backup",
        (),
        folder="/archive",
        folder_variable="BACKUP_ARCHIVE",
        remote=(
            "AWS_S3_BUCKET_NAME",
            "WEBDAV_URL",
            "SSH_HOST_NAME",
            "AZURE_STORAGE_CONTAINER_NAME",
            "DROPBOX_REMOTE_PATH",
        ),
        age=(("BACKUP_RETENTION_DAYS", 1),),
        schedule=("BACKUP_CRON_EXPRESSION",),
        source="https://github.com/offen/docker-volume-backup/blob/main/docs/reference/index.md",
        reads=("/backup",),
        reads_variable="BACKUP_SOURCES",
    ),
    "schickling/postgres-backup-s3": BackupImage(
        "postgres-backup-s3",
        ("postgresql",),
        hosts=("POSTGRES_HOST",),
        remote=("S3_BUCKET",),
        schedule=("SCHEDULE",),
        source="https://github.com/schickling/dockerfiles/tree/master/postgres-backup-s3",
    ),
    "databack/mysql-backup": _MYSQL_BACKUP,
    "databacker/mysql-backup": _MYSQL_BACKUP,
    "siderolabs/talos-backup": BackupImage(
        "talos-backup",
        ("etcd",),
        remote=("BUCKET",),
        source="https://github.com/siderolabs/talos-backup",
    ),
    "ttionya/vaultwarden-backup": BackupImage(
        "vaultwarden-backup",
        (),
        remote=("RCLONE_REMOTE_NAME",),
        age=(("BACKUP_KEEP_DAYS", 1),),
        schedule=("CRON",),
        source="https://github.com/ttionya/vaultwarden-backup",
        reads=("/bitwarden/data", "/data"),
    ),
    "bruceforce/vaultwarden-backup": BackupImage(
        "vaultwarden-backup",
        (),
        folder="/backup",
        folder_variable="BACKUP_DIR",
        age=(("DELETE_AFTER", 1),),
        schedule=("CRON_TIME",),
        source="https://github.com/Bruceforce/vaultwarden-backup",
        reads=("/data",),
        reads_variable="VW_DATA_FOLDER",
        stamped_by="TIMESTAMP",
    ),
}


def entrypoint(image: Image) -> str:
    """The command that the image's entrypoint runs, when the image is one tool; else empty."""
    return ENTRYPOINTS.get(image.repository, "")


def backup_image(image: Image) -> BackupImage | None:
    """What the image does, when it is known as a backup tool."""
    return KNOWN.get(image.repository)
