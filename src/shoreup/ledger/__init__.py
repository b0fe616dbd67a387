"""The memory: what was found, fixed and proven, in a database that the user owns.

``location`` and ``exports`` need nothing but the standard library and msgspec; whatever needs SQLAlchemy is imported
only where there is a ledger to open, so that an audit without one starts as fast as ever.
"""
