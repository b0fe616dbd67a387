"""Which versions run, who moves them, and until when each is supported."""
