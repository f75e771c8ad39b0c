"""A file taken out of a layer."""

from __future__ import annotations

import os
from collections.abc import Iterator

from millefeuille import files
from millefeuille.errors import Invalid


class NoName(Invalid):
    """A file's name cannot be the name of one here."""


def extract(content: Iterator[bytes], name: bytes, directory: str) -> str:
    """Write a file of this name below a directory, beside one that is there; gives its path.

    Raises what reading and writing raise.
    """
    if name in (b"", b".", b"..") or b"/" in name or b"\0" in name:
        raise NoName(f"{name!r} cannot be the name of a file")
    path = os.path.join(directory, os.fsdecode(name))
    number = 0
    while os.path.lexists(path):
        number += 1
        path = os.path.join(directory, f"{os.fsdecode(name)}.{number}")
    with files.explained(path):
        descriptor = files.create(path, exclusive=True)
        try:
            for piece in content:
                files.write(descriptor, piece)
        except BaseException:
            files.unlink(path)
            raise
        finally:
            os.close(descriptor)
    return path
