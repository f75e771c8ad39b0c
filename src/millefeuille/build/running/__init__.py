"""RUN: one command on top of a chain, and what it wrote."""
