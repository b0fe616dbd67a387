"""Backups that Shoreup takes: streamed from the data to the store, and counted only once they were read back.

A backup is a file and a record. The record is written last, when the store has given back every byte, so what has no
record is no backup, whatever was killed when. ``sources`` is what backups are of, ``packing`` what happens to the
stream, ``shelf`` what lies in the store; each thing that can be done is a file.
"""
