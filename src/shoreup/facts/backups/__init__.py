"""What copies data away, where to, what is kept of it, and what nothing copies."""
