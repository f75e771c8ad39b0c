"""Output: a file that has its name only when it is complete."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator

from millefeuille import files
from millefeuille.annotations import Final
from millefeuille.errors import Invalid

_OTHERS: Final = {
    stat.S_IFDIR: "a directory", stat.S_IFLNK: "a symbolic link directly",
    stat.S_IFIFO: "a named pipe (FIFO)",
    stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a character device file", stat.S_IFBLK: "a block device file",
}  # fmt: skip


class BadOutput(Invalid):
    """No file can be written there; the message is Docker's."""


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


@contextlib.contextmanager
def complete_file(path: str, size: int) -> Iterator[int]:
    """The descriptor of a new file, 0600, which replaces `path` when the block ends without an exception.

    Until then it has no name, where the file system can do that: a process that is killed leaves nothing.
    `size` bytes are reserved for it, and it is cut to what was written. Raises DiskFull, ReadOnlyStore,
    Failed.
    """
    target = os.path.realpath(path)
    directory, name = os.path.split(target)
    temporary = f"{directory}/.{name}.tmp-{os.getpid()}"
    descriptor = -1
    try:
        files.unlink(temporary)
        nameless = files.create_nameless(directory)
        descriptor = files.create(temporary) if nameless is None else nameless
        files.allocate(descriptor, size)
        yield descriptor
        files.truncate(descriptor, os.lseek(descriptor, 0, os.SEEK_CUR))
        files.sync(descriptor)
        if nameless is not None:
            files.give_name(descriptor, temporary)
        files.rename(temporary, target)
        files.sync_directory(directory)
    except OSError as error:
        _drop(temporary)
        raise files.explain(error, path) from error
    except BaseException:
        _drop(temporary)
        raise
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _drop(temporary: str) -> None:
    with contextlib.suppress(OSError):
        files.unlink(temporary)


def _lower(error: OSError) -> str:
    return (error.strerror or "failed").lower()
