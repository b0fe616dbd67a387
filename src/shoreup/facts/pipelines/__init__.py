"""What the estate's CI runs, checks, changes by itself, and takes from strangers."""
