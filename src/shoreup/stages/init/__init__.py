"""What an estate is given to begin with: its first settings, checks for its pipelines, tests of its own."""
