"""Output: a file that has its name only when it is complete."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from millefeuille import files
from millefeuille.errors import Invalid


class BadOutput(Invalid):
    """No file can be written there; the message is Docker's."""


def check_output(path: str) -> None:
    """Hold that a file can have this name. Raises BadOutput."""
    directory = os.path.dirname(os.path.normpath(path))
    if directory and not os.path.isdir(directory):
        raise BadOutput(f'invalid output path: directory "{directory}" does not exist')
    if os.path.isdir(path):
        raise BadOutput(f'invalid output path: "{path}" is a directory')
    if os.path.exists(path) and not os.path.isfile(path):
        raise BadOutput(f'invalid output path: "{path}" must be a directory or a regular file')


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
