"""The kinds of archives that hold images, told by the documents in them."""

from __future__ import annotations

from collections.abc import Iterator

from millefeuille.oci.platform import Platform
from millefeuille.store.blobs import Blobs
from millefeuille.transfer.archive.contents import BadArchive, Contents
from millefeuille.transfer.archive.docker_archive import MANIFEST, docker_images
from millefeuille.transfer.archive.found import ArchiveSource, Found
from millefeuille.transfer.archive.layout import INDEX, LAYOUT, layout_images
from millefeuille.transfer.archive.legacy import REPOSITORIES, legacy_images


def images_in(
    contents: Contents, source: ArchiveSource, blobs: Blobs, platform: Platform | None
) -> Iterator[Found]:
    """What is in an archive of whichever kind; documents it lacks may be in `blobs`. Raises BadArchive."""
    if LAYOUT in contents and INDEX in contents:
        return layout_images(contents, source, blobs, platform)
    if MANIFEST in contents:
        return docker_images(contents, source, platform)
    if REPOSITORIES in contents:
        return legacy_images(contents, source, platform)
    raise BadArchive(
        "unrecognized image format",
        advice="It holds none of index.json, manifest.json and repositories."
        " A file system without an image is brought in by `mille import`.",
    )
