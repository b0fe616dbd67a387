"""A database goes to its next major version on a copy, is asked what it was asked before, and goes back."""
