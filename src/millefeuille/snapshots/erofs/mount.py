"""A chain mounted: its metadata image with the layers' tars as devices, read-only and detached.

The kernel reads the files themselves where it can (Linux 6.12; not from tmpfs or overlayfs), otherwise
through loop devices that free themselves with the mount.
"""

from __future__ import annotations

import contextlib
import errno
import os

from millefeuille import kernel
from millefeuille.annotations import Literal
from millefeuille.errors import Corrupt
from millefeuille.snapshots import attach
from millefeuille.snapshots.chain import Chain


class TruncatedLayer(Corrupt):
    """A layer's file does not have the size recorded for it."""


Backing = Literal["file", "loop"]  # through what the kernel reads a chain's files


def mount_chain(chain: Chain) -> tuple[int, Backing]:
    """A detached mount of the chain, and how it is backed. The descriptor is the caller's.

    Raises TruncatedLayer, MountFailed, MountDenied, OSError when a file is missing.
    """
    with contextlib.ExitStack() as stack:
        files = _open(chain, stack)
        try:
            return _mount([f"/proc/self/fd/{descriptor}" for descriptor in files]), "file"
        except OSError as error:
            # The kernel takes no files here: it is older, or the file system below cannot serve it.
            if error.errno != errno.ENOTBLK:
                raise attach.explain(error, _name(chain)) from None
        try:
            paths = []
            for descriptor in files:
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
        descriptors.append(descriptor)
        # The kernel mounts a file that is too short, and fails when it is read.
        actual = os.fstat(descriptor).st_size
        if size is not None and actual != size:
            raise TruncatedLayer(
                f"layer file {path} has {actual} bytes instead of {size}",
                advice="`mille system check --repair` makes it again.",
            )
    return descriptors


def _mount(paths: list[str]) -> int:
    metadata, *tars = paths
    # Without "ro" the kernel would open loop devices for writing, which they refuse.
    options = (("source", metadata), ("ro", None), *(("device", tar) for tar in tars))
    return attach.detached("erofs", options, read_only=True)


def _name(chain: Chain) -> str:
    return f"mount chain {chain.id.short}"
