"""An image in an archive, or in the directory of an OCI layout, looked at where it lies.

A plain archive is read in place; what comes compressed or through a pipe goes through a nameless file in a
directory for such files, not through the store.
"""

from __future__ import annotations

from millefeuille.errors import NotFound
from millefeuille.later import Later
from millefeuille.oci.digest import Digest
from millefeuille.oci.platform import Platform
from millefeuille.store.blobs import BlobNotFound, Blobs
from millefeuille.store.disk import Disk
from millefeuille.transfer.archive.arrival import Read, arrived
from millefeuille.transfer.archive.contents import BadArchive, Contents
from millefeuille.transfer.archive.found import ArchiveSource
from millefeuille.transfer.archive.kinds import images_in
from millefeuille.transfer.examine.layers import Examined, examine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.transfer.examine import folder
else:
    folder = Later("millefeuille.transfer.examine.folder")


class _Nothing(Blobs):
    """The blobs of no store: all documents are those of the archive, held to what is promised of them."""

    def __contains__(self, digest: Digest) -> bool:
        return False

    def read(self, digest: Digest, maximum: int = 0) -> bytes:
        """Raises BlobNotFound."""
        raise BlobNotFound(f"blob {digest}: not in the archive")


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
    with arrived(disk, source, scratch=True) as descriptor:
        return _first(Contents(descriptor), disk, what, platform, glance=glance)


def examine_layout(
    directory: str, what: str, *, platform: Platform | None = None, glance: bool = False
) -> Examined:
    """The first image of an OCI layout's directory; as `examine_archive`."""
    with folder.Folder(directory) as contents:
        return _first(contents, Disk(directory), what, platform, glance=glance)


def _first(
    contents: Contents, disk: Disk, what: str, platform: Platform | None, *, glance: bool
) -> Examined:
    source = ArchiveSource(contents)
    for found in images_in(contents, source, _Nothing(disk), platform):
        return examine(found.plans[-1], source, glance=glance)
    if platform is not None:
        raise NotInArchive(f"{what}: no image for platform {platform} in it")
    raise BadArchive(f"{what}: no image in it")
