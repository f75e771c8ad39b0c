"""Copy: what the arguments of COPY selected becomes the members of a layer.

Nothing is written anywhere first: the members name the source's files, and these are read once, while the
layer is stored.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from millefeuille.build.copying.chmod import Chmod
from millefeuille.build.copying.chmod import parse as parse_chmod
from millefeuille.build.copying.chown import owner
from millefeuille.build.copying.planned import UNDATED, MadeDirectory, Planned, WrongKind
from millefeuille.build.copying.root import RootTree
from millefeuille.build.sources.source import Item, Match, Source
from millefeuille.layers.entry import DIRECTORY, FILE, HARDLINK, SYMLINK
from millefeuille.layers.following import asserts_directory
from millefeuille.layers.tarheader import Metadata
from millefeuille.layers.tarstream import Member
from millefeuille.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyWishes:
    """What a COPY or ADD asks for beside its sources, as written, variables expanded; "" for nothing.

    `destination` is relative to `directory`. `epoch` in seconds: no file is newer.
    """

    destination: str
    directory: str = "/"
    chown: str = ""
    chmod: str = ""
    link: bool = False
    parents: bool = False
    epoch: int | None = None

    @property
    def alone(self) -> bool:
        """Whether the layer is made over an empty root: BuildKit does so for --link without --chmod."""
        return self.link and not self.chmod


# A source with what was selected in it.
Selected = tuple[Source, Sequence[Match]]


def copied(tree: RootTree, source: Source, matches: Sequence[Match], wishes: CopyWishes) -> Iterator[Member]:
    """The members of the layer that copying `matches` one after the other makes over the root `tree`.

    They are sorted, and the same for the same files; none when nothing changes. A descriptor is open until
    the next member is asked for. Raises InvalidMode, NoSuchOwner, WrongKind, UnwritableName, TooManyLinks,
    and what reading `tree` and `source` does.
    """
    return copied_from(tree, [(source, matches)], wishes)


def copied_from(tree: RootTree, selected: Sequence[Selected], wishes: CopyWishes) -> Iterator[Member]:
    """The same of several sources, one after the other."""
    changed = Changed.asked(tree, wishes)
    planned = Planned(tree.emptied() if wishes.alone else tree, changed.made(newest(selected)))
    for source, matches in selected:
        for match in matches:
            put(planned, source, match, wishes, changed)
    return planned.members()


def newest(selected: Sequence[Selected]) -> int:
    """The time, in seconds, of the newest of what was selected."""
    items = (item for _, matches in selected for match in matches for item in match.items)
    return max((item.entry.mtime for item in items), default=UNDATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What becomes of the metadata of what is copied."""

    owner: tuple[int, int] | None
    chmod: Chmod | None
    epoch: int | None

    @staticmethod
    def asked(tree: RootTree, wishes: CopyWishes) -> Changed:
        """What the wishes come to; names are looked up in `tree`. Raises InvalidMode, NoSuchOwner."""
        return Changed(
            owner=owner(tree, wishes.chown) if wishes.chown else None,
            chmod=parse_chmod(wishes.chmod) if wishes.chmod else None,
            epoch=wishes.epoch,
        )

    def made(self, newest: int) -> MadeDirectory:
        """How directories are made; `newest` is the time of the newest file, in seconds."""
        octal = self.chmod.octal if self.chmod is not None else None
        uid, gid = self.owner or (0, 0)
        mtime = newest if self.epoch is None else self.epoch
        return MadeDirectory(mode=0o755 if octal is None else octal, uid=uid, gid=gid, mtime=mtime)

    def applied(self, entry: Metadata, path: bytes) -> Metadata:
        """The entry as it is put at `path`."""
        _, kind, mode, uid, gid, size, mtime, _, link, device, xattrs = entry
        if self.owner is not None:
            uid, gid = self.owner
        if self.chmod is not None and kind != SYMLINK:
            mode = self.chmod.applied(mode, is_directory=kind == DIRECTORY)
        if self.epoch is not None and mtime > self.epoch:
            mtime = self.epoch
        return Metadata(path, kind, mode, uid, gid, size, mtime, 0, link, device, xattrs)


def destination(planned: Planned, wishes: CopyWishes) -> bytes:
    """Where the wishes' destination lies, links followed.

    The directories above it are made, and itself where it is written as one. Raises WrongKind, TooManyLinks.
    """
    text = os.fsencode(wishes.destination)
    found = planned.resolve(text if text.startswith(b"/") else os.fsencode(wishes.directory) + b"/" + text)
    only = not text or asserts_directory(text)
    planned.make_directories(found if only else found.rpartition(b"/")[0])
    return found


def put(planned: Planned, source: Source, match: Match, wishes: CopyWishes, changed: Changed) -> None:
    """Put one match at the destination. Raises WrongKind, UnwritableName, TooManyLinks."""
    target = destination(planned, wishes)
    kind = planned.kind(target)
    if match.is_directory and kind not in (None, DIRECTORY):
        raise WrongKind(f"cannot copy to non-directory: /{os.fsdecode(target)}")
    if match.is_directory or kind == DIRECTORY:
        planned.make_directories(target)
    prefix = target + b"/" if target else b""
    if match.is_directory:
        _put_below(planned, source, match, prefix, changed, keep=wishes.parents)
        return
    item = match.items[0]
    entry = changed.applied(item.entry, prefix + match.name if kind == DIRECTORY else target)
    planned.put(entry, (source.open, item) if entry.kind == FILE else None)


def _put_below(
    planned: Planned, source: Source, match: Match, prefix: bytes, changed: Changed, *, keep: bool
) -> None:
    """Put what is in a directory."""
    linked = {item.entry.link for item in match.items if item.entry.kind == HARDLINK}
    origins: dict[bytes, Item] = {}
    start = len(match.path) + 1 if match.path else 0
    for item in match.items:
        entry = item.entry
        path = prefix + item.path[start:]
        if entry.kind == DIRECTORY:
            planned.put_directory(changed.applied(entry, path), keep=keep)
            continue
        same = None
        if linked:
            name = entry.link if entry.kind == HARDLINK else item.path
            if name in linked:
                item = origins.setdefault(name, item)
                same = (id(match), name)
        entry = changed.applied(item.entry, path)
        planned.put(entry, (source.open, item) if entry.kind == FILE else None, same)
