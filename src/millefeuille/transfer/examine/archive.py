"""An image in an archive, or in the directory of an OCI layout, looked at where it lies.

A plain archive is read in place; what comes compressed or through a pipe goes through a nameless file in a
directory for such files, not through the store.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

from millefeuille import kernel
from millefeuille.errors import NotFound
from millefeuille.oci.platform import Platform
from millefeuille.store.blobs import Blobs
from millefeuille.store.disk import Disk
from millefeuille.transfer.archive.arrival import Read, arrived
from millefeuille.transfer.archive.contents import BadArchive, Contents, Member, MemberStream
from millefeuille.transfer.archive.found import ArchiveSource
from millefeuille.transfer.archive.kinds import images_in
from millefeuille.transfer.examine.layers import Examined, examine


class NotInArchive(NotFound):
    """The archive holds no image for the platform."""


def examine_archive(
    source: int | Read, what: str, *, scratch: str, platform: Platform | None = None, glance: bool = False
) -> Examined:
    """The first image of the archive that can be read from `source`; `what` names it in errors.

    `scratch` is a directory for what cannot be read in place; `glance` as for `examine`.
    Of several platforms, that of this machine, or `platform`. Raises NotInArchive, BadArchive, ShortArchive,
    CorruptBlob, BrokenStream, Bomb, TarError, Invalid kinds, OSError.
    """
    disk = Disk(scratch)
    disk.ingest = scratch
    with arrived(disk, source) as descriptor:
        return _first(Contents(descriptor), disk, what, platform, glance=glance)


def examine_layout(
    directory: str, what: str, *, platform: Platform | None = None, glance: bool = False
) -> Examined:
    """The first image of an OCI layout's directory; as `examine_archive`."""
    with Folder(directory) as contents:
        return _first(contents, Disk(directory), what, platform, glance=glance)


def _first(
    contents: Contents, disk: Disk, what: str, platform: Platform | None, *, glance: bool
) -> Examined:
    source = ArchiveSource(contents)
    for found in images_in(contents, source, Blobs(disk), platform):
        return examine(found.plans[-1], source, glance=glance)
    if platform is not None:
        raise NotInArchive(f"{what}: no image for platform {platform} in it")
    raise BadArchive(f"{what}: no image in it")


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
