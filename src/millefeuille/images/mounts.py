"""Mounts: which images are attached where, for people to look into them with any program.

    <directory>/<key>/lock          held while the mount is made or undone
                     /record.json   image, name, target; what the root is known by, once it is mounted
                     /root          where it is attached, unless another directory was asked for

Nothing of this outlives a boot, as mounts do not. The record is written within a transaction of the store
that finds the image there, and is read within the one that would remove it: one of the two comes first.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator, Sequence

from millefeuille import files
from millefeuille.errors import Invalid, NotFound
from millefeuille.images.users import User
from millefeuille.oci.digest import Digest
from millefeuille.plainjson import dumps, loads
from millefeuille.store.transaction import Transaction
from millefeuille.values import dataclass


class NotMounted(NotFound):
    """The image is not mounted."""


class CannotMountThere(Invalid):
    """The target is no directory, or something is mounted there already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageMount:
    """One image mounted: `name` as it was asked for, `target` where; `device` and `inode` are the root's."""

    key: str
    image: Digest
    name: str
    target: str
    device: int = 0
    inode: int = 0


class Mounts:
    """The images mounted below `directory`, and where people asked for them."""

    def __init__(self, directory: str) -> None:
        self._directory = directory

    def __iter__(self) -> Iterator[ImageMount]:
        """What is mounted, sorted by where; what is left of others is cleared away."""
        return iter(sorted(self._living(), key=lambda mount: mount.target))

    def find(self, text: str, image: Digest | None) -> list[ImageMount]:
        """The mounts of `image`, else that at the directory `text`. Raises NotMounted."""
        found = [m for m in self if m.image == image or text in (m.target, m.name)]
        if not found:
            found = [mount for mount in self if mount.target == os.path.realpath(text)]
        if not found:
            raise NotMounted(f"image {text} is not mounted")
        return found

    def users(self, tx: Transaction, image: Digest) -> Sequence[User]:
        """The mounts of `image`, which keep it."""
        return tuple(
            User(id=mount.key, running=True, mounted=mount.target) for mount in self if mount.image == image
        )

    def has(self, key: str) -> bool:
        """Whether anything is recorded of a mount, which may be just being made."""
        return os.path.isdir(f"{self._directory}/{key}")

    def same(self, image: Digest, target: str) -> ImageMount | None:
        """The mount that there is already of `image` at `target`, "" for a directory of ours.

        Raises CannotMountThere when that is another image's.
        """
        for mount in self:
            own = mount.target.startswith(f"{self._directory}/")
            if mount.image == image and (mount.target == target or (not target and own)):
                return mount
            if target and mount.target == target:
                raise CannotMountThere(f"image {mount.name} is mounted at {target} already")
        return None

    def claim(self, key: str, image: Digest, name: str, target: str) -> tuple[ImageMount, int]:
        """The record of a mount about to be made, and its lock: without that it would be a left-over."""
        mount = ImageMount(
            key=key, image=image, name=name, target=target or f"{self._directory}/{key}/root"
        )  # fmt: skip
        descriptor = self._begun(key)
        try:
            if not target:
                files.make_directory(mount.target, 0o755)
            self.save(mount)
        except BaseException:
            files.release(descriptor)
            raise
        return mount, descriptor

    def _begun(self, key: str) -> int:
        """The lock of a new record, held."""
        while True:
            _make(f"{self._directory}/{key}")
            descriptor = self.lock(key)
            if descriptor is not None:
                # Who looked around before it was held has taken it for a left-over.
                if os.path.exists(f"{self._directory}/{key}/lock"):
                    return descriptor
                files.release(descriptor)

    def _living(self) -> list[ImageMount]:
        found = []
        for key in os.listdir(self._directory) if os.path.isdir(self._directory) else ():
            descriptor = self.lock(key, wait=False)
            mount = self._load(key)
            if descriptor is None:  # somebody is at it
                found += [mount] if mount is not None else []
                continue
            try:
                if mount is not None and is_mounted(mount):
                    found.append(mount)
                else:
                    self.forget(key)
            finally:
                files.release(descriptor)
        return found

    def _load(self, key: str) -> ImageMount | None:
        """What is recorded; None where a mount is just being claimed, where claiming was cut off, or gone."""
        with contextlib.suppress(FileNotFoundError, ValueError, KeyError):
            with open(f"{self._directory}/{key}/record.json", "rb") as file:
                told = loads(file.read())
            return ImageMount(
                key=key, image=Digest.parse(told["image"]), name=told["name"], target=told["target"],
                device=told["device"], inode=told["inode"],
            )  # fmt: skip
        return None

    def save(self, mount: ImageMount) -> None:
        """Write the record of a mount; for who holds its lock."""
        told = {
            "image": str(mount.image), "name": mount.name, "target": mount.target, "device": mount.device,
            "inode": mount.inode,
        }  # fmt: skip
        path = f"{self._directory}/{mount.key}/record.json"
        files.replace_file(path, dumps(told).encode(), lasting=False)

    def lock(self, key: str, *, wait: bool = True) -> int | None:
        """The lock of a record, held; None when it is gone, or without `wait` when another has it."""
        try:
            descriptor = files.create(f"{self._directory}/{key}/lock", exclusive=False)
        except FileNotFoundError:
            return None
        if wait:
            files.lock(descriptor, f"mount {key}")
        elif not files.try_lock(descriptor):
            os.close(descriptor)
            return None
        return descriptor

    def forget(self, key: str) -> None:
        """Remove all that is known of a mount which is none any more; for who holds its lock."""
        path = f"{self._directory}/{key}"
        for name in os.listdir(path) if os.path.isdir(path) else ():
            if name not in ("root", "lock"):  # the record, or the beginning of one
                files.unlink(f"{path}/{name}")
        files.remove_directory(f"{path}/root")
        # Last: as long as it is held, nobody else clears away.
        files.unlink(f"{path}/lock")
        try:
            files.remove_directory(path)
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:  # somebody looks at it just now, and clears it away
                raise


def is_mounted(mount: ImageMount) -> bool:
    """Whether a mount is still where its record says."""
    try:
        found = os.stat(mount.target)
    except OSError:
        return False
    return mount.device != 0 and (found.st_dev, found.st_ino) == (mount.device, mount.inode)


def _make(directory: str) -> None:
    if not os.path.isdir(directory):
        _make(os.path.dirname(directory))
        files.make_directory(directory)
