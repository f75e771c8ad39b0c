"""Steps: the instructions that make layers, one kind a file."""
