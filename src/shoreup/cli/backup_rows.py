"""Backups as the report shows them."""

from __future__ import annotations

from shoreup.operations.backup.packing import AGE
from shoreup.operations.backup.records import Check, Record
from shoreup.operations.backup.shelf import Kept
from shoreup.operations.backup.verifying import Looked
from shoreup.report.backups import Group, Row, Seen
from shoreup.report.drilled import as_json
from shoreup.stages.backups import Shown


def row_of_record(record: Record, state: str = "good", check: Check | None = None, why: str = "") -> Row:
    """A backup by its record."""
    tables = (
        None if record.manifest is None else [one for content in record.manifest.contents for one in content.tables]
    )
    return Row(
        id=record.id,
        state=state,
        moment=record.moment,
        product=record.product,
        version=record.version,
        position=record.position,
        size=record.size,
        content=record.content,
        tables=None if tables is None else len(tables),
        rows=None if tables is None else sum(one.rows for one in tables),
        encrypted=AGE in record.packing,
        verified="written" if check is None else check.how,
        looked=None if check is None else check.when,
        why=why,
        remarks=record.remarks,
    )


def row_of(kept: Kept) -> Row:
    """A backup as it lies in the store."""
    if kept.record is not None:
        return row_of_record(kept.record, kept.state.value, kept.check, kept.why)
    return Row(kept.id, kept.state.value, None, "", "", "", 0, 0, None, None, False, "", None, kept.why)


def group_of(shown: Shown) -> Group:
    """The backups of a name."""
    return Group(shown.name, shown.store, tuple(row_of(one) for one in shown.kept), shown.trouble)


def seen_of(looked: Looked) -> Seen:
    """What a look has shown."""
    check, proof = looked.check, looked.proof
    return Seen(check.id, check.good, check.how, check.why, looked.unkept, None if proof is None else as_json(proof))
