"""One module a row: `run(ground)` measures it, and gives its result and the goals it is held to."""
