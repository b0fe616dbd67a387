"""A dump while money moves: whether the copy is of one moment, and whether a failure is heard."""
