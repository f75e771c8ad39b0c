"""Where an entry of a tar belongs: names are made plain, and the layer's own symlinks in them followed.

Nothing here touches a file system: the tree of names seen so far is kept in memory, so no name, however
made, can lead out of the layer. The rules:

  * a leading `/`, empty parts and `.` are dropped; `..` is resolved as text, and refused where it climbs
    above the root;
  * a parent that this layer made a symlink is followed, as in a chroot, at most 40 times; one that it made
    something else but a directory is refused;
  * a parent that no entry names is a directory all the same;
  * `.wh.NAME` marks NAME as gone from the layers below, `.wh..wh..opq` all that its directory has there;
    other names that begin with `.wh..wh.` are notes of AUFS, and ignored.
"""

from __future__ import annotations

from collections.abc import Iterable

from millefeuille.annotations import Final
from millefeuille.layers.entry import DIRECTORY, HARDLINK, OPAQUE, SYMLINK, WHITEOUT
from millefeuille.layers.refusal import Limits, TarError

WHITEOUT_PREFIX: Final = b".wh."
_AUFS_PREFIX: Final = b".wh..wh."
_OPAQUE_NAME: Final = b".wh..wh..opq"
_DOT: Final = ord(".")
_SLASH: Final = ord("/")
_SPECIAL: Final = frozenset((b"", b".", b".."))

Place = tuple[bytes, int]  # path, and WHITEOUT, OPAQUE or the kind that was asked for


