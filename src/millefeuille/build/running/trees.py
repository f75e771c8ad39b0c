"""Trees: files of a context, a stage or an image, put where a mount of a RUN can take them from.

    the host's     ─► a copy of the mount there; or an overlay, where something is hidden or may be written to
    a chain's      ─► a root of its own

Nothing is copied. What `.dockerignore` hides has marks in a layer above, as something deleted has; what is
written goes to a directory that is thrown away. All is attached among the mounts of the thread that asks.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable

from millefeuille import files, kernel
from millefeuille.annotations import Final
from millefeuille.build.running.host import RunHost, tree_key
from millefeuille.build.running.wish import ChainTree, HostTree, Tree
from millefeuille.build.sources.source import NotFound
from millefeuille.snapshots import attach
from millefeuille.snapshots.roots import adopt
from millefeuille.snapshots.snapshotter import Mount, Option, close_all, let_go

_LOOK: Final = os.O_PATH | os.O_CLOEXEC
# What is thrown away needs nothing awaited, and no file kept as a reference to another.
_WRITABLE: Final[tuple[Option, ...]] = (
    ("redirect_dir", "nofollow"), ("index", "off"), ("metacopy", "off"), ("volatile", None)
)  # fmt: skip


class Trees:
    """The trees of one RUN, attached below `place`; `stack` closes what they need, after its end.

    `keys` are the roots made for them, the caller's to remove, as is the directory `scratch`.
    """

    def __init__(
        self, host: RunHost, id: str, place: str, scratch: str, stack: contextlib.ExitStack
    ) -> None:
        self._host = host
        self._id = id
        self._place = place
        self._scratch = scratch
        self._stack = stack
        self._count = 0
        self.keys: list[str] = []

    def attached(self, tree: Tree, *, writable: bool = False) -> str:
        """The path of a tree, without links in it. Raises NotFound, and what mounting raises."""
        self._count += 1
        files.make_directories(self._place)
        if isinstance(tree, ChainTree):
            return self._chains(tree, writable=writable)
        with contextlib.ExitStack() as stack:
            return self._hosts(tree, stack, writable=writable)

    def _chains(self, tree: ChainTree, *, writable: bool) -> str:
        place, key = f"{self._place}/{self._count}", tree_key(self._id, self._count)
        files.make_directory(place)
        files.make_directories(f"{self._scratch}/{self._count}")  # by which the root is found after a kill
        self.keys.append(key)
        snapshots = self._host.snapshots
        if tree.chain is None or writable:
            mounts = snapshots.prepare(key, tree.chain)
        else:
            mounts = snapshots.view(key, tree.chain)
        self._stack.callback(let_go, mounts)
        try:
            attach.attach(mounts, place)
        finally:
            close_all(mounts)
        root = os.open(place, _LOOK | os.O_DIRECTORY)
        try:
            found = _opened(root, tree.path)
        finally:
            os.close(root)
        try:
            return _path(found)
        finally:
            os.close(found)

    def _hosts(self, tree: HostTree, stack: contextlib.ExitStack, *, writable: bool) -> str:
        root = os.open(tree.root, _LOOK | os.O_DIRECTORY)
        stack.callback(os.close, root)
        found = _opened(root, tree.path)
        stack.callback(os.close, found)
        inside = os.path.relpath(_path(found), _path(root))
        below = _hidden_below(tree, "" if inside == "." else inside)
        place = f"{self._place}/{self._count}"
        is_directory = stat.S_ISDIR(os.fstat(found).st_mode)
        if not (writable or below):
            _bind(found, place, is_directory=is_directory)
            return place
        files.make_directory(place)
        if is_directory:
            self._lay_over(found, place, below, writable=writable)
            return place
        # Overlayfs has directories only: the one that the file is in, of which nothing else is shown.
        parent, name = os.path.split(_path(found))
        above = os.open(parent, _LOOK | os.O_DIRECTORY | os.O_NOFOLLOW)
        stack.callback(os.close, above)
        self._lay_over(above, place, (), writable=True)
        return f"{place}/{name}"

    def _lay_over(self, base: int, place: str, hidden: Iterable[bytes], *, writable: bool) -> None:
        scratch = f"{self._scratch}/{self._count}"
        marks, upper, work = (f"{scratch}/{name}" for name in ("hidden", "upper", "work"))
        files.make_directories(scratch)
        for directory in (marks, upper, work):
            files.make_directory(directory, 0o755)
            adopt(directory, base)
        _hide(marks, base, hidden)
        options: tuple[Option, ...] = (("lowerdir+", marks), ("lowerdir+", base))
        if writable:
            options = (*options, ("upperdir", upper), ("workdir", work), *_WRITABLE)
        if self._host.rootless:
            options = (*options, ("userxattr", None))
        attach.attach(
            [Mount(type="overlay", source="overlay", options=options, read_only=not writable)], place
        )


def _opened(root: int, path: str) -> int:
    """What is at a path in a root, whose links do not lead out of it. Raises NotFound."""
    try:
        return kernel.openat2(root, path.strip("/") or ".", os.O_PATH, resolve=kernel.RESOLVE_IN_ROOT)
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(path) from None


def _path(descriptor: int) -> str:
    return os.readlink(f"/proc/self/fd/{descriptor}")


def _hidden_below(tree: HostTree, inside: str) -> list[bytes]:
    """What is hidden in the selected directory, from there on. Raises NotFound when it is hidden itself."""
    selected = os.fsencode(inside)
    start = selected + b"/" if selected else b""
    below = []
    for path in tree.hidden:
        if selected == path or selected.startswith(path + b"/"):
            raise NotFound(tree.path)
        if path.startswith(start):
            below.append(path[len(start) :])
    return below


def _bind(found: int, place: str, *, is_directory: bool) -> None:
    """Attach, read-only, a copy of the mount at a descriptor: no name is looked up again."""
    if is_directory:
        files.make_directory(place)
    else:
        os.close(files.create(place))
    try:
        copy = kernel.open_tree("", directory=found)
        try:
            kernel.mount_setattr("", directory=copy, set=kernel.ATTR_RDONLY)
            files.act("mount", place)
            kernel.move_mount(copy, place)
        finally:
            os.close(copy)
    except OSError as error:
        raise attach.explain(error, f"bind {_path(found)}") from None


def _hide(marks: str, base: int, hidden: Iterable[bytes]) -> None:
    """Mark paths as deleted, in directories that are as those they will be laid over."""
    for path in sorted(hidden):
        parent = os.path.dirname(path)
        try:
            _like(marks, base, parent)
        except (FileNotFoundError, NotADirectoryError):
            continue  # the tree has changed meanwhile: nothing is there to hide
        files.act("mknod", path)
        with contextlib.suppress(FileExistsError):
            os.mknod(os.path.join(os.fsencode(marks), path), stat.S_IFCHR, os.makedev(0, 0))
        # The directory is to have the time that it has below.
        _like_one(os.path.join(os.fsencode(marks), parent), base, parent)


def _like(marks: str, base: int, path: bytes) -> None:
    parts = path.split(b"/") if path else []
    for depth in range(1, len(parts) + 1):
        part = b"/".join(parts[:depth])
        made = os.path.join(os.fsencode(marks), part)
        if not os.path.isdir(made):
            os.stat(part, dir_fd=base, follow_symlinks=False)
            files.make_directory(os.fsdecode(made), 0o755)
            _like_one(made, base, part)
            _like_one(os.path.dirname(made), base, os.path.dirname(part))


def _like_one(made: bytes, base: int, path: bytes) -> None:
    flags = _LOOK | os.O_DIRECTORY | os.O_NOFOLLOW
    try:
        below = kernel.openat2(base, path or b".", flags, resolve=kernel.RESOLVE_BENEATH)
    except FileNotFoundError:
        return
    try:
        adopt(os.fsdecode(made), below)
    finally:
        os.close(below)
