"""Users and groups looked up inside a root, whatever the image has put there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from millefeuille.runtime.users import InvalidUserFile, NoSuchUser, User, look_up

PASSWD = """\
# comment:x:1:1::/:
broken line
root:x:0:0:root:/root:/bin/sh
web:x:33:34:web:/srv:/bin/sh
12:x:500:500::/twelve:
huge:x:99999999999:1::/:
"""
GROUP = "root:x:0:\nweb:x:34:\nextra:x:50:other,web\nlast:x:51:webby\n"


@pytest.fixture
def root(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text(PASSWD)
    (tmp_path / "etc/group").write_text(GROUP)
    descriptor = os.open(tmp_path, os.O_PATH)
    yield descriptor
    os.close(descriptor)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("", User(uid=0, gid=0, groups=(0,), home="/root")),
        ("root", User(uid=0, gid=0, groups=(0,), home="/root")),
        ("web", User(uid=33, gid=34, groups=(34, 50), home="/srv")),
        ("33", User(uid=33, gid=34, groups=(34, 50), home="/srv")),
        ("web:extra", User(uid=33, gid=50, groups=(50,), home="/srv")),
        ("web:7", User(uid=33, gid=7, groups=(7,), home="/srv")),
        ("12", User(uid=12, gid=0, groups=(0,), home="/")),
        ("4294967294:0", User(uid=4294967294, gid=0, groups=(0,), home="/")),
    ],
)
def test_look_up(root: int, wanted: str, expected: User) -> None:
    assert look_up(root, wanted) == expected


@pytest.mark.parametrize("wanted", ["nobody", "huge", "webb", "comment"])
def test_unknown_user(root: int, wanted: str) -> None:
    with pytest.raises(NoSuchUser, match=f"unable to find user {wanted}: no matching entries in passwd file"):
        look_up(root, wanted)


@pytest.mark.parametrize("wanted", ["4294967295", "-1", "web:-1", "web:99999999999"])
def test_numbers_that_no_user_has(root: int, wanted: str) -> None:
    with pytest.raises(NoSuchUser, match="uids and gids must be in range 0-4294967294"):
        look_up(root, wanted)


def test_unknown_group(root: int) -> None:
    with pytest.raises(NoSuchUser, match="unable to find group nogroup: no matching entries in group file"):
        look_up(root, "web:nogroup")


def test_without_files(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_PATH)
    try:
        assert look_up(descriptor, "") == User(uid=0, gid=0, groups=(0,), home="/")
        assert look_up(descriptor, "5:6") == User(uid=5, gid=6, groups=(6,), home="/")
        with pytest.raises(NoSuchUser):
            look_up(descriptor, "root")
    finally:
        os.close(descriptor)


def test_a_link_is_followed_inside_of_the_root_only(root: int, tmp_path: Path) -> None:
    (tmp_path / "etc/passwd").rename(tmp_path / "real")
    os.symlink("/real", tmp_path / "etc/passwd")
    assert look_up(root, "web").uid == 33
    (tmp_path / "etc/passwd").unlink()
    os.symlink("../../../../../../../../etc/passwd", tmp_path / "etc/passwd")
    # Inside, that is the link itself again.
    with pytest.raises(InvalidUserFile, match="too many levels"):
        look_up(root, "daemon")


def test_files_that_are_none(root: int, tmp_path: Path) -> None:
    passwd = tmp_path / "etc/passwd"
    passwd.unlink()
    os.mkfifo(passwd)
    with pytest.raises(InvalidUserFile):
        look_up(root, "web")
    passwd.unlink()
    passwd.mkdir()
    with pytest.raises(InvalidUserFile):
        look_up(root, "web")
    passwd.rmdir()
    passwd.write_bytes(b"x" * (64 << 10) + b"\n")
    with pytest.raises(InvalidUserFile):
        look_up(root, "web")
    with passwd.open("wb") as file:
        file.truncate((10 << 20) + 1)
    with pytest.raises(InvalidUserFile):
        look_up(root, "web")
