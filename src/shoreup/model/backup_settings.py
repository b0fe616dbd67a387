"""What the owner says of backups that Shoreup itself takes: of what, to where, kept how long.

No secret has a key here. A password is named by the environment variable or the file that holds it, and is looked up
by the step that needs it.
"""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct, field


class Keep(Struct, frozen=True):
    """Which backups stay when old ones are removed: the newest of each of so many hours, days, weeks ..."""

    at_least: int = 3
    """So many of the newest stay, whatever the rest says; never less than one."""
    hourly: int = 0
    """The newest of each of so many hours in which there was one."""
    daily: int = 7
    """The newest of each of so many days."""
    weekly: int = 4
    """The newest of each of so many weeks."""
    monthly: int = 6
    """The newest of each of so many months."""
    yearly: int = 0
    """The newest of each of so many years."""


class BackupSettings(Struct, frozen=True):
    """A backup that 'shoreup backup run NAME' takes."""

    of: str
    """What: 'postgresql://USER@HOST:PORT/DATABASE', also mariadb and mysql; 'redis://HOST:PORT'; 'sqlite:/PATH';
    'files:/PATH'. Without a password."""
    store: str
    """Where to: a folder, 's3://BUCKET/PREFIX', 'sftp://USER@HOST/FOLDER', 'restic:REPOSITORY', or the NAME of a
    [store.NAME]."""
    password_env: str = ""
    """The environment variable that holds the password."""
    password_file: str = ""
    """The file that holds the password, and nothing else."""
    keep: Keep = field(default_factory=Keep)
    """Which backups stay when old ones are removed."""
    encrypt_to: tuple[str, ...] = ()
    """Who can read it: public keys of age ('age1...') or SSH. Keep the private key apart from the data: without it
    nobody can restore."""
    identity_file: str = ""
    """The file with the private key, needed to verify with a drill and to restore."""
    hashes: bool = False
    """Whether each table is hashed too, not only counted: a restore is then compared by content, and the backup takes
    longer."""
    exclude: tuple[str, ...] = ()
    """Files to leave out of 'files:', as tar's patterns: './cache'."""


class StoreSettings(Struct, frozen=True):
    """A place that backups lie in."""

    url: str
    """A folder, 's3://BUCKET/PREFIX', 'sftp://USER@HOST:PORT/FOLDER', or 'restic:REPOSITORY' as restic names it."""
    endpoint: str = ""
    """The S3 server's address, where it is not Amazon's: 'https://s3.example.org'."""
    region: str = ""
    """The S3 region."""
    key_id_env: str = "AWS_ACCESS_KEY_ID"
    """The environment variable that holds the S3 key's id."""
    secret_env: str = ""
    """The environment variable that holds the S3 key ('AWS_SECRET_ACCESS_KEY'), the SFTP password, or restic's password
    ('RESTIC_PASSWORD')."""
    secret_file: str = ""
    """The file that holds it instead."""
    identity_file: str = ""
    """The private key for SFTP; without one, those of the SSH agent and of ~/.ssh."""
    known_hosts: str = "~/.ssh/known_hosts"
    """The file with the SFTP server's key. A server that is not in it is refused."""
    copies_of: tuple[str, ...] = ()
    """Jobs of the estate whose copies lie here ('namespace/name', with * for anything), for drills that restore
    them."""


class Smoke(Struct, frozen=True):
    """A question of your own that a restored copy must answer. It is asked by a user who may only read; answers are
    compared and never shown."""

    subject: str
    """The job whose copy it is, or for an upgrade the database ('namespace/name', with * for anything)."""
    query: str
    """One statement of SQL; for Redis a command that reads ('DBSIZE'); for files a pattern ('photos/**/*.jpg'), which
    is answered by how many there are."""
    expect: str = ""
    """What the first column of the first row must be: '400', 'ok', or a comparison of numbers: '>= 400'. Without it,
    anything but nothing, zero and false."""
    name: str = ""
    """What reports call it; else its first words."""
    database: str = ""
    """Which database is asked, where the copy holds several."""
    within: timedelta | None = None
    """The longest that the answer may take after an upgrade of PostgreSQL; a rehearsal that it takes longer in fails.
    Without it, times are told and decide nothing."""
