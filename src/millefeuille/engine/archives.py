"""The engine's analysis of an image in an archive, or in the directory of an OCI layout."""

from __future__ import annotations

import contextlib
import os
import stat

from millefeuille.analysis.image import Image, make_image
from millefeuille.engine.analysis import Analysis
from millefeuille.errors import MilleError, NotFound
from millefeuille.later import Later
from millefeuille.oci.digest import Digest
from millefeuille.oci.platform import Platform
from millefeuille.settings import Settings
from millefeuille.store.disk import Disk
from millefeuille.transfer.archive.arrival import Read
from millefeuille.transfer.examine.archive import examine_archive, examine_layout
from millefeuille.transfer.examine.layers import Examined

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.engine import kept, store
else:  # where there is a store
    kept = Later("millefeuille.engine.kept")
    store = Later("millefeuille.engine.store")


class NoSuchArchive(NotFound):
    """There is no file or directory with the image in it."""


def in_archive(
    settings: Settings, path: str, platform: Platform | None = None, *, glance: bool = False,
    docker: bool = False,
) -> Analysis:  # fmt: skip
    """The analysis of the first image in a file or directory. Raises NoSuchArchive, as `examine_archive`.

    `glance` is for who asks for no digest of a file, and compares with no other image; `docker` for who asks
    for the first image of a Docker archive, whatever else it is.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise NoSuchArchive(f"open {path}: no such file or directory") from None
    try:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            return examined(settings, path, examine_layout(path, path, platform=platform, glance=glance))
        return in_stream(settings, path, descriptor, platform, glance=glance, docker=docker)
    finally:
        os.close(descriptor)


def in_stream(
    settings: Settings,
    name: str,
    source: int | Read,
    platform: Platform | None = None,
    *,
    glance: bool = False,
    docker: bool = False,
) -> Analysis:
    """The analysis of the first image of an archive that is read from `source`; as `in_archive`."""
    scratch = settings.environment.get("TMPDIR") or "/tmp"
    found = examine_archive(source, name, scratch=scratch, platform=platform, glance=glance, docker=docker)
    return examined(settings, name, found)


def examined(settings: Settings, name: str, found: Examined) -> Analysis:
    """The analysis of an image that was looked at; the base is one of the store's images."""
    base, base_name = _base(settings, found.config.diff_ids)
    image: Image = make_image(name, found.config, found.layers, base=base, base_name=base_name)
    return Analysis(image=image)


def _base(settings: Settings, diff_ids: tuple[Digest, ...]) -> tuple[int, str]:
    # An archive can be analysed without a store, and beside one that cannot be read.
    with contextlib.suppress(MilleError):
        if Disk(settings.root).exists():
            with store.open_store(settings).reading() as tx:
                return kept.base_of(tx, diff_ids)
    return 0, ""
