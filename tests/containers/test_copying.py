"""The rules of `docker cp`. What is expected here was seen of dockerd, see tests/walks/test_cp_peers.py."""

from __future__ import annotations

import errno
import io
import os
import re
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from tests.containers.trees import make, opened, seen

from millefeuille.containers.copying import (
    BadDestination,
    CannotCopy,
    NoSuchDirectory,
    NoSuchPath,
    NotADirectory,
    from_container,
    from_host,
    look,
    to_archive,
    to_container,
    to_host,
)
from millefeuille.containers.placing import OverwriteRefused, PlaceTaken, mine
from millefeuille.containers.source import ChangedFile, Uncopyable, Unreadable
from millefeuille.errors import MilleError

INSIDE = {
    "etc/passwd": "root", "d/f": "1", "d/sub/g": "2", "d/l": "-> f", "link": "-> d", "abs": "-> /etc/passwd",
    "out": "-> ../../../../etc", "gone": "-> /not/here", "empty": None,
}  # fmt: skip
OUTSIDE = {"f": "new", "t/f": "n1", "t/sub/h": "n2", "dest": None, "file": "old", "full/d/old": "o"}


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    return make(tmp_path / "inside", dict(INSIDE))


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    return make(tmp_path / "outside", dict(OUTSIDE))


def copy_out(inside: Path, path: str, target: str, *, follow: bool = False) -> int:
    with opened(inside) as root, from_container(root, "box", path, follow=follow) as source:
        return to_host(source, target)


def copy_in(inside: Path, path: str, target: str, *, follow: bool = False) -> int:
    with opened(inside) as root, from_host(path, follow=follow) as source:
        return to_container(source, root, "box", target, owner=mine)


def changed(before: dict[str, str], root: Path) -> dict[str, str | None]:
    """What is there that was not, or was other."""
    known: dict[str, str | None] = dict(before)
    return {
        path: what for path, what in seen(root).items()
        if known.get(path, "") != what and not (what is None and any(k.startswith(f"{path}/") for k in known))
    }  # fmt: skip


D = {"f": "1", "sub": None, "sub/g": "2", "l": "-> f"}


def under(name: str, tree: dict[str, str | None]) -> dict[str, str | None]:
    return {name: None} | {f"{name}/{path}": what for path, what in tree.items()}


@pytest.mark.parametrize(
    ("path", "target", "expected"),
    [
        ("/etc/passwd", "new", {"new": "root"}),
        ("etc/passwd", "dest", {"dest/passwd": "root"}),
        ("/etc/passwd", "dest/", {"dest/passwd": "root"}),
        ("/etc/passwd", "file", {"file": "root"}),
        ("/d", "new", under("new", D)),
        ("/d", "new/", under("new", D)),
        ("/d/", "dest", under("dest/d", D)),
        ("/d", "full", {f"full/d/{k}": v for k, v in D.items()}),
        ("/d/.", "dest", {f"dest/{k}": v for k, v in D.items()}),
        ("/d/.", "new", under("new", D)),
        ("/link", "dest", {"dest/link": "-> d"}),
        ("/link/", "dest", under("dest/link", D)),
        ("/link/.", "dest", {f"dest/{k}": v for k, v in D.items()}),
        ("/link/f", "dest", {"dest/f": "1"}),
        ("/out/passwd", "dest", {"dest/passwd": "root"}),
        ("/../../etc/passwd", "dest", {"dest/passwd": "root"}),
        ("/gone", "dest", {"dest/gone": "-> /not/here"}),
        ("/empty", "new", {"new": None}),
    ],
)
def test_out(path: str, target: str, expected: dict[str, str | None], inside: Path, outside: Path) -> None:
    copy_out(inside, path, f"{outside}/{target}")
    assert changed(OUTSIDE, outside) == expected
    assert seen(inside) == seen(make(inside.parent / "again", dict(INSIDE)))


def test_out_through_links(inside: Path, outside: Path) -> None:
    copy_out(inside, "/abs", f"{outside}/dest", follow=True)
    copy_out(inside, "/link", f"{outside}/dest", follow=True)
    assert changed(OUTSIDE, outside) == {"dest/abs": "root"} | under("dest/link", D)


