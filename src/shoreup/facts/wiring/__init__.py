"""Who depends on whom: names that lead from one object to another, and what stands on what."""
