"""Where backups lie: a folder, an S3 server, a server with SFTP, a repository of restic.

A store keeps named streams of bytes. What it is given is there whole and for good, or not at all; whether the store
kept its word is found out by reading back, which is the business of who put it there.
"""
