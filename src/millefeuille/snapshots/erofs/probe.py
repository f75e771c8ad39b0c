"""Whether chains can be mounted here, found out by mounting a tiny one."""

from __future__ import annotations

import os

from millefeuille import files
from millefeuille.errors import MilleError
from millefeuille.layers.entry import NO_XATTRS
from millefeuille.layers.tree import Node
from millefeuille.oci.digest import Digest
from millefeuille.snapshots.chain import Chain, LayerTar
from millefeuille.snapshots.erofs.format import BLOCK, Device
from millefeuille.snapshots.erofs.image import write_image
from millefeuille.snapshots.erofs.mount import Backing, mount_chain

_CONTENT = b"millefeuille"


def probe(directory: str) -> tuple[Backing | None, str]:
    """How chains whose files lie in `directory` can be mounted, None for not at all; and why, in a few words.

    Mounts a sample, reads a file in it, and leaves nothing. Raises OSError when `directory` takes no files.
    """
    stem = f"{directory}/probe-{os.urandom(16).hex()}"
    try:
        chain = _sample(stem)
        try:
            descriptor, backing = mount_chain(chain)
        except MilleError as error:
            return None, str(error)
        try:
            with open(f"/proc/self/fd/{descriptor}/file", "rb") as file:
                content = file.read()
        finally:
            os.close(descriptor)
        if content != _CONTENT:
            return None, "a sample mount gives wrong bytes"
        reasons = {
            "file": "the kernel mounts files directly",
            "loop": "the kernel mounts loop devices only, here",
        }
        return backing, reasons[backing]
    finally:
        files.unlink(f"{stem}.tar")
        files.unlink(f"{stem}.erofs")


def _sample(stem: str) -> Chain:
    """A chain of one layer with one file, written to `stem` with two suffixes."""
    tar = bytes(BLOCK) + _CONTENT.ljust(BLOCK, b"\0")
    file = Node(0o100644, 0, 0, 0, 0, len(_CONTENT), 0, 0, BLOCK, NO_XATTRS)
    root = Node(0o040755, 0, 0, 0, 0, 0, 0, 0, 0, NO_XATTRS, {b"file": file})
    digest = Digest.of(tar)
    image = write_image(root, [Device(tag=digest.hex, size=len(tar))], uuid=bytes(16))
    for suffix, data in ((".tar", tar), (".erofs", image)):
        descriptor = files.create(stem + suffix)
        try:
            files.write(descriptor, data)
        finally:
            os.close(descriptor)
    layer = LayerTar(diff_id=digest, path=f"{stem}.tar", size=len(tar))
    return Chain(id=digest, metadata=f"{stem}.erofs", layers=(layer,))
