"""The words that every other layer speaks: frozen structs and no input or output."""
