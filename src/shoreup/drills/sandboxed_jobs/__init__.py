"""A job of the estate in a sandbox: what lies there, and what stands in for the programs that do not."""
