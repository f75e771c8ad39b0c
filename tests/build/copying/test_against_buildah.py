"""COPY, ADD and WORKDIR against buildah: the same lines, each row in a directory of its own, one build."""

from __future__ import annotations

import io
import os
import shutil
import stat
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.build.copying.roots import layer

from millefeuille.build.copying.add import added
from millefeuille.build.copying.copy import CopyWishes, copied
from millefeuille.build.copying.root import RootTree
from millefeuille.build.copying.workdir import made
from millefeuille.build.sources.directory import DirectorySource
from millefeuille.layers.entry import DIRECTORY, FILE, SYMLINK
from millefeuille.store.images import LayerRecord
from millefeuille.store.store import Store

pytestmark = pytest.mark.walk


class Row(NamedTuple):
    """`lines` are instructions, `@` standing for the row's own directory; `differs` says where we mean to."""

    name: str
    lines: str
    differs: str = ""


# The context is the one of `context` below.
ALL_ROWS = [
    Row("file to name", "COPY a @/x"),
    Row("file to new directory", "COPY a @/x/"),
    Row("file to name below new directories", "COPY a @/x/y/z"),
    Row("file to directory that is there", "COPY sub @/x; COPY a @/x"),
    Row("file over file", "COPY a @/x; COPY run @/x"),
    Row("file over link", "COPY links @/l; COPY a @/l/rel", "BuildKit follows a link at the end"),
    Row("file over link in a directory", "COPY links @/l; COPY like/rel @/l/"),
    Row("file through link to a directory", "COPY sub @/sub; COPY dirlink @/l; COPY a @/l/to/x"),
    Row("file into link to a directory", "COPY sub @/sub; COPY dirlink @/l; COPY a @/l/to"),
    Row("file into link to a directory, with a slash", "COPY sub @/sub; COPY dirlink @/l; COPY a @/l/to/"),
    Row("through a link that climbs", "COPY climb @/l; COPY a @/l/up/x"),
    Row("directory to name", "COPY sub @/x"),
    Row("directory to name with slash", "COPY sub @/x/"),
    Row("directory with slash", "COPY sub/ @/x"),
    Row("directory with dot", "COPY sub/. @/x"),
    Row("whole context", "COPY . @/x"),
    Row("directory twice", "COPY sub @/x; COPY sub @/x"),
    Row("directory over directory with another mode", "COPY more @/x; COPY sub @/x"),
    Row("directory merged into directory", "COPY sub @/x; COPY more @/x"),
    Row("two directories at once", "COPY sub more @/x/"),
    Row("file and directory at once", "COPY a sub @/x/"),
    Row("files at once", "COPY a run @/x/"),
    Row("same name twice", "COPY sub/b more/b @/x/"),
    Row("star", "COPY *.txt @/x/"),
    Row("star that meets one", "COPY one*.txt @/x/"),
    Row("star in the middle", "COPY s*b/b @/x/"),
    Row("star for directories", "COPY m*e @/x/"),
    Row("question mark", "COPY ?.txt @/x/"),
    Row("class", "COPY ./[12].txt @/x/"),
    Row("range", "COPY ./[0-2].txt @/x/"),
    Row("negated class", "COPY ./[^1].txt @/x/"),
    Row("star in a class", "COPY ./[*].star @/x/", "buildah takes what it found for a pattern again"),
    Row("space by quotes", 'COPY ["with space", "@/x/"]'),
    Row("empty directory", "COPY empty @/x/y"),
    Row("empty file", "COPY zero @/x"),
    Row("restrictive directory", "COPY closed @/x"),
    Row("sticky directory inside", "COPY sub @/x/sub"),
    Row("links stay", "COPY links @/x"),
    Row("dangling link inside", "COPY odd @/x"),
    Row("link as argument", "COPY link @/x"),
    Row("link as argument into a directory", "COPY link @/x/"),
    Row("link to directory as argument", "COPY dirlink/to @/x"),
    Row("through link in the source", "COPY dirlink/to/b @/x"),
    Row("absolute link as argument", "COPY absolute @/x"),
    Row("climbing argument", "COPY ../../a @/x"),
    Row("absolute argument", "COPY /a @/x"),
    Row("dots in the argument", "COPY sub/../a @/x"),
    Row("dots in the destination", "COPY a @/x/../y"),
    Row("double slashes", "COPY sub//b @//x"),
    Row("hard links", "COPY hard @/x"),
    Row("one of two names", "COPY hard/1 @/x"),
    Row("chown by numbers", "COPY --chown=5:6 sub @/x"),
    Row("chown by number", "COPY --chown=5 a @/x"),
    Row("chown of new directories", "COPY --chown=5:6 a @/x/y/z"),
    Row("chown by name", "COPY --chown=app a @/x"),
    Row("chown by names", "COPY --chown=app:staff a @/x"),
    Row("chown by name and number", "COPY --chown=app:7 a @/x"),
    Row("chown of links", "COPY --chown=5:6 links @/x"),
    Row("chown into directory that is there", "COPY sub @/x; COPY --chown=5:6 a @/x/"),
    Row("chmod of file", "COPY empty @; COPY --chmod=600 a @/x"),
    Row("chmod of directory", "COPY empty @/x; COPY --chmod=711 sub @/x"),
    Row("chmod with links", "COPY empty @/x; COPY --chmod=640 links @/x"),
    Row("chmod with four digits", "COPY empty @; COPY --chmod=1755 sub/b @/x"),
    Row("chmod of new directories", "COPY --chmod=700 a @/x/y/z", "buildah's new directories are 755"),
    Row("workdir", "WORKDIR @/w/d"),
    Row("relative to workdir", "WORKDIR @/w; COPY a x"),
    Row("relative into workdir", "WORKDIR @/w; COPY a ."),
    Row("relative directory to workdir", "WORKDIR @/w; COPY sub ./"),
    Row("relative below workdir", "WORKDIR @/w; COPY a b/c/d"),
    Row("climbing from workdir", "WORKDIR @/w; COPY a ../x"),
    Row("workdir below workdir", "WORKDIR @/w; WORKDIR d; COPY a ./"),
    Row("workdir that is there", "COPY --chown=5:6 sub @/w; WORKDIR @/w; COPY a ."),
    Row("workdir through link", "COPY dirlink @/l; WORKDIR @/l/to; COPY a ."),
    Row("add file", "ADD a @/x/"),
    Row("add directory", "ADD sub @/x"),
    Row("add tar", "ADD a.tar @/x"),
    Row("add tar with slash", "ADD a.tar @/x/"),
    Row("add gzipped tar", "ADD a.tar.gz @/x/y"),
    Row("add bzip2ed tar", "ADD a.tar.bz2 @/x"),
    Row("add xzed tar", "ADD a.tar.xz @/x"),
    Row("add tar with an entry for its root", "ADD rooted.tar @/x", "buildah changes the destination"),
    Row("add tar over tree", "COPY sub @/x; ADD a.tar @/x"),
    Row("add tar with owner", "ADD --chown=5:6 a.tar @/x", "buildah keeps the archive's owners"),
    Row("add what only looks like a tar", "ADD fake.tar @/x/"),
    Row("copy tar", "COPY a.tar @/x"),
]  # fmt: skip
# buildah takes a tenth of a second for a line.
ROWS = ALL_ROWS if os.environ.get("MILLE_ALL") else ALL_ROWS[::3]
# Bits that buildah takes away from what it copies: set-user-ID and set-group-ID.
_STRIPPED = stat.S_ISUID | stat.S_ISGID

