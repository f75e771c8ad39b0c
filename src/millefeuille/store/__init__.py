"""Bytes by digest, images by name."""
