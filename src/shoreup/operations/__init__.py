"""What changes the world: backups, upgrades, rotations. Durable, resumable, and reversible as far as they say."""
