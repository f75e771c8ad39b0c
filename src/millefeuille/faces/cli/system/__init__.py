"""Commands of `mille system`, one module each."""
