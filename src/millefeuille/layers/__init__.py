"""What is inside a layer: bytes in, entries out. Knows no store."""
