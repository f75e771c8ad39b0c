"""A container image engine that needs no daemon."""

__version__ = "0.1.0"
