"""Pods and nodes: where one may run, what it asks for, who gives way, and what a lost node means."""
