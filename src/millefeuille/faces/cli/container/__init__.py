"""Commands of `mille container`, one module each."""
