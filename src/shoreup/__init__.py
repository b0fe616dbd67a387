"""Shoreup finds what would sink a self-hosted platform, fixes it in its owner's files and proves the fix."""

__version__ = "0.1.0"
