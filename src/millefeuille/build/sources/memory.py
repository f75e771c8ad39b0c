"""Memory: files in which builds remember trees that they have seen.

Each is written whole, aside, and renamed; it is not synced, for after a crash the hash in it tells a broken
one, which is none. The newest are kept.
"""

from __future__ import annotations

import contextlib
import itertools
import os

from blake3 import blake3

from millefeuille import files
from millefeuille.annotations import Final
from millefeuille.layers.columns import Buffer

FILES: Final = 128
_new: Final = itertools.count()


def path_of(directory: str, root: str) -> str:
    """Where in `directory` it is remembered what is known of the tree at `root`, an absolute path."""
    return f"{directory}/{blake3(os.fsencode(root)).hexdigest(16)}"


def put(path: str, data: Buffer) -> None:
    """Write a file; best effort."""
    directory = os.path.dirname(path)
    with contextlib.suppress(OSError):
        files.make_directories(directory)
        temporary = f"{path}.tmp-{os.getpid()}-{next(_new)}"
        descriptor = files.create(temporary)
        try:
            files.write(descriptor, data)
            files.rename(temporary, path)
        except BaseException:
            files.unlink(temporary)
            raise
        finally:
            os.close(descriptor)
        _drop_oldest(directory)


def _drop_oldest(directory: str) -> None:
    with os.scandir(directory) as found:
        entries = [(entry.stat().st_mtime_ns, entry.path) for entry in found if entry.is_file()]
    for _, path in sorted(entries)[:-FILES]:
        files.unlink(path)
