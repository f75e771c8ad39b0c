"""Ways in: they do not know each other."""
