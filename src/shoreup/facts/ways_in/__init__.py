"""The ways in from outside: what each passes through, who may come, and where that is not asked."""
