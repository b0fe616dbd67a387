"""Written audits held against the code: what a document claims, claim by claim."""
