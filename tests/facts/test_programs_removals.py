"""What commands remove: by age, by number, by a policy, and what is left when the job has failed for long."""

from __future__ import annotations

import pytest

from shoreup.facts.backups.commands.copies import copies
from shoreup.facts.backups.commands.removal import Removal, days
from shoreup.facts.backups.commands.removals import guarded_by_success, removals
from shoreup.formats.shell import parse

DUMP = "pg_dump app > /b/app-$(date +%F).sql\n"


def read(text: str, **environment: str) -> list[Removal]:
    program = parse(text)
    return list(removals(program, tuple(copies(program, environment)), environment))


def one(text: str, **environment: str) -> Removal:
    found = read(text, **environment)
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("find /b -mtime +7 -delete", 7),
        ("find /b -type f -name '*.gz' -mtime +7 -exec rm -f {} +", 7),
        ("find /b -mtime +7 | xargs rm -f", 7),
        ("find /b -mtime +7 -print0 | xargs -0 -r rm", 7),
        ("find /b -mmin +1440 -delete", 1),
        ("find /b -mtime +$DAYS -delete", 14),
        ("find /b -mtime +${KEEP:-30} -delete", 30),
        ("find /b -mtime +$UNSET -delete", None),
        ("find /b -not -newermt '30 days ago' -delete", 30),
        ("for f in $(find /b -mtime +7); do rm $f; done", 7),
        ('find /b -mtime +7 | while read f; do rm "$f"; done', 7),
        ("rclone delete --min-age 30d b2:copies", 30),
        ("mc rm --recursive --force --older-than 2w minio/copies", 14),
        ("borg prune --keep-within 10d repo", 10),
        ("duplicity remove-older-than 6M --force s3://copies", 180),
        ("tmpreaper 7d /b", 7),
    ],
)
def test_a_removal_by_age_says_after_how_many_days(text: str, age: float | None) -> None:
    found = one(text, DAYS="14")
    assert (found.by, found.age_days, found.keeps_at_least) == ("age", age, None)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("ls -t /b | tail -n +8 | xargs rm", 7),
        ("ls -1t /b/*.gz | tail -n +8 | xargs -r rm --", 7),
        ("ls -tr /b | head -n -7 | xargs rm", 7),
        ("cd /b && ls -t | tail +8 | xargs rm", 7),
        ("rm -f $(ls -t /b/* | tail -n +8)", 7),
        ("for f in $(ls -t /b | tail -n +8); do rm /b/$f; done", 7),
        ("OLD=$(ls -t /b | tail -n +8); rm $OLD", 7),
        ("ls -t /b | awk 'NR>7' | xargs rm", 7),
        ("ls -t /b | sed -e '1,7d' | xargs rm", 7),
        ("ls -t /b | tail -n +$((KEEP + 1)) | xargs rm", 1),
        ("find /b -name '*.gz' | sort | head -n -7 | xargs rm", 7),
        ("duplicity remove-all-but-n-full 3 s3://copies", 3),
        ("wal-g delete retain FULL 5 --confirm", 5),
    ],
)
def test_a_removal_by_number_says_how_many_stay(text: str, kept: int) -> None:
    found = one(text)
    assert (found.by, found.keeps_at_least) == ("count", kept)


@pytest.mark.parametrize(
    "text",
    [
        "restic forget --keep-daily 7 --prune",
        "restic forget --keep-within 30d",
        "borg prune --keep-daily=7 repo",
        "kopia snapshot create /data",
        "kopia policy set --global --keep-daily 7",
        "borgmatic --verbosity 1",
        "pgbackrest --stanza=app expire",
    ],
)
def test_by_policy_always_leaves_one(text: str) -> None:
    found = one(text)
    assert (found.by, found.keeps_at_least) == ("policy", 1)


@pytest.mark.parametrize(
    "text",
    [
        "find /b -type d -empty -delete",
        "find /b -name x",
        "rm /b/lock",
        "rm -rf /tmp/work",
        "ls /b",
        "restic check",
        "borg list",
    ],
)
def test_what_is_no_retention(text: str) -> None:
    assert read(text) == []


def test_removing_what_was_just_written_is_no_retention() -> None:
    assert read('F=/b/app.sql\npg_dump app > "$F"\nrm "$F"') == []


def test_a_removal_that_is_not_understood_is_said_to_be_unclear() -> None:
    assert one("rm -f /b/*.old").by == "unclear"
    assert one("aws s3 rm s3://copies/$OLD").by == "unclear"


@pytest.mark.parametrize(
    ("text", "guarded"),
    [
        (f"{DUMP}find /b -mtime +7 -delete", False),
        (f"set -e\n{DUMP}find /b -mtime +7 -delete", True),
        (f"set -e\n{DUMP.strip()} || echo failed\nfind /b -mtime +7 -delete", False),
        ("set -e\npg_dump app | gzip > /b/x\nfind /b -mtime +7 -delete", False),
        ("set -eo pipefail\npg_dump app | gzip > /b/x\nfind /b -mtime +7 -delete", True),
        ("pg_dump app > /b/x && find /b -mtime +7 -delete", True),
        ("pg_dump app | gzip > /b/x && find /b -mtime +7 -delete", False),
        ("if pg_dump app > /b/x; then find /b -mtime +7 -delete; fi", True),
        ("pg_dump app > /b/x; true && find /b -mtime +7 -delete", False),
        (f"find /b -mtime +7 -delete\nset -e\n{DUMP}", False),
        (f"set -e\nfind /b -mtime +7 -delete\n{DUMP}", False),
    ],
)
def test_whether_it_only_runs_after_a_copy_that_succeeded(text: str, guarded: bool) -> None:
    program = parse(text)
    made = tuple(copies(program, {}))
    removal = next(iter(removals(program, made, {})))
    assert guarded_by_success(program, removal.command, made) is guarded


@pytest.mark.parametrize(
    ("text", "wanted"), [("7", 7), ("30d", 30), ("2w", 14), ("720h0m0s", 30), ("x", None), ("", None)]
)
def test_ages_as_people_write_them(text: str, wanted: float | None) -> None:
    assert days(text) == wanted
