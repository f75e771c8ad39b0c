"""ErofsSnapshotter: overlayfs over the chain's one EROFS mount.

    <directory>/<key>/parent   the chain ID, "" for none; made last, so that a root without it never was
                     /upper    what was written (absent for a view)
                     /work     overlayfs's own
                     /empty    the lower directory of a root that stands on no chain
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from typing import Final

from millefeuille import files
from millefeuille.errors import Conflict, Invalid, NotFound
from millefeuille.oci.digest import Digest
from millefeuille.snapshots.chain import Chain
from millefeuille.snapshots.erofs.mount import mount_chain
from millefeuille.snapshots.snapshotter import Mount

_KEY: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*", re.ASCII)


class SnapshotNotFound(NotFound):
    """No root has this key."""


class SnapshotExists(Conflict):
    """A root has this key already."""


class InvalidKey(Invalid):
    """The text cannot name a root."""


class ErofsSnapshotter:
    """A Snapshotter under `directory`, which overlayfs must accept for its upper layer.

    `chains` gives the files of a chain; it raises NotFound for one it does not know.
    """

    def __init__(self, directory: str, chains: Callable[[Digest], Chain]) -> None:
        self._directory = directory
        self._chains = chains

    def prepare(self, key: str, parent: Digest | None) -> tuple[Mount, ...]:
        """See Snapshotter."""
        self._make(key, parent, ("upper", "work") if parent else ("upper", "work", "empty"))
        try:
            mounts = self.mounts(key)
            for lower in mounts[0].descriptors:
                _adopt(f"{self._path(key)}/upper", os.fstat(lower))
            return mounts
        except BaseException:
            self.remove(key)
            raise

    def view(self, key: str, parent: Digest) -> tuple[Mount, ...]:
        """See Snapshotter."""
        self._make(key, parent, ())
        try:
            return self.mounts(key)
        except BaseException:
            self.remove(key)
            raise

    def mounts(self, key: str) -> tuple[Mount, ...]:
        """See Snapshotter."""
        path = self._path(key)
        try:
            with open(f"{path}/parent", encoding="ascii") as file:
                text = file.read()
        except FileNotFoundError:
            raise SnapshotNotFound(f"no root file system {key}") from None
        lower: str | int = mount_chain(self._chains(Digest.parse(text)))[0] if text else f"{path}/empty"
        if not os.path.isdir(f"{path}/upper"):
            return (Mount(type="bind", source=lower, read_only=True),)
        options = (("lowerdir+", lower), ("upperdir", f"{path}/upper"), ("workdir", f"{path}/work"))
        return (Mount(type="overlay", source="overlay", options=options),)

    def remove(self, key: str) -> None:
        """See Snapshotter."""
        path = self._path(key)
        files.unlink(f"{path}/parent")
        files.remove_tree(path)

    def _make(self, key: str, parent: Digest | None, names: tuple[str, ...]) -> None:
        path = self._path(key)
        if os.path.exists(f"{path}/parent"):
            raise SnapshotExists(f"root file system {key} exists already")
        # What a crash left of an earlier attempt must not show through.
        files.remove_tree(path)
        files.make_directory(self._directory)
        files.make_directory(path)
        for name in names:
            files.make_directory(f"{path}/{name}", 0o755)
        files.replace_file(f"{path}/parent", str(parent or "").encode())

    def _path(self, key: str) -> str:
        if not _KEY.fullmatch(key):
            raise InvalidKey(f"{key!r} cannot name a root file system")
        return f"{self._directory}/{key}"


def _adopt(upper: str, root: os.stat_result) -> None:
    """Give the upper directory the owner and mode of the chain's root, in whose place it will be seen."""
    descriptor = os.open(upper, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        files.change_owner(descriptor, root.st_uid, root.st_gid)
        files.change_mode(descriptor, stat.S_IMODE(root.st_mode))
    finally:
        os.close(descriptor)
