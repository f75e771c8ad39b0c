"""Export: the files of a container's root as a plain tar."""

from __future__ import annotations

from collections.abc import Callable

from millefeuille import files
from millefeuille.layers.members import tree_members
from millefeuille.layers.tarstream import tar_pieces
from millefeuille.transfer.archive.output import check_output, complete_file

Write = Callable[[bytes], object]



def export(root: int, write: Write) -> None:
    """Hand the tar of all that is below the directory `root` refers to, to `write`, piece by piece.

    The container may go on writing: whatever it does, nothing outside of the root is read. Where something is
    mounted only the place is told. Raises OSError, and what `write` raises.
    """
    for piece in tar_pieces(tree_members(root)):
        write(piece)


def export_to_file(root: int, path: str) -> None:
    """Write the tar to the file `path`, 0600; nothing is there unless all of it is.

    Raises BadOutput, DiskFull, ReadOnlyStore, Failed.
    """
    check_output(path)
    with complete_file(path, 0) as descriptor:
        export(root, lambda piece: files.write(descriptor, piece))
