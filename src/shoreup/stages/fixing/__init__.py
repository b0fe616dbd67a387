"""How findings become edits that hold: realise, apply in memory, read again, compare, blame, repeat."""
