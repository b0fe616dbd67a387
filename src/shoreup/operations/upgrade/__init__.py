"""A PostgreSQL goes to its next major version, step by step, with a way back."""