Tree = dict[str, tuple[object, ...]]


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("context")
    for path, mode in (
        ("a", 0o640), ("run", 0o4755), ("sub/b", 0o644), ("sub/deep/c", 0o755), ("more/b", 0o600),
        ("more/deep/e", 0o644), ("hard/1", 0o644), ("zero", 0o644), ("with space", 0o644), ("*.star", 0o644),
        ("x.star", 0o644), ("1.txt", 0o644), ("2.txt", 0o600), ("3.txt", 0o644), ("one.txt", 0o644),
        ("closed/f", 0o000), ("etc/x", 0o644), ("fake.tar", 0o644), ("like/rel", 0o644),
    ):  # fmt: skip
        file = top / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"" if path == "zero" else path.encode() * 7)
        file.chmod(mode)
    (top / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\napp:x:1000:100::/:/bin/sh\n")
    (top / "etc/group").write_text("root:x:0:\nstaff:x:50:app\n")
    (top / "empty").mkdir()
    os.link(top / "hard/1", top / "hard/2")
    for path, target in (
        ("link", "a"), ("links/rel", "../a"), ("links/abs", "/etc/passwd"), ("links/none", "nowhere"),
        ("odd/rel", "nowhere"), ("dirlink/to", "../sub"), ("climb/up", "../../../../etc"),
        ("absolute", "/sub/b"),
    ):  # fmt: skip
        (top / path).parent.mkdir(exist_ok=True)
        os.symlink(target, top / path)
    for way, suffix in (("w", ""), ("w:gz", ".gz"), ("w:bz2", ".bz2"), ("w:xz", ".xz")):
        _tar(top / f"a.tar{suffix}", way)
    _tar(top / "rooted.tar", "w", rooted=True)
    (top / "closed").chmod(0o500)
    (top / "sub").chmod(0o700)
    (top / "sub/deep").chmod(0o1777)
    for found in sorted(top.rglob("*"), reverse=True):
        os.utime(found, ns=(0, 1_600_000_000_000_000_000), follow_symlinks=False)
    return top


def _tar(path: Path, mode: str, *, rooted: bool = False) -> None:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]  # a mode is a text here
        for name, kind, bits, link in (
            ("./", tarfile.DIRTYPE, 0o700, ""), ("./deep/", tarfile.DIRTYPE, 0o1700, ""),
            ("./deep/f", tarfile.REGTYPE, 0o640, ""), ("./l", tarfile.SYMTYPE, 0o777, "deep/f"),
        )[0 if rooted else 1 :]:  # fmt: skip
            header = tarfile.TarInfo(name)
            header.type, header.mode, header.linkname, header.mtime = kind, bits, link, 1_600_000_000
            header.uid, header.gid = 7, 8
            header.size = 4 if kind == tarfile.REGTYPE else 0
            archive.addfile(header, io.BytesIO(b"data"))