@pytest.mark.parametrize(
    ("path", "target", "error", "words"),
    [
        ("/nope", "dest", NoSuchPath, "Could not find the file /nope in container box"),
        ("/etc/passwd/", "dest", NoSuchPath, "Could not find the file /etc/passwd/ in container box"),
        ("/etc/passwd/x", "dest", NoSuchPath, "Could not find the file /etc/passwd/x in container box"),
        ("/etc/passwd", "new/", NoSuchDirectory, "no such directory"),
        ("/d", "file", CannotCopy, "cannot copy directory"),
        ("/d/.", "file", CannotCopy, "cannot copy directory"),
        ("/etc/passwd", "no/new", NoSuchPath, 'invalid output path: directory "{}/no" does not exist'),
        ("/etc/passwd", "file/", NotADirectory, "stat {}/file/: not a directory"),
        ("/etc/passwd", "full", None, ""),
    ],
)
def test_out_refused(
    path: str, target: str, error: type[MilleError] | None, words: str, inside: Path, outside: Path
) -> None:
    if error is None:
        (outside / "full" / "passwd").mkdir()
        error, words = (
            OverwriteRefused,
            'cannot overwrite directory "{}/full/passwd" with non-directory "{}/full"',
        )
    before = seen(outside)
    with pytest.raises(error) as caught:
        copy_out(inside, path, f"{outside}/{target}")
    assert str(caught.value) == words.format(outside, outside)
    assert seen(outside) == before


def test_a_link_that_leads_nowhere_from_here_is_not_found() -> None:
    with subprocess.Popen(["true"]) as ended, opened(Path("/proc")) as root:
        # As long as nobody waits for it there is a link to its program that cannot be read, to anybody.
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        path = f"/{ended.pid}/exe"
        before = len(os.listdir("/proc/self/fd"))
        with pytest.raises(NoSuchPath, match=f"Could not find the file {path} in container box"):
            from_container(root, "box", path)
        with pytest.raises(NoSuchPath, match=f"Could not find the file {path} in container box"):
            look(root, "box", path)
        assert len(os.listdir("/proc/self/fd")) == before


T = {"f": "n1", "sub": None, "sub/h": "n2"}


@pytest.mark.parametrize(
    ("path", "target", "expected"),
    [
        ("f", "/new", {"new": "new"}),
        ("f", "d", {"d/f": "new"}),
        ("f", "/link", {"d/f": "new"}),
        ("f", "/link/", {"d/f": "new"}),
        ("f", "/link/new", {"d/new": "new"}),
        ("f", "/abs", {"etc/passwd": "new"}),
        ("f", "/out/new", {"etc/new": "new"}),
        ("f", "/../../new", {"new": "new"}),
        ("t", "/new", under("new", T)),
        ("t", "/new/", under("new", T)),
        ("t", "/d", under("d/t", T)),
        ("t/.", "/d", {"d/f": "n1", "d/sub/h": "n2"}),
        ("t/.", "/new", under("new", T)),
    ],
)
def test_in(path: str, target: str, expected: dict[str, str | None], inside: Path, outside: Path) -> None:
    copy_in(inside, f"{outside}/{path}", target)
    assert changed(INSIDE, inside) == expected


@pytest.mark.parametrize(
    ("path", "target", "error", "words"),
    [
        ("nope", "/d", NoSuchPath, "lstat {}/nope: no such file or directory"),
        ("f/", "/d", NotADirectory, "not a directory"),
        ("f", "/no/new", NoSuchPath, "Could not find the file /no in container box"),
        ("f", "/new/", NoSuchDirectory, "no such directory"),
        ("t", "/etc/passwd", CannotCopy, "cannot copy directory"),
        ("f", "/etc/passwd/x", NotADirectory, "extraction point is not a directory"),
        ("f", "/gone", NoSuchPath, "Could not find the file /not in container box"),
    ],
)
def test_in_refused(
    path: str, target: str, error: type[MilleError], words: str, inside: Path, outside: Path
) -> None:
    before = seen(inside)
    with pytest.raises(error) as caught:
        copy_in(inside, f"{outside}/{path}", target)
    assert str(caught.value) == words.format(outside)
    assert seen(inside) == before


def test_metadata_and_hard_links(inside: Path, outside: Path) -> None:
    file = inside / "d/f"
    file.chmod(0o6751)
    os.utime(file, ns=(1, 1_600_000_000_123_456_789))
    os.link(file, inside / "d/z")
    os.setxattr(file, "user.colour", b"blue")
    (inside / "d/sub").chmod(0o500)
    os.utime(inside / "d/sub", ns=(1, 1_500_000_000_000_000_001))
    copy_out(inside, "/d", f"{outside}/new")
    copied = (outside / "new/f").stat()
    assert (copied.st_mode & 0o7777, copied.st_mtime_ns) == (0o6751, 1_600_000_000_123_456_789)
    assert os.getxattr(outside / "new/f", "user.colour") == b"blue"
    assert copied.st_ino == (outside / "new/z").stat().st_ino
    sub = (outside / "new/sub").stat()
    assert (sub.st_mode & 0o7777, sub.st_mtime_ns) == (0o500, 1_500_000_000_000_000_001)


