"""Mounting images, and undoing that: what happens at the kernel. Who knows of it, see `mounts`."""

from __future__ import annotations

import errno
import os

from millefeuille import files, kernel
from millefeuille.annotations import Final
from millefeuille.errors import Conflict, Invalid
from millefeuille.images.content import find_platform
from millefeuille.images.mounts import CannotMountThere, ImageMount, Mounts, is_mounted
from millefeuille.oci.digest import Digest
from millefeuille.oci.platform import Platform
from millefeuille.snapshots import attach
from millefeuille.snapshots.snapshotter import Snapshotter, close_all, let_go
from millefeuille.store.store import Store
from millefeuille.values import replace

# What an image holds is not to be trusted on the host: no set-user-ID program, no device works there.
_HARMLESS: Final = kernel.ATTR_RDONLY | kernel.ATTR_NODEV | kernel.ATTR_NOSUID


LOOK: Final = "look-"  # in front of the key of a mount, the key of the root that it is made from


class MountBusy(Conflict):
    """Some process uses the mount, or a directory below it."""


class NothingToMount(Invalid):
    """The image has no layers."""


def mount(
    mounts: Mounts,
    store: Store,
    snapshots: Snapshotter,
    text: str,
    platform: Platform | None,
    target: str = "",
) -> ImageMount:
    """Mount the image that `text` means at `target`, at a directory of our own without; where.

    An image that is mounted there already stays so. Raises NoSuchImage, PlatformMissing, NothingToMount,
    CannotMountThere, MountFailed, MountDenied, OSError.
    """
    target = os.path.realpath(target) if target else ""
    if target and not os.path.isdir(target):
        raise CannotMountThere(f"{target} is no directory")
    key, descriptor = os.urandom(8).hex(), -1
    try:
        with store.writing() as tx:
            image = find_platform(tx, text, platform)
            found = mounts.same(image.id, target)
            if found is not None:
                return found
            if image.chain is None:
                raise NothingToMount(f"image {image.id.short} has no layers to mount")
            wanted, descriptor = mounts.claim(key, image.id, text, target)
        return _made(mounts, snapshots, image.chain, wanted)
    except BaseException:
        if descriptor >= 0:
            mounts.forget(key)
        raise
    finally:
        if descriptor >= 0:
            files.release(descriptor)


def _made(mounts: Mounts, snapshots: Snapshotter, chain: Digest, wanted: ImageMount) -> ImageMount:
    root = _opened(snapshots, chain, f"{LOOK}{wanted.key}")
    try:
        # Recorded first: a mount that nobody knows of would be there until the next boot.
        status = os.fstat(root)
        done = replace(wanted, device=status.st_dev, inode=status.st_ino)
        mounts.save(done)
        _attach(root, wanted.target)
        return done
    finally:
        os.close(root)


def unmount(mounts: Mounts, mount: ImageMount, *, force: bool = False) -> None:
    """Undo a mount; with `force` even one in use: who uses it keeps it. Raises MountBusy, OSError."""
    descriptor = mounts.lock(mount.key)
    if descriptor is None:
        return
    try:
        if is_mounted(mount):
            files.act("unmount", mount.target)
            try:
                kernel.unmount(mount.target, detach=force)
            except OSError as error:
                if error.errno == errno.EBUSY:
                    raise MountBusy(
                        f"{mount.target}: some process uses it",
                        advice="Unmount it all the same with --force.",
                    ) from None
                raise attach.explain(error, f"unmount {mount.target}") from None
        mounts.forget(mount.key)
    finally:
        files.release(descriptor)


def _opened(snapshots: Snapshotter, chain: Digest, key: str) -> int:
    """A read-only root of the chain, attached nowhere yet."""
    mounts = snapshots.view(key, chain)
    try:
        return attach.opened(mounts)
    finally:
        close_all(mounts)
        let_go(mounts)
        snapshots.remove(key)  # what is mounted stays without it


def _attach(root: int, target: str) -> None:
    files.act("mount", target)
    try:
        kernel.mount_setattr("", directory=root, set=_HARMLESS)
        kernel.move_mount(root, target)
    except OSError as error:
        raise attach.explain(error, f"mount at {target}") from None
