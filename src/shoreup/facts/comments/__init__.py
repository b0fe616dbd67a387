"""What people wrote beside the code, held against the code."""
