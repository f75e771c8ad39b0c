"""Roots on the disk: what overlayfs needs for each key, whatever the chain below is made of.

<directory>/<key>/parent   the chain ID, "" for none; made last, so that a root without it never was
                 /upper    what was written (absent for a read-only root)
                 /work     overlayfs's own
                 /empty    the lower directory of a root that stands on no chain
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator

from millefeuille import files
from millefeuille.annotations import Final
from millefeuille.errors import Conflict, Invalid, NotFound
from millefeuille.later import Later
from millefeuille.oci.digest import Digest
from millefeuille.snapshots.snapshotter import Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.layers import walk
else:
    walk = Later("millefeuille.layers.walk")  # for a root with attributes, which few have

_PUNCTUATION: Final = frozenset("_.-")  # what a key may have behind its first letter or digit


class SnapshotNotFound(NotFound):
    """No root has this key."""


class SnapshotExists(Conflict):
    """A root has this key already."""


class SnapshotReadOnly(Conflict):
    """Nothing can have been written to this root."""


class InvalidKey(Invalid):
    """The text cannot name a root."""


class Roots:
    """The roots under `directory`, which overlayfs must accept for its upper layer. Those that are not
    `lasting` nobody wants after a crash of the machine: nothing of them is awaited.
    """

    def __init__(self, directory: str, *, lasting: bool = True) -> None:
        self._directory = directory
        self._lasting = lasting

    def make(self, key: str, parent: Digest | None, *, writable: bool) -> None:
        """Make the directories of a root. Raises SnapshotExists, InvalidKey, OSError."""
        path = self.path(key)
        self.refuse_taken(key)
        # What a crash left of an earlier attempt must not show through.
        files.remove_tree(path)
        files.make_directory(self._directory)
        files.make_directory(path)
        for name in (*(("upper", "work") if writable else ()), *(() if parent else ("empty",))):
            files.make_directory(f"{path}/{name}", 0o755)
            if not parent and name != "work":
                _open_to_all(f"{path}/{name}")  # a chain's root would give it its mode
        self._name(path, str(parent or "").encode())

    def _name(self, path: str, parent: bytes) -> None:
        if self._lasting:
            files.replace_file(f"{path}/parent", parent)
            return
        descriptor = files.create(f"{path}/new")
        try:
            files.write(descriptor, parent)
        finally:
            os.close(descriptor)
        files.rename(f"{path}/new", f"{path}/parent")

    def refuse_taken(self, key: str) -> None:
        """Raise SnapshotExists when there is such a root, InvalidKey when there can be none."""
        if os.path.exists(f"{self.path(key)}/parent"):
            raise SnapshotExists(f"root file system {key} exists already")

    def parent(self, key: str) -> Digest | None:
        """The chain a root stands on. Raises SnapshotNotFound."""
        try:
            with open(f"{self.path(key)}/parent", encoding="ascii") as file:
                text = file.read()
        except FileNotFoundError:
            raise SnapshotNotFound(f"no root file system {key}") from None
        return Digest.parse(text) if text else None

    def is_writable(self, key: str) -> bool:
        """Whether a root that is there was made to be written to."""
        return os.path.isdir(f"{self.path(key)}/upper")

    def written(self, key: str) -> str:
        """The directory of what was written to a root. Raises SnapshotNotFound, SnapshotReadOnly."""
        self.parent(key)
        if not self.is_writable(key):
            raise SnapshotReadOnly(f"root file system {key} is read-only")
        return f"{self.path(key)}/upper"

    def usage(self, key: str) -> Usage:
        """What was written to a root takes. Raises SnapshotNotFound, OSError."""
        self.parent(key)
        if not self.is_writable(key):
            return Usage(size=0, inodes=0, content=0)
        found = files.inodes(f"{self.path(key)}/upper")
        next(found)  # the directory itself was not written
        held = {status.st_ino: status for status in found}
        return Usage(
            size=512 * sum(status.st_blocks for status in held.values()),
            inodes=len(held),
            content=sum(status.st_size for status in held.values() if stat.S_ISREG(status.st_mode)),
        )

    def remove(self, key: str) -> None:
        """Remove a root and what was written to it; that it is gone already is no error."""
        path = self.path(key)
        files.unlink(f"{path}/parent")
        files.remove_tree(path)

    def path(self, key: str) -> str:
        """The directory of a root. Raises InvalidKey."""
        plain = "".join(letter for letter in key if letter not in _PUNCTUATION)
        if key[:1] in _PUNCTUATION or not (plain.isascii() and plain.isalnum()):
            raise InvalidKey(f"{key!r} cannot name a root file system")
        return f"{self._directory}/{key}"

    def __iter__(self) -> Iterator[str]:
        names = os.listdir(self._directory) if os.path.isdir(self._directory) else []
        return (name for name in names if os.path.exists(f"{self._directory}/{name}/parent"))


def adopt(upper: str, root: int) -> None:
    """Give the directory `upper` all that the chain's root has, in whose place it will be seen."""
    status = os.stat(root)
    descriptor = os.open(upper, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        files.change_owner(descriptor, status.st_uid, status.st_gid)
        for name, value in walk.attributes_of(root).items() if _has_attributes(root) else ():
            try:
                os.setxattr(descriptor, name, value)
            except OSError as error:
                if error.errno != errno.ENOTSUP:  # the file system of the roots has no such thing
                    raise
        files.change_mode(descriptor, stat.S_IMODE(status.st_mode))  # behind an ACL, which sets the mode
        files.change_times(descriptor, status.st_mtime_ns)
    finally:
        os.close(descriptor)


def _open_to_all(directory: str) -> None:
    """Let any user of a container look into the directory that is its root, whatever the umask."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        files.change_mode(descriptor, 0o755)
    finally:
        os.close(descriptor)


def _has_attributes(root: int) -> bool:
    try:
        return bool(os.listxattr(f"/proc/self/fd/{root}"))
    except OSError as error:
        if error.errno != errno.ENOTSUP:
            raise
        return False
