"""Whether two databases, or two trees of files, are the same.

A restore that "worked" has shown that a tool was content. What shows that the data is there is a manifest, taken where
the data came from, held against one of what was restored: each table by its rows and a hash of their content, and what
tables alone do not show (sequences, extensions, roles, constraints, indexes). Manifests are data, and are kept beside
the copy that they describe.
"""
