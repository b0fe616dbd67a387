"""Commands of backup jobs: which data each reads, where it writes, what it removes.

Each kind of tool has its reader; what a tool is called, which options take values and which engine it belongs
to are tables. A reader says only what is certain from the words; ``None`` stands for the rest.
"""
