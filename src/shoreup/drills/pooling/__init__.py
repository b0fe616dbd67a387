"""Every connection that the estate's clients may open, at once, on a real pooler and server."""
