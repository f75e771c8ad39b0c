"""Commands of `mille image`, one module each."""
