"""The cache: what went into a step, made a key; and what came of it before."""
