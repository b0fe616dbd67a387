"""How Alembic runs here: on the connection that the ledger has opened, in one transaction, with no file of settings."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from shoreup.ledger.schema import metadata


def run() -> None:
    """Apply the steps that are asked for."""
    connection = context.config.attributes["connection"]
    assert isinstance(connection, Connection)
    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()


run()
