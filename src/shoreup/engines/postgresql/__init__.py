"""PostgreSQL: a server of one's own, its files and catalogues, dumps, recovery and upgrades."""
