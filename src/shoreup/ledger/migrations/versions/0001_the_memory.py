"""Audits, findings, fixes, runs and proofs.

Proofs refuse to be changed or deleted. Whoever owns the database can take that away again, and then the chain of
hashes shows what they did.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None

_TIME = sa.String(32)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "audits",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("estate", sa.String(80), nullable=False),
        sa.Column("taken", _TIME, nullable=False),
        sa.Column("version", sa.String(40), nullable=False),
        sa.Column("revision", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audits"),
    )
    op.create_index("ix_audits_estate_taken", "audits", ["estate", "taken"])
    op.create_table(
        "findings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("audit", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("concern", sa.String(80), nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_findings"),
        sa.ForeignKeyConstraint(["audit"], ["audits.id"], name="fk_findings_audit"),
        sa.UniqueConstraint("audit", "fingerprint", name="uq_findings_audit_fingerprint"),
        sa.CheckConstraint("state IN ('found', 'unproven', 'suppressed')", name=op.f("ck_findings_state")),
    )
    op.create_index("ix_findings_fingerprint", "findings", ["fingerprint"])
    op.create_table(
        "fixes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("estate", sa.String(80), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("concern", sa.String(80), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("safety", sa.String(16), nullable=False),
        sa.Column("applied", _TIME, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_fixes"),
        sa.CheckConstraint("outcome IN ('written', 'dropped', 'undone')", name=op.f("ck_fixes_outcome")),
    )
    op.create_index("ix_fixes_estate_fingerprint", "fixes", ["estate", "fingerprint"])
    op.create_table(
        "runs",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("estate", sa.String(80), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("started", _TIME, nullable=False),
        sa.Column("ended", _TIME, nullable=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sa.CheckConstraint("kind IN ('drill', 'operation')", name=op.f("ck_runs_kind")),
        sa.CheckConstraint("state IN ('running', 'done', 'failed', 'cancelled')", name=op.f("ck_runs_state")),
    )
    op.create_index("ix_runs_estate_started", "runs", ["estate", "started"])
    op.create_table(
        "proofs",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("estate", sa.String(80), nullable=False),
        sa.Column("run", sa.String(64), nullable=False),
        sa.Column("step", sa.String(80), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("drill", sa.String(80), nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("taken", _TIME, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_proofs"),
        sa.UniqueConstraint("run", "step", name="uq_proofs_run_step"),
        sa.UniqueConstraint("id", name="uq_proofs_id"),
        sa.UniqueConstraint("previous", name="uq_proofs_previous"),
        sa.UniqueConstraint("hash", name="uq_proofs_hash"),
        sa.CheckConstraint("verdict IN ('pass', 'fail', 'could-not-verify')", name=op.f("ck_proofs_verdict")),
    )
    op.create_index("ix_proofs_estate_drill_taken", "proofs", ["estate", "drill", "taken"])
    for statement in _GUARDS.get(op.get_bind().dialect.name, ()):
        op.execute(statement)


def downgrade() -> None:
    """Proofs are not thrown away by a step back."""
    raise NotImplementedError("the first step cannot be undone; keep the ledger and use the newer Shoreup")


_ONLY_ADDED = "proofs are only ever added"
_FUNCTION = f"""
CREATE FUNCTION proofs_only_added() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '{_ONLY_ADDED}'; END $$
"""
_TRIGGER = """
CREATE TRIGGER proofs_only_added BEFORE UPDATE OR DELETE ON proofs FOR EACH ROW EXECUTE FUNCTION proofs_only_added()
"""
_GUARDS = {
    "sqlite": tuple(
        f"CREATE TRIGGER proofs_no_{change.lower()} BEFORE {change} ON proofs "
        f"BEGIN SELECT RAISE(ABORT, '{_ONLY_ADDED}'); END"
        for change in ("UPDATE", "DELETE")
    ),
    "postgresql": (_FUNCTION, _TRIGGER),
}
