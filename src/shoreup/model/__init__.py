"""The words that every other layer speaks: frozen dataclasses and no input or output."""