class Names:
    """The names of one layer, as its tar's entries make them."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        # What each directory holds, by its path: the kind of each name in it.
        self._directories: dict[bytes, dict[bytes, int]] = {b"": {}}
        self._symlinks: dict[bytes, bytes] = {}
        self._steps = 0
        self.forgotten = False  # whether a directory was replaced

    @property
    def directories(self) -> dict[bytes, dict[bytes, int]]:
        """What each known directory holds, by its path; who adds a name has made sure that it is plain."""
        return self._directories

    def allow(self, directories: Iterable[bytes]) -> bool:
        """Whether these can be directories behind the names so far: nothing else is in their place."""
        for path in directories:
            parent, _, leaf = path.rpartition(b"/")
            if self._directories.get(parent, {}).get(leaf, DIRECTORY) != DIRECTORY:
                return False
        return True

    def place(self, name: bytes, kind: int, target: bytes = b"") -> Place | None:
        """Enter a name as the tar spells it; None when the entry is to be ignored.

        `target` is that of a symlink. Raises TarError (rules name, escape, length, depth, loop, notdir,
        whiteout, root, effort).
        """
        path = name[2:] if name[0] == _DOT and name[:2] == b"./" else name
        parent, _, leaf = path.rpartition(b"/")
        children = self._directories.get(parent)
        # The common case: a plain new name in a directory that is known, and therefore plain itself.
        known = children is not None and leaf and path[0] != _SLASH and len(path) < 256
        if children is not None and known and (leaf[0] != _DOT or _is_plain(leaf)):
            if kind in (DIRECTORY, SYMLINK) or leaf in children:
                self._enter(path, kind, target)
            else:
                children[leaf] = kind
            return path, kind
        placed = self._resolve(name)
        if placed is None:
            return None
        path, mark = placed
        if mark:
            return path, mark
        self._enter(path, kind, target)
        return path, kind

    def place_link(self, name: bytes, target: bytes) -> tuple[Place, bytes, bool] | None:
        """Enter a hard link: its place, its target's path, and whether only a lower layer can have that.

        None when it is to be ignored. Raises TarError as `place` does, and with rule link.
        """
        placed = self._resolve(name)
        if placed is None or placed[1]:
            return placed and (placed, b"", False)
        path = placed[0]
        found, kind = self._target(target, path)
        if found == path or found.startswith(path + b"/"):
            raise TarError("link", "a hard link names itself, or what it would replace", path)
        self._enter(path, kind or HARDLINK, self._symlinks.get(found, b""))
        return (path, HARDLINK), found, kind is None

    def _target(self, target: bytes, path: bytes) -> tuple[bytes, int | None]:
        """The path a hard link names, and its kind in this layer, if it is there."""
        parts = self._parts(target) if target else []
        if any(part.startswith(WHITEOUT_PREFIX) for part in parts):
            raise TarError("link", "a hard link names a whiteout", path)
        if not parts:
            raise TarError("link", "a hard link names nothing", path)
        parent = self._walk(parts[:-1], create=False)
        kind = self._directories.get(parent, {}).get(parts[-1])
        if kind == DIRECTORY:
            raise TarError("link", "a hard link names a directory", path)
        return _join(parent, parts[-1]), kind

    def _resolve(self, name: bytes) -> tuple[bytes, int] | None:
        """The path that a name means, and WHITEOUT or OPAQUE, or 0; None when it is to be ignored."""
        parts = self._parts(name)
        for part in parts[:-1]:
            if part.startswith(_AUFS_PREFIX) and part != _OPAQUE_NAME:
                return None
            if part.startswith(WHITEOUT_PREFIX):
                raise TarError("whiteout", "a whiteout is used as a directory", name)
        leaf = parts[-1] if parts else b""
        if leaf == _OPAQUE_NAME:
            return self._walk(parts[:-1], create=False), OPAQUE
        if leaf.startswith(_AUFS_PREFIX):
            return None
        if leaf.startswith(WHITEOUT_PREFIX):
            leaf = leaf[len(WHITEOUT_PREFIX) :]
            if leaf in _SPECIAL:
                raise TarError("whiteout", "a whiteout names no entry", name)
            return _join(self._walk(parts[:-1], create=False), leaf), WHITEOUT
        return _join(self._walk(parts[:-1], create=True), leaf), 0

    def _parts(self, name: bytes) -> list[bytes]:
        """The components of a name, made plain as text."""
        if not name:
            raise TarError("name", "an entry has no name")
        if b"\0" in name:
            raise TarError("name", "a name has a NUL in it", name)
        parts: list[bytes] = []
        for part in name.split(b"/"):
            if part == b"..":
                if not parts:
                    raise TarError("escape", "a name climbs above the root", name)
                parts.pop()
            elif part not in _SPECIAL:
                parts.append(part)
        return parts

    def _walk(self, parts: list[bytes], *, create: bool) -> bytes:
        """The directory that `parts` lead to, following this layer's symlinks inside of the root."""
        path, hops = b"", 0
        pending = parts[::-1]
        while pending:
            self._count_step()
            part = pending.pop()
            if part in _SPECIAL:
                path = path.rpartition(b"/")[0] if part == b".." else path
                continue
            here = _join(path, part)
            kind = self._directories.get(path, {}).get(part)
            if kind == SYMLINK:
                hops += 1
                if hops > self._limits.hops:
                    raise TarError("loop", f"a name passes more than {self._limits.hops} symlinks", here)
                target = self._symlinks[here]
                path = b"" if target[:1] == b"/" else path
                pending += target.split(b"/")[::-1]
                continue
            if kind is not None and kind != DIRECTORY:
                raise TarError("notdir", "a name passes through something that is no directory", here)
            if kind is None and create:
                self._enter(here, DIRECTORY, b"")
            path = here
        return path

    def _enter(self, path: bytes, kind: int, target: bytes) -> None:
        """Put a plain path in its parent, which is there; what was there before is forgotten."""
        if not path:
            if kind != DIRECTORY:
                raise TarError("root", "the root is no directory")
            return
        parent, _, leaf = path.rpartition(b"/")
        self._check(path, leaf)
        children = self._directories[parent]
        if kind == DIRECTORY:
            if children.get(leaf) != DIRECTORY:
                self._directories[path] = {}
        elif children.get(leaf) == DIRECTORY:
            self._forget(path)
        if kind == SYMLINK:
            self._symlinks[path] = target
        children[leaf] = kind

    def _check(self, path: bytes, leaf: bytes) -> None:
        limits = self._limits
        if len(leaf) > limits.component:
            raise TarError("length", f"a name has {len(leaf)} bytes, {limits.component} are allowed")
        if len(path) > limits.path:
            raise TarError("length", f"a path has {len(path)} bytes, {limits.path} are allowed")
        if path.count(b"/") >= limits.depth:
            raise TarError("depth", f"a path is deeper than {limits.depth} directories")
        if leaf.startswith(WHITEOUT_PREFIX):
            raise TarError("whiteout", "a whiteout is used as a directory", path)

    def _forget(self, path: bytes) -> None:
        """Forget a directory and all directories below it."""
        self.forgotten = True
        pending = [path]
        while pending:
            path = pending.pop()
            children = self._directories.pop(path)
            pending += [path + b"/" + leaf for leaf, kind in children.items() if kind == DIRECTORY]

    def _count_step(self) -> None:
        self._steps += 1
        if self._steps > self._limits.steps:
            raise TarError("effort", "the names need more work than those of any honest tar")


def _is_plain(leaf: bytes) -> bool:
    return leaf not in _SPECIAL and not leaf.startswith(WHITEOUT_PREFIX)


def _join(parent: bytes, leaf: bytes) -> bytes:
    return parent + b"/" + leaf if parent else leaf
