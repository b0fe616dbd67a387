"""The tables, as SQLAlchemy sees them. What made them step by step is in ``migrations``; a test holds the two together.

Proofs are rows that are only ever added. ``content`` is the whole proof as JSON and all that is believed; the columns
beside it are there to be searched. ``hash`` covers the estate, the content and the hash of the row before it, so that
nothing can be changed or taken out without every later hash showing it.
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

HEAD = "0001"
"""The revision of the schema that this module describes."""

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=_NAMES)

TIME = String(32)
"""Times are ISO 8601 in UTC, so that they sort and read the same in every database."""

audits = Table(
    "audits",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("estate", String(80), nullable=False),
    Column("taken", TIME, nullable=False),
    Column("version", String(40), nullable=False),
    Column("revision", String(64), nullable=False),
    Index(None, "estate", "taken"),
)

findings = Table(
    "findings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("audit", ForeignKey("audits.id"), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("concern", String(80), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("subject", Text, nullable=False),
    Column("file", Text, nullable=False),
    Column("line", Integer, nullable=False),
    CheckConstraint("state IN ('found', 'unproven', 'suppressed')", name="state"),
    UniqueConstraint("audit", "fingerprint"),
    Index(None, "fingerprint"),
)

fixes = Table(
    "fixes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("estate", String(80), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("concern", String(80), nullable=False),
    Column("title", Text, nullable=False),
    Column("safety", String(16), nullable=False),
    Column("applied", TIME, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    CheckConstraint("outcome IN ('written', 'dropped', 'undone')", name="outcome"),
    Index(None, "estate", "fingerprint"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("estate", String(80), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("name", String(80), nullable=False),
    Column("subject", Text, nullable=False),
    Column("started", TIME, nullable=False),
    Column("ended", TIME),
    Column("state", String(16), nullable=False),
    Column("said", Text, nullable=False),
    CheckConstraint("kind IN ('drill', 'operation')", name="kind"),
    CheckConstraint("state IN ('running', 'done', 'failed', 'cancelled')", name="state"),
    Index(None, "estate", "started"),
)

proofs = Table(
    "proofs",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("estate", String(80), nullable=False),
    Column("run", String(64), nullable=False),
    Column("step", String(80), nullable=False),
    Column("id", String(64), nullable=False),
    Column("drill", String(80), nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("taken", TIME, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    CheckConstraint("verdict IN ('pass', 'fail', 'could-not-verify')", name="verdict"),
    UniqueConstraint("run", "step"),
    UniqueConstraint("id"),
    UniqueConstraint("previous"),
    UniqueConstraint("hash"),
    Index(None, "estate", "drill", "taken"),
)
"""``previous`` is unique, so the chain cannot fork: of two that append at once one has to begin anew."""
