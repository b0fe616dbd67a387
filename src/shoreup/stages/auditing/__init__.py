"""The way of one audit: what is read, judged, placed, hidden, ranked and remembered."""
