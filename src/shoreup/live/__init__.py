"""Readers of what runs: registries, a cluster's status, Prometheus, an API server's audit log.

They are asked by commands that a person starts, never by an audit.
"""
