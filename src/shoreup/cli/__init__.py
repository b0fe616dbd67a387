"""The command line. One file a command; nothing heavy at import."""
