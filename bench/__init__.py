"""Measurements of the engine beside its peers; `scripts/bench` runs them."""
