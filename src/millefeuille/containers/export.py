"""Export: the files of a container's root as a plain tar."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable

from millefeuille import files
from millefeuille.annotations import Final
from millefeuille.layers.members import tree_members
from millefeuille.layers.tarstream import tar_pieces
from millefeuille.transfer.archive.output import BadOutput, complete_file

Write = Callable[[bytes], object]

_OTHERS: Final = {
    stat.S_IFDIR: "a directory", stat.S_IFLNK: "a symbolic link directly",
    stat.S_IFIFO: "a named pipe (FIFO)",
    stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a character device file", stat.S_IFBLK: "a block device file",
}  # fmt: skip


def export(root: int, write: Write) -> None:
    """Hand the tar of all that is below the directory `root` refers to, to `write`, piece by piece.

    The container may go on writing: whatever it does, nothing outside of the root is read. Where something is
    mounted only the place is told. Raises OSError, and what `write` raises.
    """
    for piece in tar_pieces(tree_members(root)):
        write(piece)


def check_output(path: str) -> None:
    """Hold that a file can have this name. Raises BadOutput, in Docker's words."""
    directory = os.path.dirname(path)
    try:
        if directory not in ("", ".", "..") and not stat.S_ISDIR(os.stat(directory).st_mode):
            raise BadOutput(f"invalid output path: stat {directory}: not a directory")
    except OSError as error:
        raise BadOutput(f"invalid output path: stat {directory}: {_lower(error)}") from None
    try:
        kind = stat.S_IFMT(os.lstat(path).st_mode)
    except FileNotFoundError:
        return
    except OSError as error:
        raise BadOutput(f"failed to stat output path: lstat {path}: {_lower(error)}") from None
    if kind in _OTHERS:
        raise BadOutput(f"cannot write to {_OTHERS[kind]}")


def export_to_file(root: int, path: str) -> None:
    """Write the tar to the file `path`, 0600; nothing is there unless all of it is.

    Raises BadOutput, DiskFull, ReadOnlyStore, Failed.
    """
    check_output(path)
    with complete_file(path, 0) as descriptor:
        export(root, lambda piece: files.write(descriptor, piece))


def _lower(error: OSError) -> str:
    return (error.strerror or "failed").lower()
