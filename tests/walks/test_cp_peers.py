"""`docker cp` beside ours: the same exit codes, errors and trees, with modes, owners and times.

A tree on the disk stands for our container; docker's is made, not started, from an image of the same tree.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import stat
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

import pytest
from tests.containers.trees import make, opened

from millefeuille.containers import copying
from millefeuille.containers.placing import kept
from millefeuille.containers.stream import from_archive
from millefeuille.errors import MilleError
from millefeuille.testing.servers import DockerServer, ServerMissing, dockerd

pytestmark = pytest.mark.walk

INSIDE = {
    "etc/passwd": "root", "d/f": "1", "d/sub/g": "2", "d/l": "-> f", "link": "-> d",
    "abs": "-> /box/etc/passwd", "out": "-> ../../../../box/etc", "gone": "-> /box/nowhere",
    "lost": "-> /not/here", "empty": None,
    "mode/x": "x", "deep": "-> link", "has/f/x": "dir", "plain/t": "file", "loop": "-> loop",
}  # fmt: skip
OUTSIDE = {
    "f": "new", "t/f": "n1", "t/sub/h": "n2", "dest": None, "file": "old", "full/d/old": "o",
    "full/passwd/x": "y", "hl": "-> t", "fl": "-> f", "bad": "-> nowhere", "over/d": "file", "tf/t/f": "1",
}  # fmt: skip

# What is copied, and where to: from {C}, the container's directory, to {H}, the host's, or the other way.
OUT = """
    etc/passwd new | etc/passwd dest | etc/passwd dest/ | etc/passwd file | etc/passwd dest/. |
    etc/passwd new/ | etc/passwd new/. | etc/passwd no/new | etc/passwd file/ | etc/passwd full |
    etc/passwd hl | etc/passwd fl | etc/passwd bad | etc/passwd hl/ | etc/passwd hl/f | d new | d new/ |
    d dest | d/ dest | d full | d file | d over | d/. dest | d/. new | d/. new/ | d/. file | d hl |
    d bad | d/. full/d | link dest | link new | link/ dest | link/. dest | link/f dest | abs dest |
    out/passwd dest | gone dest | gone new | empty new | empty/. new | nope dest | d/nope dest |
    etc/passwd/x dest | mode new | deep/f dest | d new/. | d/../etc/passwd dest |
    link/../etc/passwd dest | gone/x dest
"""
OUT_FOLLOWING = """
    link dest | link new | abs dest | abs new | deep dest | gone dest | d new | etc/passwd dest |
    link/ dest
"""
IN = """
    f new | f d | f d/ | f d/. | f link | f link/ | f link/new | f abs | f out/new | f etc/passwd |
    f new/ | f new/. | f no/new | f gone | f lost | f etc/passwd/x | f has | f deep | f ../box/new |
    t new | t new/ | t d | t etc/passwd | t link | t gone | t/. d | t/. new | t/. etc/passwd | t/ d |
    t no/new | tf/. plain | t abs | hl d | hl/ d | hl/. d | fl new | bad new | fl d | nope d | no/nope d |
    f/ d | t/. loop | f loop | dest new
"""
IN_FOLLOWING = """
    hl d | hl new | fl d | fl new | bad d
