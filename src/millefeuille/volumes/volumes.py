"""Volumes: those of one store.

    <root>/<name>/volume.json     what is known of it
                 /_data/          its content
                 /_filling/       what an image had at the volume's place, on its way into `_data`
    <root>/.new-*, .gone-*        on the way in and out; without an owner after a kill

A volume appears, and goes, with the renaming of its directory.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Callable, Collection, Mapping

from millefeuille import files
from millefeuille.annotations import Final
from millefeuille.errors import Conflict, Corrupt, NotFound, Unnamed
from millefeuille.plainjson import dumps, loads
from millefeuille.store import journal
from millefeuille.store.disk import Disk
from millefeuille.volumes.volume import (
    ANONYMOUS,
    DRIVER,
    LONGEST_NAME,
    UnknownDriver,
    Volume,
    check_name,
    check_options,
    decode,
    encode,
)

__all__ = ["Volume", "VolumeInUse", "VolumeNotFound", "Volumes"]

_NEW: Final = ".new-"
_GONE: Final = ".gone-"
_TRIES: Final = 3  # to measure a tree that is moved about; then what was found so far counts


class VolumeNotFound(NotFound):
    """No volume has this name; the message is Docker's."""


class VolumeInUse(Conflict):
    """A container uses the volume; the message is Docker's."""


class DamagedVolume(Corrupt):
    """The record of a volume cannot be read."""


class Volumes:
    """The volumes below the directory `root`, which is made when the first is."""

    def __init__(self, root: str) -> None:
        self.root = root

    def create(
        self,
        name: str = "",
        *,
        driver: str = DRIVER,
        labels: Mapping[str, str] | None = None,
        options: Mapping[str, str] | None = None,
    ) -> Volume:
        """Make a volume, or find the one that has this name already; without a name it gets one, and a mark.

        Raises BadVolumeName, BadVolumeOption, UnknownDriver, OSError.
        """
        if driver != DRIVER:
            plugin = f'error looking up volume plugin {driver}: plugin "{driver}" not found'
            raise UnknownDriver(f"create {name}: {plugin}")
        if not name:
            name = os.urandom(32).hex()
            labels = {**(labels or {}), ANONYMOUS: ""}
        check_name(name)
        check_options(name, options or {})
        with contextlib.suppress(VolumeNotFound):
            return self.get(name)
        volume = Volume(
            name=name, created=_now(), mountpoint=f"{self.root}/{name}/_data", labels=labels,
            options=dict(options or {}),
        )  # fmt: skip
        self._place(volume)
        self._note("create", name)
        return self.get(name)

    def get(self, name: str) -> Volume:
        """The volume of that name. Raises VolumeNotFound, DamagedVolume, Unnamed."""
        if not name.strip():
            raise Unnamed("invalid volume name or ID: value is empty")
        path = f"{self.root}/{name}/volume.json"
        try:
            if "/" in name or name.startswith(".") or len(os.fsencode(name)) > LONGEST_NAME:
                raise FileNotFoundError
            with open(path, "rb") as file:
                return decode(loads(file.read()), f"{self.root}/{name}/_data")
        except (FileNotFoundError, NotADirectoryError):
            raise VolumeNotFound(f"get {name}: no such volume") from None
        except (ValueError, KeyError, TypeError) as error:
            raise DamagedVolume(f"{path}: not a volume's record ({error})") from error

    def every(self) -> list[Volume]:
        """All volumes, by name. Raises DamagedVolume."""
        found = []
        for name in self._names():
            with contextlib.suppress(VolumeNotFound):
                found.append(self.get(name))
        return found

    def remove(self, name: str, *, users: Collection[str] = ()) -> None:
        """Remove a volume with all that is in it. `users` are the IDs of the containers that have it.

        Raises VolumeNotFound, VolumeInUse, OSError.
        """
        self.get(name)
        if users:
            raise VolumeInUse(f"remove {name}: volume is in use - [{', '.join(sorted(users))}]")
        gone = f"{self.root}/{_GONE}{os.urandom(8).hex()}"
        files.rename(f"{self.root}/{name}", gone)
        files.sync_directory(self.root)
        files.remove_tree(gone)
        self._note("destroy", name)

    def _note(self, action: str, name: str) -> None:
        journal.note(self._journal(), "volume", action, name, {"driver": DRIVER})

    def _journal(self) -> str:
        return Disk(os.path.dirname(self.root)).journal

    def prune(
        self, used: Collection[str], accepts: Callable[[Volume], bool], *, named: bool = False
    ) -> tuple[list[str], int]:
        """Remove the plain volumes that are not in `used` and that `accepts` lets pass; with `named`, not
        only anonymous ones. Gives their names, and the bytes freed.
        """
        removed, freed = [], 0
        for volume in self.every():
            if not volume.plain or volume.name in used or not (named or volume.anonymous):
                continue
            if not accepts(volume):
                continue
            size = self.size(volume)
            with contextlib.suppress(VolumeNotFound):
                self.remove(volume.name)
                removed.append(volume.name)
                freed += size
        self.sweep()
        journal.note_prune(self._journal(), "volume", freed)
        return removed, freed

    def size(self, volume: Volume) -> int:
        """The bytes that the files of a volume have; one with several names counts once."""
        return _size(f"{self.root}/{volume.name}/_data")

    def sweep(self) -> None:
        """Remove what a killed process left halfway in or out."""
        for name in self._listed():
            if name.startswith(_GONE) or (name.startswith(_NEW) and _owner_is_gone(name)):
                files.remove_tree(f"{self.root}/{name}")

    def _place(self, volume: Volume) -> None:
        if files.make_directory(self.root, 0o711):
            files.sync_directory(os.path.dirname(self.root))
        new = f"{self.root}/{_NEW}{os.getpid()}-{os.urandom(8).hex()}"
        files.make_directory(new)
        try:
            data = os.open(new, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                files.make_directory(f"{new}/_data", 0o755)
                inner = os.open(f"{new}/_data", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                try:
                    files.change_mode(inner, 0o755)  # whatever the umask: any user of a container may look
                finally:
                    os.close(inner)
                files.replace_file(f"{new}/volume.json", dumps(encode(volume)).encode())
                # Who is not root on the host has no business here, as in Docker's directory.
                files.change_mode(data, 0o701)
            finally:
                os.close(data)
            self._appear(new, f"{self.root}/{volume.name}")
        except BaseException:
            files.remove_tree(new)
            raise

    def _appear(self, new: str, path: str) -> None:
        try:
            files.rename(new, path)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            files.remove_tree(new)  # another process was faster
            return
        files.sync_directory(self.root)

    def _names(self) -> list[str]:
        return [name for name in self._listed() if not name.startswith(".")]

    def _listed(self) -> list[str]:
        try:
            return sorted(os.listdir(self.root))
        except FileNotFoundError:
            return []


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _owner_is_gone(name: str) -> bool:
    owner = name.removeprefix(_NEW).partition("-")[0]
    return not os.path.exists(f"/proc/{owner}")


def _size(path: str) -> int:
    """The bytes that the files below a directory have, which containers may change meanwhile."""
    sizes: dict[tuple[int, int], int] = {}
    for _ in range(_TRIES):
        sizes.clear()
        try:
            for found in files.inodes(f"{path}/."):  # it may be a link to another disk
                if not stat.S_ISDIR(found.st_mode):
                    sizes[found.st_dev, found.st_ino] = found.st_size
            break
        except files.TreeMoved:
            continue
    return sum(sizes.values())
