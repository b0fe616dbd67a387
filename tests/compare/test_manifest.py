"""What is the same and what is not, without any engine."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoreup.compare.manifest import (
    Content,
    Item,
    Manifest,
    Table,
    WrongManifest,
    decode,
    differences,
    encode,
    hashes_compare,
    manifest,
    row_hash,
    sum_of,
)

rows_of_a_table = st.lists(st.lists(st.binary(max_size=4), min_size=1, max_size=3), max_size=6)


def held(*tables: Table, method: str = "sum/1", items: Sequence[Item] = (), name: str = "app") -> Manifest:
    """A manifest of one database."""
    return manifest("postgresql", "17.2", method, [Content(name, tables, tuple(items))], one_moment=True)


def told(was: Manifest, is_now: Manifest, *leave_out: str) -> list[str]:
    """The differences as people read them."""
    return [str(one) for one in differences(was, is_now, leave_out)]


def hashed(rows: Sequence[Sequence[bytes]]) -> str:
    """A table's hash from its rows."""
    return sum_of([row_hash(row) for row in rows])


@given(rows_of_a_table)
def test_the_order_of_rows_does_not_matter(rows: list[list[bytes]]) -> None:
    other = sorted(rows, key=repr)
    assert hashed(rows) == hashed(other) == hashed(rows[::-1])


@given(rows_of_a_table, st.lists(st.binary(max_size=4), min_size=1, max_size=3))
def test_a_row_that_is_there_twice_counts_twice(rows: list[list[bytes]], row: list[bytes]) -> None:
    assert hashed([*rows, row, row]) != hashed(rows), "an exclusive or would not see it"
    assert hashed([*rows, row]) != hashed(rows)


@given(rows_of_a_table, st.integers(0, 6))
def test_the_parts_of_a_table_add_up(rows: list[list[bytes]], cut: int) -> None:
    parts = [int(hashed(part), 16) for part in (rows[:cut], rows[cut:])]
    assert sum_of(parts) == hashed(rows)


@given(st.binary(max_size=3), st.binary(min_size=1, max_size=3))
def test_what_moves_from_one_column_to_the_next_is_seen(left: bytes, right: bytes) -> None:
    assert row_hash([left, right]) != row_hash([left + right, b""])


def test_the_same_is_no_difference() -> None:
    one = held(Table("t", 3, "0f"), items=[Item("sequence", "s", "3 by 1")])
    assert told(one, one) == []


def test_every_kind_of_difference_is_told() -> None:
    was = held(Table("gone", 3, "0f"), Table("fewer", 3, "0f"), Table("other", 1, "0f"), items=[Item("role", "app")])
    is_now = held(Table("fewer", 2, "0f"), Table("other", 1, "ff"), Table("new", 1, "0f"), items=[Item("role", "x")])
    assert told(was, is_now) == [
        "app: table fewer: 3 rows, now 2 rows",
        "app: table gone: 3 rows, now missing",
        "app: table other: 1 row, now as many rows with other content",
        "app: table new: not there, now 1 row",
        "app: role app: there, now missing",
        "app: role x: not there, now there",
    ]


def test_a_database_that_is_missing_is_one_difference() -> None:
    assert told(held(Table("t", 3)), held(Table("t", 3), name="other")) == [
        "database app: 3 rows, now missing",
        "database other: not there, now 3 rows",
    ]


def test_kinds_can_be_left_out() -> None:
    was, is_now = held(items=[Item("extension", "x", "1.1")]), held(items=[Item("extension", "x", "1.2")])
    assert told(was, is_now) == ["app: extension x: 1.1, now 1.2"]
    assert told(was, is_now, "extension") == []


def test_hashes_of_two_methods_are_not_held_against_each_other() -> None:
    was, is_now = held(Table("t", 3, "0f")), held(Table("t", 3, "ff"), method="sum/2")
    assert not hashes_compare(was, is_now)
    assert told(was, is_now) == []
    assert told(was, held(Table("t", 2, "ff"), method="sum/2")) == ["app: table t: 3 rows, now 2 rows"]


def test_a_manifest_is_kept_as_json() -> None:
    one = held(Table("t", 3, "0f"), items=[Item("sequence", "s", "3 by 1")])
    assert decode(encode(one)) == one


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[1, 2]", encode(held()).replace(b"manifest/1", b"manifest/9"), encode(held())[:-5]],
)
def test_what_is_no_manifest_is_refused(content: bytes) -> None:
    with pytest.raises(WrongManifest):
        decode(content)
