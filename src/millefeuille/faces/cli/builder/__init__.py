"""Commands on builds and their cache."""