def lines(number: int, row: Row) -> list[str]:
    return [line.strip().replace("@", f"/row{number}") for line in row.lines.split(";")]


@pytest.fixture(scope="module")
def scratch() -> Iterator[Path]:
    """A directory in memory, where there is one: nothing here is to outlive the machine."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as directory:
        yield Path(directory)


@pytest.fixture(scope="module")
def theirs(context: Path, scratch: Path) -> Iterator[Tree]:
    """What buildah makes of all rows."""
    if os.geteuid() != 0 or shutil.which("buildah") is None:
        pytest.skip("needs root and buildah")
    top = scratch / "buildah"
    top.mkdir()
    text = ["FROM scratch", "COPY etc /etc/"]
    for number, row in enumerate(ROWS):
        text += ["WORKDIR /", *lines(number, row)]
    (top / "Dockerfile").write_text("\n".join(text) + "\n")
    places = ["--root", f"{top}/root", "--runroot", f"{top}/run", "--storage-driver", "vfs"]

    def buildah(*arguments: str) -> str:
        done = subprocess.run(
            ["buildah", *places, *arguments], capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    file = str(top / "Dockerfile")
    buildah("bud", "--isolation", "chroot", "--tag", "rows", "--file", file, str(context))
    container = buildah("from", "rows")
    try:
        yield dict(_on_disk(Path(buildah("mount", container))))
    finally:
        buildah("umount", container)


def _on_disk(top: Path) -> Iterator[tuple[str, tuple[object, ...]]]:
    inodes: dict[int, str] = {}
    for path in sorted(top.rglob("*")):
        status, name = path.lstat(), str(path.relative_to(top))
        mode, owner = stat.S_IMODE(status.st_mode) & ~_STRIPPED, (status.st_uid, status.st_gid)
        first = inodes.setdefault(status.st_ino, name)
        if path.is_symlink():
            yield name, ("link", os.readlink(path), owner)
        elif path.is_dir():
            yield name, ("directory", oct(mode), owner)
        else:
            same = first if first != name else ""
            yield name, ("file", oct(mode), owner, path.read_bytes(), int(status.st_mtime), same)


@pytest.fixture(scope="module")
def ours(context: Path, scratch: Path) -> Tree:
    """What we make of them, a layer for each line."""
    store = Store(str(scratch / "ours"))
    layers: list[LayerRecord] = []
    with DirectorySource(str(context)) as source:
        _line(store, source, layers, "/", "COPY etc /etc/")
        for number, row in enumerate(ROWS):
            directory = "/"
            for line in lines(number, row):
                directory = _line(store, source, layers, directory, line)
    with RootTree(store.disk, layers) as tree:
        return dict(_in_layers(tree))


def _line(
    store: Store, source: DirectorySource, layers: list[LayerRecord], directory: str, line: str
) -> str:
    """Append the layer that a line makes; the working directory behind it."""
    keyword, *words = line.split(" ")
    if words[0].startswith("["):
        words = line.partition(" ")[2].strip('["]').split('", "')
    flags = {flag: value for flag, _, value in (w[2:].partition("=") for w in words if w.startswith("--"))}
    *patterns, target = (word for word in words if not word.startswith("--"))
    with RootTree(store.disk, list(layers)) as tree:
        if keyword == "WORKDIR":
            directory = os.path.normpath(os.path.join(directory, target))
            layers.append(layer(store, made(tree, directory)))
            return directory
        matches = [match for pattern in patterns for match in source.match(pattern)]
        wishes = CopyWishes(destination=target, directory=directory, **flags)  # type: ignore[arg-type]  # texts all
        if keyword == "COPY":
            layers.append(layer(store, copied(tree, source, matches, wishes)))
        else:
            store.create()
            with added(
                tree, [(source, matches)], wishes, unpack=True, scratch=store.disk.ingest
            ) as members:
                layers.append(layer(store, members))
    return directory


def _in_layers(tree: RootTree) -> Iterator[tuple[str, tuple[object, ...]]]:
    names: dict[object, str] = {}
    for inode in tree.below(b""):
        entry = inode.entry
        name, mode, owner = os.fsdecode(entry.path), entry.mode & ~_STRIPPED, (entry.uid, entry.gid)
        if entry.kind == SYMLINK:
            yield name, ("link", os.fsdecode(entry.link), owner)
        elif entry.kind == DIRECTORY:
            yield name, ("directory", oct(mode), owner)
        else:
            assert entry.kind == FILE
            first = names.setdefault(inode[1:], name)
            same = first if first != name else ""
            yield name, ("file", oct(mode), owner, tree.content(inode), entry.mtime, same)


def below(tree: Mapping[str, tuple[object, ...]], number: int) -> Tree:
    top = f"row{number}"
    return {path: what for path, what in tree.items() if path == top or path.startswith(f"{top}/")}


@pytest.mark.parametrize("number", range(len(ROWS)), ids=[row.name for row in ROWS])
def test_the_trees_are_equal(number: int, ours: Tree, theirs: Tree) -> None:
    mine, other = below(ours, number), below(theirs, number)
    assert mine
    if ROWS[number].differs:
        assert mine != other, "buildah does this as we do: the row needs no remark"
    else:
        assert mine == other