"""
IN_ARCHIVE = "f new | t d"
IN_TAR = "tar d | tar link | tar etc/passwd | tar nope | tar gone | tar d/ | tar plain"


def _pairs(table: str) -> list[list[str]]:
    return [pair.split() for pair in table.split("|")]


CASES = [
    *[("", f"{{C}}/{a}", f"{{H}}/{b}") for a, b in _pairs(OUT)],
    *[("-L", f"{{C}}/{a}", f"{{H}}/{b}") for a, b in _pairs(OUT_FOLLOWING)],
    *[("", f"{{H}}/{a}", f"{{C}}/{b}") for a, b in _pairs(IN)],
    *[("-L", f"{{H}}/{a}", f"{{C}}/{b}") for a, b in _pairs(IN_FOLLOWING)],
    *[("-a", f"{{H}}/{a}", f"{{C}}/{b}") for a, b in _pairs(IN_ARCHIVE)],
    *[("-", f"{{H}}/{a}", f"{{C}}/{b}") for a, b in _pairs(IN_TAR)],
]


@dataclass(frozen=True)
class Outcome:
    """How a copy ended, and what both sides look like."""

    code: int
    error: str
    inside: dict[str, tuple[object, ...]]
    outside: dict[str, tuple[object, ...]]


def prepare(directory: Path) -> tuple[Path, Path]:
    """The container's tree and the host's, with owners, modes and times that tell them apart."""
    inside = make(directory / "root", {f"box/{name}": what for name, what in INSIDE.items()})
    outside = make(directory / "host", dict(OUTSIDE))
    (inside / "box/mode").chmod(0o3750)
    (inside / "box/mode/x").chmod(0o4711)
    (outside / "f").chmod(0o640)
    (outside / "t").chmod(0o2710)
    for tree, uid, time in ((inside, 77, 1_500_000_000), (outside, 1234, 1_400_000_000)):
        for folder, folders, names in os.walk(tree, topdown=False):
            for name in (*folders, *names):
                path = os.path.join(folder, name)
                mode = os.lstat(path).st_mode
                os.chown(path, uid, uid + 1, follow_symlinks=False)
                if not stat.S_ISLNK(mode):
                    os.chmod(path, stat.S_IMODE(mode))
                os.utime(path, (time, time), follow_symlinks=False)
    with tarfile.open(directory / "host/tar", "w") as archive:
        archive.add(outside / "t", "t")
        archive.add(outside / "f", "f")
    return inside, outside


def tree(root: Path, known: dict[str, object]) -> dict[str, tuple[object, ...]]:
    """Everything below a directory; times but of directories that were there before."""
    found: dict[str, tuple[object, ...]] = {}
    for folder, folders, names in os.walk(root):
        for name in (*folders, *names):
            path = Path(folder, name)
            status = path.lstat()
            text = ""
            if stat.S_ISLNK(status.st_mode):
                text = os.readlink(path)
            elif stat.S_ISREG(status.st_mode):
                text = path.read_text(errors="replace")
            relative = str(path.relative_to(root))
            was = stat.S_ISDIR(status.st_mode) and any(
                k == relative or k.startswith(relative + "/") for k in known
            )
            # Python's tarfile, which reads docker's export, leaves the times of links alone.
            timeless = was or relative == "tar" or stat.S_ISLNK(status.st_mode)
            time = 0 if timeless else int(status.st_mtime)
            found[relative] = (stat.filemode(status.st_mode), status.st_uid, status.st_gid, time, text)
    return found


def ours(options: str, source: str, target: str, directory: Path) -> Outcome:
    inside, outside = prepare(directory)
    source, target = (text.format(C="box:/box", H=outside) for text in (source, target))
    error = ""
    try:
        with opened(inside) as root:
            act(root, options, source, target, directory)
    except MilleError as failure:
        error = str(failure)
    return outcome(int(bool(error)), error, inside / "box", outside)


def act(root: int, options: str, source: str, target: str, directory: Path) -> None:
    """What `mille cp` does once it has found the container's root."""
    if options == "-":
        path = target.removeprefix("box:")
        copying.check_directory(root, "box", path)
        with open(source, "rb") as stream, from_archive(stream, str(directory)) as given:
            copying.into_directory(given, root, "box", path, owner=kept)
    elif source.startswith("box:"):
        path = source.removeprefix("box:")
        with copying.from_container(root, "box", path, follow=options == "-L") as given:
            copying.to_host(given, target)
    else:
        with copying.from_host(source, follow=options == "-L") as given:
            copying.to_container(given, root, "box", target.removeprefix("box:"))


def outcome(code: int, error: str, inside: Path, outside: Path) -> Outcome:
    return Outcome(
        code, error.replace(str(outside.parent), ""), tree(inside, dict(INSIDE)), tree(outside, dict(OUTSIDE))
    )


