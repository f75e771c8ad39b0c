"""Commands that belong to no group, one module each."""
