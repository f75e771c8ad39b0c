"""Secrets: keys, tokens and passwords in files that were never meant to be in an image."""
