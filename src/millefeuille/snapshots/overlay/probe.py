"""Whether directories can be laid over each other here, found out by doing it with tiny ones."""

from __future__ import annotations

import os
import stat

from millefeuille import files
from millefeuille.errors import MilleError
from millefeuille.snapshots import attach
from millefeuille.snapshots.attach import MountFailed
from millefeuille.snapshots.snapshotter import Marks, Mount, Option


def probe(directory: str, marks: Marks) -> MilleError | None:
    """Why overlayfs cannot be had over directories in `directory`, None when it can.

    Mounts a sample, changes it, and leaves nothing. Raises OSError when `directory` takes no files.
    """
    stem = f"{directory}/probe-{os.urandom(16).hex()}"
    try:
        for name in ("", "/lower", "/upper", "/work"):
            files.make_directory(stem + name)
        os.close(files.create(f"{stem}/lower/file"))
        try:
            descriptor = attach.opened([_sample(stem, marks)])
        except MilleError as error:
            return error
        try:
            files.unlink(f"/proc/self/fd/{descriptor}/file")
        except OSError as error:
            return MountFailed(f"a sample mount cannot be written to: {error.strerror}")
        finally:
            os.close(descriptor)
        left = os.lstat(f"{stem}/upper/file")
        is_marked = stat.S_ISCHR(left.st_mode)
        return None if is_marked else MountFailed("a sample mount does not mark what is gone")
    finally:
        files.remove_tree(stem)


def _sample(stem: str, marks: Marks) -> Mount:
    options: tuple[Option, ...] = (("lowerdir+", f"{stem}/lower"),)
    options += (("upperdir", f"{stem}/upper"), ("workdir", f"{stem}/work"))
    if marks == "user":
        options += (("userxattr", None),)
    return Mount(type="overlay", source="overlay", options=options)
