"""Init: a small program of the host's as a container's first process, which reaps what is orphaned.

It runs on nothing of the container's, so it has to be linked statically.
"""

from __future__ import annotations

import os
import struct

from millefeuille.annotations import Final
from millefeuille.errors import Unsupported

TARGET: Final = "/sbin/docker-init"
_PLACES: Final = (
    "/usr/bin/docker-init",
    "/usr/libexec/docker/docker-init",
    "/usr/bin/tini-static",
    "/usr/libexec/podman/catatonit",
    "/usr/bin/catatonit",
    "/usr/bin/tini",
    "/sbin/tini",
)
_HEADER: Final = struct.Struct("<4sB27xQ14xHH")  # magic, class, …, program headers: offset, size, count
_INTERPRETER: Final = 3  # PT_INTERP: a program that names a dynamic linker


class InitMissing(Unsupported):
    """The host has no init program."""


def find() -> str:
    """The host's init program. Raises InitMissing."""
    for path in _PLACES:
        if os.access(path, os.X_OK) and _is_static(path):
            return os.path.realpath(path)
    raise InitMissing("no init program found for --init", advice="Install tini-static or catatonit.")


def _is_static(path: str) -> bool:
    """Whether a 64-bit program needs no dynamic linker."""
    try:
        with open(path, "rb") as file:
            data = file.read(4096)
        magic, bits, offset, size, count = _HEADER.unpack_from(data)
        if magic != b"\x7fELF" or bits != 2:
            return False
        kinds = [struct.unpack_from("<I", data, offset + number * size)[0] for number in range(count)]
    except (OSError, struct.error):
        return False
    return _INTERPRETER not in kinds
