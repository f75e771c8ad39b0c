"""Add: COPY, but for tars, which are extracted."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from millefeuille.build.copying.archive import Archive, is_archive, opened
from millefeuille.build.copying.copy import Changed, CopyWishes, Selected, destination, newest, put
from millefeuille.build.copying.planned import Planned
from millefeuille.build.copying.root import RootTree
from millefeuille.build.faulty import faulty
from millefeuille.build.sources.source import Item, Match, Source
from millefeuille.layers.entry import DIRECTORY, FILE
from millefeuille.layers.tarstream import Member


@contextmanager
def added(
    tree: RootTree, selected: Sequence[Selected], wishes: CopyWishes, *, unpack: bool, scratch: str
) -> Iterator[Iterator[Member]]:
    """The members of the layer that adding what was selected makes over the root `tree`.

    As `copied_from`, but files that are tars are extracted into the destination if `unpack`: it is made a
    directory, and stays as it is where it was one; what is in the archive takes the place of what is there,
    directories excepted where both are one. Owners are those in the archive, but for `--chown`. Archives lie
    in nameless files in the directory `scratch` until the block ends. Raises what `copied_from` and `opened`
    do, BrokenLink.
    """
    changed = Changed.asked(tree, wishes)
    with ExitStack() as held:
        steps = [
            (source, match, _archive(source, match, scratch, held) if unpack else None)
            for source, matches in selected
            for match in matches
        ]
        times = [archive.newest() for _, _, archive in steps if archive is not None]
        made = changed.made(max([newest(selected), *times]))
        planned = Planned(tree.emptied() if wishes.alone else tree, made)
        for source, match, archive in steps:
            if archive is None:
                put(planned, source, match, wishes, changed)
            else:
                _extract(planned, archive, wishes, changed)
        yield planned.members()


def _archive(source: Source, match: Match, scratch: str, held: ExitStack) -> Archive | None:
    """The archive that a match is; None when it is none."""
    if match.is_directory or match.items[0].entry.kind != FILE:
        return None
    descriptor = _descriptor(source, match.items[0])
    try:
        if not is_archive(descriptor):
            return None
        with faulty(f"/{os.fsdecode(match.path)}"):
            archive = opened(descriptor, scratch)
    finally:
        os.close(descriptor)
    held.callback(archive.close)
    return archive


def _descriptor(source: Source, item: Item) -> int:
    content = source.open(item)
    if isinstance(content, int):
        return content
    descriptor = os.memfd_create("add", os.MFD_CLOEXEC)
    os.write(descriptor, content)
    return descriptor


def _extract(planned: Planned, archive: Archive, wishes: CopyWishes, changed: Changed) -> None:
    target = destination(planned, wishes)
    planned.make_directories(target)
    places = {b"": target}
    for inode in archive.inodes():
        entry = inode.entry
        parent, _, name = entry.path.rpartition(b"/")
        base = places[parent]
        path = base + b"/" + name if base else name
        if entry.kind != DIRECTORY:
            content = (archive.open, inode) if entry.kind == FILE else None
            same = (id(archive), inode.number)
            planned.put(changed.applied(entry, path), content, same, replace=True)
            continue
        if inode.number < 0:  # nothing but a way to what is in it: it may be a link that is there
            path = planned.resolve(path)
            planned.make_directories(path)
        else:
            planned.put_directory(changed.applied(entry, path), replace=True)
        places[entry.path] = path
