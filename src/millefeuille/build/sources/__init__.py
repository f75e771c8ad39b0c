"""Where COPY, ADD and mounts take files from: a directory, an archive, a repository, a URL."""
