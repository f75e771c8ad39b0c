"""The kinds of archives that hold images, told by the documents in them."""

from __future__ import annotations

from collections.abc import Iterator

from millefeuille.later import Later
from millefeuille.oci.platform import Platform
from millefeuille.store.blobs import Blobs
from millefeuille.transfer.archive.contents import Contents, unrecognized
from millefeuille.transfer.archive.found import ArchiveSource, Found
from millefeuille.transfer.archive.landmarks import INDEX, LAYOUT, MANIFEST, REPOSITORIES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.transfer.archive import docker_archive, layout, legacy
else:  # an archive is of one kind
    docker_archive = Later("millefeuille.transfer.archive.docker_archive")
    layout = Later("millefeuille.transfer.archive.layout")
    legacy = Later("millefeuille.transfer.archive.legacy")


def images_in(
    contents: Contents, source: ArchiveSource, blobs: Blobs, platform: Platform | None
) -> Iterator[Found]:
    """What is in an archive of whichever kind; documents it lacks may be in `blobs`. Raises BadArchive."""
    if LAYOUT in contents and INDEX in contents:
        return layout.layout_images(contents, source, blobs, platform)
    if MANIFEST in contents:
        return docker_archive.docker_images(contents, source, platform)
    if REPOSITORIES in contents:
        return legacy.legacy_images(contents, source, platform)
    raise unrecognized()
