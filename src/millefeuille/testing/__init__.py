"""Tiny images, a registry in a thread, faults: for tests of this package and of others."""
