"""COPY, ADD and WORKDIR: matched files become the members of a layer."""
