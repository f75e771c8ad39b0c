"""Images that run: records, life cycle, and what is done to a container."""
