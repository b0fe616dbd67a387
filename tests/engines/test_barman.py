"""Which pieces of WAL follow a base backup, along timelines, and what a backup.info tells."""

from __future__ import annotations

import pytest

from shoreup.engines.packing import BrokenCopy
from shoreup.engines.postgresql.barman import Base, Chain, chain_of, read_info

LAST_OF_LOG = 255
INFO = b"""\
begin_wal=0000000100000000000000FE
end_time=2026-11-23 15:13:45.563548+00:00
end_wal=000000010000000100000000
error=None
status=DONE
tablespaces=[('fast', 16385, "/srv/it's")]
timeline=1
version=170010
xlog_segment_size=16777216
"""


def piece(place: int, timeline: int = 1) -> str:
    """The name of a piece, by its place in the whole log (of pieces of 16 MiB)."""
    return f"{timeline:08X}{place >> 8:08X}{place & LAST_OF_LOG:08X}"


def base(first: int, last: int, timeline: int = 1) -> Base:
    return Base("20261123T151331", "DONE", piece(first, timeline), piece(last, timeline), timeline)


def test_pieces_follow_each_other_from_one_log_into_the_next() -> None:
    names = [piece(place) for place in (253, 254, 255, 256, 257)]
    assert chain_of(base(254, 255), names, {}) == Chain(tuple(names[1:]))


def test_the_first_that_is_missing_is_named_and_those_behind_it_are_counted() -> None:
    names = [piece(place) for place in (254, 255, 258, 260)]
    assert chain_of(base(254, 255), names, {}) == Chain(tuple(names[:2]), piece(256), 2)


def test_a_base_whose_end_was_not_archived_yet_misses_it() -> None:
    assert chain_of(base(7, 8), [piece(7)], {}) == Chain((piece(7),), piece(8), 0)
    assert chain_of(base(7, 8), [], {}) == Chain((), piece(7), 0)


def test_behind_a_failover_the_new_timeline_s_own_pieces_count() -> None:
    # The old primary archived 9 and 10 of a life that nobody else saw.
    old = [piece(place) for place in (5, 6, 7, 9, 10)]
    new = [piece(place, 2) for place in (7, 8)]
    history = {2: "1\t0/7000160\tno recovery target specified\n"}
    assert chain_of(base(5, 5), [*old, *new], history) == Chain((*old[:2], *new))
    assert chain_of(base(5, 5), [*old, new[1]], history) == Chain((*old[:3], new[1]))
    assert chain_of(base(5, 5), [old[0], *new], history).gap == piece(6)
    assert chain_of(base(5, 5), old, {}).gap == piece(8)


def test_two_failovers_are_followed_and_a_stranger_s_timeline_is_not() -> None:
    names = [piece(3), piece(4, 2), piece(5, 3), piece(6, 3)]
    histories = {2: "1\t0/4000000\tx\n", 3: "1\t0/4000000\tx\n\n2\t0/5000028\tx\n"}
    assert chain_of(base(3, 3), names, histories) == Chain(tuple(names))
    with pytest.raises(BrokenCopy, match="timeline 3, the newest in the archive, does not come from"):
        chain_of(base(4, 4, 2), names, {3: "1\t0/4000000\tx\n"})


def test_a_backup_info_tells_what_belongs_to_the_base() -> None:
    with pytest.raises(BrokenCopy, match="list of its table spaces cannot be read"):
        read_info("a", INFO.replace(b"16385", b"__import__('os')"))
    told = read_info("20261123T151331", INFO)
    assert (told.first, told.last, told.major) == (piece(254), piece(256), "17")
    assert told.spaces == {"16385": "fast"}
    assert told.ended is not None
    assert told.ended.isoformat() == "2026-11-23T15:13:45.563548+00:00"


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"status=", b"begin_wal=1\nstatus=DONE\n", INFO[:40] + b"\nstatus=DONE"]
)
def test_what_is_no_backup_info_is_refused(content: bytes) -> None:
    with pytest.raises(BrokenCopy, match=r"backup\.info of a"):
        read_info("a", content)


def test_one_that_failed_says_why() -> None:
    told = read_info("a", b"status=FAILED\nerror=no space\n")
    assert (told.done, told.status, told.error) == (False, "FAILED", "no space")
