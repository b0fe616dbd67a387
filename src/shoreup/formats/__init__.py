"""Lossless readers and editors of text: each gives trees whose nodes know their bytes."""