def test_what_a_directory_hands_on_is_not_for_what_is_copied_into_it(inside: Path, outside: Path) -> None:
    acl = bytes.fromhex(
        "0200000001000700ffffffff02000500e803000004000500ffffffff10000500ffffffff20000000ffffffff"
    )
    os.setxattr(inside / "d", "system.posix_acl_default", acl)  # user 1000 may read
    (inside / "d/later").mkdir()
    os.removexattr(inside / "d/later", "system.posix_acl_default")
    os.removexattr(inside / "d/later", "system.posix_acl_access")
    os.mkfifo(inside / "d/pipe")
    os.setxattr(inside / "d/pipe", "system.posix_acl_access", acl)
    pipe = os.getxattr(inside / "d/pipe", "system.posix_acl_access")
    copy_out(inside, "/d", f"{outside}/new")
    copy_in(inside, f"{outside}/new", "/back")
    for place in (outside / "new", inside / "back"):
        assert os.getxattr(place, "system.posix_acl_default") == acl
        for name in ("f", "sub", "sub/g", "later"):
            assert not [one for one in os.listxattr(place / name) if "acl" in one], (place, name)
        assert os.getxattr(place / "pipe", "system.posix_acl_access") == pipe


def test_holes_stay_holes(inside: Path, outside: Path) -> None:
    with (inside / "holes").open("wb") as file:
        file.seek(50 << 20)
        file.write(b"end")
        file.truncate(60 << 20)
    size = copy_out(inside, "/holes", f"{outside}/holes")
    copied = (outside / "holes").stat()
    assert (copied.st_size, copied.st_blocks < 1000, size) == (60 << 20, True, (60 << 20) + 1536)
    assert (outside / "holes").read_bytes() == (inside / "holes").read_bytes()


def test_size_is_that_of_the_tar(inside: Path, outside: Path) -> None:
    assert copy_in(inside, f"{outside}/f", "/new") == 2048
    assert copy_in(inside, f"{outside}/t", "/d") == 512 + 1024 + 512 + 1024 + 1024


def test_a_file_that_does_not_tell_its_size(outside: Path) -> None:
    copy_out(Path("/"), "/proc/version", f"{outside}/version")
    assert (outside / "version").read_text() == Path("/proc/version").read_text() != ""


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/d", ["d", "d/f", "d/l", "d/sub", "d/sub/g"]),
        ("/d/.", [".", "./f", "./l", "./sub", "./sub/g"]),
        ("/link/", ["link", "link/f", "link/l", "link/sub", "link/sub/g"]),
        ("/etc/passwd", ["passwd"]),
    ],
)
def test_as_an_archive(path: str, names: list[str], inside: Path) -> None:
    out = io.BytesIO()
    with opened(inside) as root, from_container(root, "box", path) as source:
        to_archive(source, out.write)
    out.seek(0)
    with tarfile.open(fileobj=out) as archive:
        assert archive.getnames() == names


def test_status_of_a_path(inside: Path) -> None:
    with opened(inside) as root:
        assert look(root, "box", "/link").link == "/d"
        assert look(root, "box", "/out").link == "/etc"
        assert look(root, "box", "/gone").link == "/not/here"
        assert (look(root, "box", "/d/f").name, look(root, "box", "/d/f").size) == ("f", 1)
        with pytest.raises(NoSuchPath):
            look(root, "box", "/d/f/")


