"""Upgrades as commands ask for them: planned, held at a gate, rehearsed and carried out."""