Docker = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Docker]:
    """The docker client, with an image `box` of the tree."""
    directory = tmp_path_factory.mktemp("dockerd")

    def run(
        server: DockerServer, *words: str, stdin: Path | None = None, stdout: IO[bytes] | None = None
    ) -> subprocess.CompletedProcess[str]:
        with open(stdin or "/dev/null", "rb") as file:
            return subprocess.run(
                ["docker", "--host", server.host, *words],
                stdin=file,
                stdout=stdout or subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )

    try:
        with dockerd(directory / "dockerd") as server:
            prepare(directory)
            with tarfile.open(directory / "image.tar", "w") as archive:
                archive.add(directory / "root", ".")
            done = run(server, "import", str(directory / "image.tar"), "box")
            assert done.returncode == 0, done.stderr
            yield partial(run, server)
    except ServerMissing as missing:
        pytest.skip(str(missing))


def theirs(
    docker: Docker, options: str, source: str, target: str, directory: Path, *, user: str = ""
) -> Outcome:
    _, outside = prepare(directory)
    docker("rm", "-f", "box")
    made = docker("create", "--name", "box", "--user", user, "box", "sh")
    assert made.returncode == 0, made.stderr
    source, target = (text.format(C="box:/box", H=outside) for text in (source, target))
    if options == "-":
        done = docker("cp", "-", target, stdin=Path(source))
    else:
        done = docker("cp", *options.split(), source, target)
    exported = directory / "exported"
    exported.mkdir()
    docker("export", "box", "-o", str(directory / "exported.tar"))
    with tarfile.open(directory / "exported.tar") as archive:
        members = [member for member in archive if member.name.startswith("box")]
        archive.extractall(exported, members, numeric_owner=True, filter="fully_trusted")
    # What the client packs in the background may log that nobody reads on, before or after the error itself.
    lines = [line for line in done.stderr.strip().splitlines() if not line.startswith('time="')]
    error = lines[-1] if done.returncode else ""
    error = error.removeprefix("Error response from daemon: ")
    # Docker names a file of its own here, and not the one that was asked for.
    error = re.sub(
        r"^lstat /\S*/merged(/\S*): not a directory$", r"Could not find the file \1 in container box", error
    )
    return outcome(done.returncode, error, exported / "box", outside)


@pytest.mark.parametrize(("options", "source", "target"), CASES)
def test_same(options: str, source: str, target: str, docker: Docker, tmp_path: Path) -> None:
    for name in ("theirs", "ours"):
        (tmp_path / name).mkdir()
    expected = theirs(docker, options, source, target, tmp_path / "theirs")
    got = ours(options, source, target, tmp_path / "ours")
    for side in ("inside", "outside"):
        mine, other = getattr(got, side), getattr(expected, side)
        paths = sorted({*mine, *other})
        assert {p: mine.get(p) for p in paths if mine.get(p) != other.get(p)} == {
            p: other.get(p) for p in paths if mine.get(p) != other.get(p)
        }
    assert (got.code, got.error) == (expected.code, expected.error)


@pytest.mark.parametrize("options", ["", "-L"])
@pytest.mark.parametrize("path", ["link", "link/", "link/.", "abs", "deep", "d", "d/l", "gone"])
def test_names_in_an_archive(options: str, path: str, docker: Docker, tmp_path: Path) -> None:
    docker("rm", "-f", "box")
    assert docker("create", "--name", "box", "box", "sh").returncode == 0
    theirs, ours = tmp_path / "theirs.tar", io.BytesIO()
    with open(theirs, "wb") as file:
        docker("cp", *options.split(), f"box:/box/{path}", "-", stdout=file)
    inside, _ = prepare(tmp_path)
    with contextlib.suppress(MilleError), opened(inside) as root:
        follow = options == "-L"
        with copying.from_container(root, "box", f"/box/{path}", follow=follow, own_name=False) as given:
            copying.to_archive(given, ours.write)
    assert _names(ours.getvalue()) == _names(theirs.read_bytes())


def _names(archive: bytes) -> list[str]:
    """What a tar holds; nothing where there is none."""
    if not archive:
        return []
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return sorted(opened.getnames())


@pytest.mark.parametrize(("options", "owners"), [("-a", (1, 1)), ("", (1234, 1235))])
def test_owner(options: str, owners: tuple[int, int], docker: Docker, tmp_path: Path) -> None:
    """What `-a` does in a container with a user of its own, whom docker looks up on the host."""
    expected = theirs(docker, options, "{H}/f", "{C}/new", tmp_path, user="daemon")
    assert (expected.error, expected.inside.get("new", ())[1:3]) == ("", owners)
