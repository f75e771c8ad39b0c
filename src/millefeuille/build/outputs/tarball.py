"""A build's result as a plain tar of its files, `--output type=tar`."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from millefeuille import files
from millefeuille.build.outputs.destination import check_destination
from millefeuille.layers.carried import Carried, TarOutput
from millefeuille.transfer.archive.output import complete_file

Write = Callable[[bytes | memoryview], object]


def write_tar(path: str, carried: Iterable[Carried]) -> None:
    """Write a tar to the file `path`; nothing is there unless all of it is.

    Raises BadOutput, DiskFull, ReadOnlyStore, Failed, and what reading the files raises.
    """
    check_destination(path)
    with complete_file(path, 0) as descriptor:
        stream_tar(lambda data: files.write(descriptor, data), carried)


def stream_tar(write: Write, carried: Iterable[Carried]) -> None:
    """Hand the bytes of a tar to `write`, in order."""
    output = TarOutput(write)
    for entry, runs in carried:
        output.add(entry, runs)
    output.finish()
