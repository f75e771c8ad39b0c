"""Nouns: frozen values of the OCI and Docker image formats. No I/O at all."""
