"""An image in an archive, or in the directory of an OCI layout, looked at where it lies.

A plain archive is read in place; what comes compressed or through a pipe goes through a nameless file in a
directory for such files, not through the store.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from millefeuille.errors import MilleError, NotFound
from millefeuille.later import Later
from millefeuille.oci.digest import Digest
from millefeuille.oci.platform import Platform, rank
from millefeuille.store.blobs import BlobNotFound, Blobs
from millefeuille.store.disk import Disk
from millefeuille.transfer.archive.arrival import Read, arrived
from millefeuille.transfer.archive.contents import BadArchive, Contents, ShortArchive
from millefeuille.transfer.archive.found import ArchiveSource, Found
from millefeuille.transfer.archive.kinds import images_in
from millefeuille.transfer.archive.landmarks import INDEX, MANIFEST, REF_NAME
from millefeuille.transfer.examine.layers import Examined, examine
from millefeuille.transfer.plan import Plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.transfer.archive import docker_archive
    from millefeuille.transfer.examine import folder
else:
    docker_archive = Later("millefeuille.transfer.archive.docker_archive")
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
    source: int | Read, what: str, *, scratch: str, platform: Platform | None = None, glance: bool = False,
    docker: bool = False,
) -> Examined:  # fmt: skip
    """The first image of the archive that can be read from `source`; `what` names it in errors.

    `scratch` is a directory for what cannot be read in place; `glance` as for `examine`. With `docker` the
    first is that of manifest.json, where there is one beside an index.json.
    Of several platforms, that of this machine, or `platform`. Raises NotInArchive, BadArchive, ShortArchive,
    CorruptBlob, BrokenStream, Bomb, TarError, Invalid kinds, OSError.
    """
    disk = Disk(scratch)
    disk.ingest = scratch
    with _named(what), arrived(disk, source, scratch=True) as descriptor:
        return _first(Contents(descriptor), disk, what, platform, glance=glance, docker=docker)


@contextlib.contextmanager
def _named(what: str) -> Iterator[None]:
    """Name what is no archive: who looks at an image may have meant another place by its name."""
    try:
        yield
    except BadArchive as error:
        if str(error).startswith(f"{what}: "):
            raise
        raise BadArchive(f"{what}: {error}", advice=error.advice) from error
    except ShortArchive as error:
        raise ShortArchive(f"{what}: not a whole archive of images ({error})") from error


def examine_layout(
    directory: str, what: str, *, platform: Platform | None = None, glance: bool = False
) -> Examined:
    """The first image of an OCI layout's directory; as `examine_archive`."""
    with _named(what), folder.Folder(directory) as contents:
        return _first(contents, Disk(directory), what, platform, glance=glance)


def _first(
    contents: Contents, disk: Disk, what: str, platform: Platform | None, *, glance: bool,
    docker: bool = False,
) -> Examined:  # fmt: skip
    source = ArchiveSource(contents)
    images = images_in(contents, source, _Nothing(disk), platform)
    if docker and INDEX in contents and MANIFEST in contents:
        images = _as_docker_lists(contents, images)
    for found in images:
        chosen = found.plans[-1] if platform is not None else _for_host(found, images)
        return examine(chosen, source, glance=glance)
    if platform is not None:
        raise NotInArchive(f"{what}: no image for platform {platform} in it")
    raise BadArchive(f"{what}: no image in it")


def _as_docker_lists(contents: Contents, images: Iterator[Found]) -> Iterator[Found]:
    """The images in the order of manifest.json, and then those that it does not list."""
    found: list[Found] = []
    try:
        found.extend(images)
    except MilleError:  # those before are there whatever is wrong with others
        if not found:
            raise
    places: dict[Digest, int] = {}
    for place, id in enumerate(docker_archive.image_ids(contents)):
        places.setdefault(id, place)
    last = 1 + max(places.values(), default=0)
    return iter(sorted(found, key=lambda one: min(places.get(plan.config.id, last) for plan in one.plans)))


def _for_host(first: Found, others: Iterator[Found]) -> Plan:
    """The first image; where it is not for this machine, the one of `others` under the same name that is.

    The index of a layout may have them beside each other, with their platforms.
    """
    host, plan = Platform.host(), first.plans[-1]
    if plan.target.platform is None or rank(plan.target.platform, host) is not None:
        return plan
    found: list[tuple[int, Plan]] = []
    with contextlib.suppress(MilleError):  # the first is there whatever is wrong with others
        for other in others:
            target = other.plans[-1].target
            place = rank(target.platform, host) if target.platform is not None else None
            is_twin = target.annotations.get(REF_NAME) == plan.target.annotations.get(REF_NAME)
            if place is not None and is_twin and other.names == first.names:
                found.append((place, other.plans[-1]))
    return min(found, key=lambda pair: pair[0])[1] if found else plan
