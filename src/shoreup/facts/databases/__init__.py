"""Databases: which there are, who connects, who may, and in which build each product runs."""
