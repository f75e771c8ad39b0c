"""A chain mounted: its metadata image with the layers' tars as devices, read-only and detached.

The kernel reads the files themselves where it can (Linux 6.12; not from tmpfs or overlayfs), otherwise
through loop devices that free themselves with the mount.
"""

from __future__ import annotations

import contextlib
import errno
import os

from millefeuille import files, kernel
from millefeuille.annotations import Final, Literal
from millefeuille.errors import Corrupt
from millefeuille.snapshots import attach
from millefeuille.snapshots.chain import Chain

_SECTOR: Final = 512  # bytes: what loop devices count in
_PIECE: Final = 1 << 20  # bytes read at a time


class TruncatedLayer(Corrupt):
    """A layer's file does not have the size recorded for it."""


Backing = Literal["file", "loop"]  # through what the kernel reads a chain's files


def mount_chain(chain: Chain) -> tuple[int, Backing]:
    """A detached mount of the chain, and how it is backed. The descriptor is the caller's.

    Raises TruncatedLayer, MountFailed, MountDenied, OSError when a file is missing.
    """
    with contextlib.ExitStack() as stack:
        opened = _open(chain, stack)
        try:
            return _mount([f"/proc/self/fd/{descriptor}" for descriptor in opened]), "file"
        except OSError as error:
            # The kernel takes no files here: it is older, or the file system below cannot serve it.
            if error.errno != errno.ENOTBLK:
                raise attach.explain(error, _name(chain)) from None
        try:
            paths = []
            for descriptor in opened:
                path, device = kernel.loop_device(descriptor)
                stack.callback(os.close, device)
                paths.append(path)
            return _mount(paths), "loop"
        except OSError as error:
            raise attach.explain(error, f"{_name(chain)} through loop devices") from None


def _open(chain: Chain, stack: contextlib.ExitStack) -> list[int]:
    descriptors = []
    for path, size in ((chain.metadata, None), *((layer.path, layer.size) for layer in chain.layers)):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        stack.callback(os.close, descriptor)
        # The kernel mounts a file that is too short, and fails when it is read.
        actual = os.fstat(descriptor).st_size
        if size is not None and actual != size:
            raise TruncatedLayer(
                f"layer file {path} has {actual} bytes instead of {size}",
                advice="`mille system check --repair` makes it again.",
            )
        descriptors.append(_whole(descriptor, actual, os.path.dirname(path), stack))
    return descriptors


def _whole(descriptor: int, size: int, directory: str, stack: contextlib.ExitStack) -> int:
    """The file, or a copy in `directory` that is filled up to a whole block.

    The kernel fails to read the end of one that is not; few writers end a tar so. The copy has no name, and
    is gone with the mount.
    """
    if not size % _SECTOR:
        return descriptor
    copy = files.create_nameless(directory, 0o400)
    if copy is None:
        copy = os.memfd_create("layer", os.MFD_CLOEXEC)
    stack.callback(os.close, copy)
    for at in range(0, size, _PIECE):
        files.write(copy, os.pread(descriptor, _PIECE, at))
    files.write(copy, bytes(-size % _SECTOR))
    return copy


def _mount(paths: list[str]) -> int:
    metadata, *tars = paths
    # Without "ro" the kernel would open loop devices for writing, which they refuse.
    options = (("source", metadata), ("ro", None), *(("device", tar) for tar in tars))
    return attach.detached("erofs", options, read_only=True)


def _name(chain: Chain) -> str:
    return f"mount chain {chain.id.short}"
