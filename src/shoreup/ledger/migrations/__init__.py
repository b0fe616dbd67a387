"""The steps that make and change the ledger's tables, run by Alembic when something is to be written."""
