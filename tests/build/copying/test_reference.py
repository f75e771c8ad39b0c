"""COPY of random trees over random trees, against a copy on real directories that knows nothing of layers."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.layers.overlays import index_of

from millefeuille.build.copying.copy import CopyWishes, copied
from millefeuille.build.copying.planned import WrongKind
from millefeuille.build.copying.root import RootTree
from millefeuille.build.sources.directory import DirectorySource
from millefeuille.layers.entry import DIRECTORY, SYMLINK
from millefeuille.layers.following import TooManyLinks
from millefeuille.layers.index import LayerIndex
from millefeuille.layers.members import tree_members
from millefeuille.layers.stacked import Stack
from millefeuille.layers.tarstream import tar_pieces
from millefeuille.store.disk import Disk

NAMES = ["a", "a-", "b", "c"]
PATHS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map("/".join)
MODES = st.sampled_from([0o755, 0o700, 0o1777])
TARGETS = [b"a", b"../b", b"/a", b"/c/a", b"../../a", b"none"]
FILES = st.tuples(st.just("file"), PATHS, MODES, st.binary(max_size=3))
LINKS = st.tuples(st.just("link"), PATHS, MODES, st.sampled_from(TARGETS))
DIRECTORIES = st.tuples(st.just("directory"), PATHS, MODES, st.just(b""))
TREES = st.lists(st.one_of(FILES, DIRECTORIES, FILES, DIRECTORIES, LINKS), max_size=9)
Things = list[tuple[str, str, int, bytes]]


class Refused(Exception):
    """The reference cannot copy this."""


def make(top: Path, things: Things) -> None:
    """Make the things that can be made, one after the other."""
    top.mkdir()
    for kind, path, mode, data in things:
        parent = top
        for part in path.split("/")[:-1]:
            parent = parent / part
            if not os.path.lexists(parent):
                parent.mkdir()
            if parent.is_symlink() or not parent.is_dir():
                break
        else:
            place = top / path
            if os.path.lexists(place):
                continue
            if kind == "link":
                place.symlink_to(os.fsdecode(data))
                continue
            place.mkdir() if kind == "directory" else place.write_bytes(data)
            place.chmod(mode)


def inside(top: Path, path: str) -> Path:
    """Where a path leads below `top`, links followed by hand."""
    waiting, done, hops = path.split("/")[::-1], list[str](), 0
    while waiting:
        part = waiting.pop()
        if part == "..":
            done = done[:-1]
        if part in ("", ".", ".."):
            continue
        done.append(part)
        here = top.joinpath(*done)
        if here.is_symlink():
            hops += 1
            if hops > 255:
                raise Refused
            target = os.readlink(here)
            done = [] if target.startswith("/") else done[:-1]
            waiting += target.split("/")[::-1]
    return top.joinpath(*done)


def copy(source: Path, top: Path, argument: str, destination: str) -> None:
    """The reference."""
    found, target = source / argument, inside(top, destination)
    directories(top, target if destination.endswith("/") else target.parent)
    if found.is_dir():
        directories(top, target)
        merge(found, target)
        return
    if target.is_dir():
        target = target / found.name
    put(found, target)


def directories(top: Path, path: Path) -> None:
    if path == top:
        return
    directories(top, path.parent)
    if not os.path.lexists(path):
        path.mkdir(mode=0o755)
        path.chmod(0o755)
    elif path.is_symlink() or not path.is_dir():
        raise Refused


def merge(found: Path, target: Path) -> None:
    for child in sorted(found.iterdir()):
        place = target / child.name
        if child.is_symlink() or not child.is_dir():
            put(child, place)
            continue
        if not os.path.lexists(place):
            place.mkdir()
        elif place.is_symlink() or not place.is_dir():
            raise Refused
        place.chmod(stat.S_IMODE(child.stat().st_mode))
        merge(child, place)


def put(found: Path, place: Path) -> None:
    if os.path.lexists(place):
        if place.is_dir() and not place.is_symlink():
            raise Refused
        place.unlink()
    shutil.copy2(found, place, follow_symlinks=False)


def index_of_directory(top: Path) -> LayerIndex:
    descriptor = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return index_of(b"".join(tar_pieces(tree_members(descriptor))))
    finally:
        os.close(descriptor)


def tree(*indexes: LayerIndex) -> RootTree:
    made = RootTree(Disk("/nowhere"), ())
    made.__dict__["_stack"] = Stack(indexes)
    return made


def told(root: RootTree) -> Iterator[tuple[bytes, tuple[object, ...]]]:
    for inode in root.below(b""):
        entry = inode.entry
        if entry.kind == SYMLINK:
            yield entry.path, (entry.kind, entry.link)
        elif entry.kind == DIRECTORY:
            yield entry.path, (entry.kind, entry.mode)
        else:
            yield entry.path, (entry.kind, entry.mode, entry.size, entry.mtime, root.digest(inode))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    TREES, TREES, st.one_of(PATHS, st.just("")),
    st.one_of(PATHS, PATHS.map("{}/".format), st.sampled_from(["/", ".", "../a", "a/../../b/"])),
)  # fmt: skip
def test_copies_are_those_of_the_reference(below: Things, things: Things, argument: str, target: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        top, source = Path(directory, "top"), Path(directory, "source")
        make(top, below)
        make(source, things)
        if not (source / argument).exists() or inside(source, argument) != source / argument:
            argument = ""
        lower = index_of_directory(top)
        with DirectorySource(str(source)) as context:
            matches = context.match(argument)
            wishes = CopyWishes(destination=target)
            try:
                plain = os.path.normpath(f"/{target}").lstrip("/")
                copy(source, top, argument, plain + "/" * (target.endswith("/") or target == "."))
            except Refused:
                with pytest.raises((WrongKind, TooManyLinks)):
                    copied(tree(lower), context, matches, wishes)
                return
            upper = index_of(b"".join(tar_pieces(copied(tree(lower), context, matches, wishes))))
        paths = upper.paths()
        assert paths == sorted(paths, key=lambda path: path.split(b"/"))
        assert all(path.rpartition(b"/")[0] in (b"", *paths) for path in paths)
        assert dict(told(tree(lower, upper))) == dict(told(tree(index_of_directory(top))))
