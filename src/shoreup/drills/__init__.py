"""Experiments on real engines, each with a control that has to fail first.

``proving`` holds what makes an experiment a proof, whatever it is about. A drill is one file, and what it needs to know
of a product is another (``copies_of_*``).
"""
