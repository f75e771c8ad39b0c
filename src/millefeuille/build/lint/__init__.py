"""The checks of `--check`: what is allowed in a Dockerfile and still a mistake. One rule, one file.

Names, texts and addresses are those of BuildKit's build checks,
https://docs.docker.com/reference/build-checks/.
"""
