"""The directory of an OCI layout, read like an archive."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

from millefeuille import kernel
from millefeuille.transfer.archive.contents import Contents, Member, MemberStream


class Folder(Contents):
    """A directory in the place of an archive. Nothing outside of it is ever opened."""

    def __init__(self, directory: str) -> None:
        self._root = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._open: dict[str, tuple[int, Member] | None] = {}

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, *_: object) -> None:
        for found in self._open.values():
            if found is not None:
                os.close(found[0])
        self._open.clear()
        os.close(self._root)

    def __iter__(self) -> Iterator[Member]:
        return iter([found[1] for found in self._open.values() if found is not None])

    def find(self, name: str) -> Member | None:
        """The regular file under a name; links are followed as long as they stay in the directory."""
        if name not in self._open:
            self._open[name] = self._look(name)
        found = self._open[name]
        return found[1] if found is not None else None

    def open(self, member: Member, offset: int = 0) -> MemberStream:
        """A file's bytes from `offset` on."""
        found = self._open[member.name]
        assert found is not None  # members come from `find`
        return MemberStream(found[0], member, offset)

    def _look(self, name: str) -> tuple[int, Member] | None:
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            descriptor = kernel.openat2(
                self._root, name, flags, resolve=kernel.RESOLVE_BENEATH | kernel.RESOLVE_NO_MAGICLINKS
            )
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EXDEV):
                return None
            raise
        return descriptor, Member(name=name, offset=0, size=os.fstat(descriptor).st_size)
