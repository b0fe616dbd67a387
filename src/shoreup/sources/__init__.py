"""From trees to resources: every way in which a repository can declare what runs."""
