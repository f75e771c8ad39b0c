"""Docker's JSON objects and rows, made from plain values."""
