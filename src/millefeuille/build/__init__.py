"""The builder: Dockerfiles made images."""
