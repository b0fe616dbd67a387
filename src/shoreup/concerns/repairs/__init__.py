"""Edits that several concerns share, in the words of resources."""
