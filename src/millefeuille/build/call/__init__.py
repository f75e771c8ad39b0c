"""What `--call=targets` and `--call=outline` tell: what a Dockerfile can build.

And what a build of it takes.
"""
