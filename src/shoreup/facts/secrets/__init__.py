"""Secrets: how one is told by its looks, and where one lies, shows or never ends."""