class TestTheEmptyPath:
    """A script's variable that is not set: nothing is there, so a file needs another name."""

    def test_takes_no_file(self, inside: Path, outside: Path) -> None:
        with pytest.raises(NoSuchDirectory):
            copy_in(inside, f"{outside}/f", "")
        assert changed(INSIDE, inside) == {}

    def test_takes_what_a_directory_has(self, inside: Path, outside: Path) -> None:
        copy_in(inside, f"{outside}/t", "")
        assert changed(INSIDE, inside) == {"f": "n1", "sub": None, "sub/h": "n2"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
@pytest.mark.parametrize("path", ["/d/f", "/link/f", "/d"])
def test_no_file_takes_the_place_of_a_mount(path: str, inside: Path, outside: Path) -> None:
    make(outside, {"in/f": "new", "in/sub": None})
    subprocess.run(["mount", "--bind", outside / "file", inside / "d/f"], check=True)
    try:
        with pytest.raises(PlaceTaken) as caught:
            copy_in(inside, f"{outside}/in/f" if path != "/d" else f"{outside}/in/.", path)
        assert (inside / "d/f").read_text() == "old"
        copy_in(inside, f"{outside}/f", "/d/g")
    finally:
        subprocess.run(["umount", inside / "d/f"], check=True)
    assert str(caught.value) == (
        "Error processing tar file(exit status 1): unlinkat /d/f: device or resource busy"
    )
    assert (inside / "d/f").read_text() == "1"


class TestWhatIsNeverOpened:
    """A FIFO would wait for ever, and a device may do anything."""

    @pytest.fixture
    def odd(self, inside: Path) -> Path:
        os.mkfifo(inside / "fifo")
        if os.geteuid() == 0:
            os.mknod(inside / "null", 0o020600, os.makedev(1, 3))
        return inside

    def test_fifo_out(self, odd: Path, outside: Path) -> None:
        copy_out(odd, "/fifo", f"{outside}/dest")
        assert changed(OUTSIDE, outside) == {"dest/fifo": "p"}

    def test_fifo_as_destination_is_replaced(self, odd: Path, outside: Path) -> None:
        copy_in(odd, f"{outside}/f", "/fifo")
        assert seen(odd)["fifo"] == "new"
        os.mkfifo(outside / "fifo")
        copy_out(odd, "/etc/passwd", f"{outside}/fifo")
        assert seen(outside)["fifo"] == "root"
        with pytest.raises(CannotCopy):
            copy_out(odd, "/d", f"{outside}/fifo")

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
    def test_device_as_destination(self, odd: Path, outside: Path) -> None:
        with pytest.raises(BadDestination) as inwards:
            copy_in(odd, f"{outside}/f", "/null")
        with pytest.raises(NotADirectory) as outwards:
            copy_out(odd, "/etc/passwd", "/dev/null")
        for caught in (inwards, outwards):
            assert str(caught.value).endswith(" must be a directory or a regular file: got a device")

    def test_fifo_in_the_way_is_replaced(self, odd: Path, outside: Path) -> None:
        (outside / "fifo").write_text("data")
        copy_in(odd, f"{outside}/fifo", "/")
        assert seen(odd)["fifo"] == "data"

    def test_socket(self, odd: Path, outside: Path) -> None:
        os.mknod(odd / "socket", 0o140600)
        with pytest.raises(Uncopyable):
            copy_out(odd, "/socket", f"{outside}/dest")
        copy_out(odd, "/", f"{outside}/new")
        assert "socket" not in seen(outside / "new")

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
    def test_devices(self, odd: Path, outside: Path) -> None:
        copy_out(odd, "/null", f"{outside}/dest")
        assert os.stat(outside / "dest/null").st_rdev == os.makedev(1, 3)
        with pytest.raises(BadDestination) as caught:
            copy_in(odd, f"{outside}/f", "/null")
        assert str(caught.value).endswith("got a device")
        with pytest.raises(NotADirectory) as caught:
            copy_out(odd, "/etc/passwd", "/dev/null")
        assert str(caught.value) == (
            'invalid output path: "/dev/null" must be a directory or a regular file: got a device'
        )

    def test_a_file_that_shrinks(self, odd: Path, outside: Path) -> None:
        (odd / "big").write_bytes(b"x" * 5000)
        with opened(odd) as root, from_container(root, "box", "/big") as source:
            first = next(source.files)
            (odd / "big").write_bytes(b"short")
            with pytest.raises(ChangedFile):
                list(first.runs())


def test_no_link_in_the_destination_is_followed(inside: Path, outside: Path) -> None:
    """What an image holds, and what somebody put into the destination, lead nowhere."""
    secret = make(outside / "secret", {"kept": "kept"})
    (outside / "full/d/sub").symlink_to(secret)
    with pytest.raises(OverwriteRefused):
        copy_out(inside, "/d", f"{outside}/full")
    (outside / "full/d/f").unlink(missing_ok=True)
    (outside / "full/d/sub").unlink()
    (outside / "full/d/f").symlink_to(secret / "kept")
    copy_out(inside, "/d", f"{outside}/full")
    assert (seen(outside)["full/d/f"], seen(secret)) == ("1", {"kept": "kept"})


@pytest.mark.parametrize(
    ("path", "denied", "shown"),
    [
        ("f", "f", "f"), ("t", "t", "t"), ("t", "t/f", "t/f"), ("t", "t/sub", "t/sub"),
        ("t/.", "t/sub/h", "t/./sub/h"),
    ],
)  # fmt: skip
def test_what_may_not_be_read_on_the_host_is_named(
    inside: Path, outside: Path, path: str, denied: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _deny(monkeypatch, outside / denied)
    with pytest.raises(Unreadable, match=f"^open {re.escape(f'{outside}/{shown}')}: permission denied$"):
        copy_in(inside, f"{outside}/{path}", "/new")
    assert not (inside / "new").is_file()


def _deny(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    """Let nobody read what is there, not even root."""
    status, real = place.stat(), os.open

    def guarded(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        descriptor = real(path, flags, mode, dir_fd=dir_fd)
        if not flags & os.O_PATH and os.path.samestat(os.fstat(descriptor), status):
            os.close(descriptor)
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return descriptor

    monkeypatch.setattr(os, "open", guarded)
