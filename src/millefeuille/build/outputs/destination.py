"""Destination: the file that a build is written to. Unlike those of `save` and `export` it may be a link."""

from __future__ import annotations

import os

from millefeuille.transfer.archive.output import BadOutput


def check_destination(path: str) -> None:
    """Hold that a file can have this name. Raises BadOutput."""
    directory = os.path.dirname(os.path.normpath(path))
    if directory and not os.path.isdir(directory):
        raise BadOutput(f'invalid output path: directory "{directory}" does not exist')
    if os.path.isdir(path):
        raise BadOutput(f'invalid output path: "{path}" is a directory')
    if os.path.exists(path) and not os.path.isfile(path):
        raise BadOutput(f'invalid output path: "{path}" must be a directory or a regular file')
