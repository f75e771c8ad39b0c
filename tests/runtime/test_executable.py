"""Programs looked up inside a root."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from millefeuille.runtime.executable import check
from millefeuille.runtime.runtime import StartFailed

PATH = ("A=1", "PATH=/bin:/usr/bin::rel")


@pytest.fixture
def root(tmp_path: Path) -> Iterator[int]:
    for name in ("bin", "usr/bin", "etc", "home/rel"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("usr/bin/tool", "home/here", "home/rel/near"):
        (tmp_path / name).touch(mode=0o755)
    (tmp_path / "bin/data").touch(mode=0o644)
    os.symlink("/usr/bin/tool", tmp_path / "bin/link")
    os.symlink("/usr/bin/gone", tmp_path / "bin/broken")
    os.symlink("../../../../../../../../bin/sh", tmp_path / "bin/escape")
    descriptor = os.open(tmp_path, os.O_PATH)
    yield descriptor
    os.close(descriptor)


@pytest.mark.parametrize(
    "program", ["tool", "link", "/bin/link", "here", "near", "./here", "rel/near", "/proc/self/exe", "/dev/x"]
)
def test_found(root: int, program: str) -> None:
    check(root, program, PATH, "/home")


@pytest.mark.parametrize(
    ("program", "reason", "code"),
    [
        ("gone", 'exec: "gone": executable file not found in $PATH', 127),
        ("data", 'exec: "data": executable file not found in $PATH', 127),
        ("broken", 'exec: "broken": executable file not found in $PATH', 127),
        ("escape", 'exec: "escape": executable file not found in $PATH', 127),
        ("/bin/escape", 'exec: "/bin/escape": stat /bin/escape: no such file or directory', 127),
        ("/bin/data", 'exec: "/bin/data": permission denied', 126),
        ("/etc", 'exec: "/etc": permission denied', 126),
        ('["a"]', r'exec: "[\"a\"]": executable file not found in $PATH', 127),
        ("/a\tb\\", 'exec: "/a\\tb\\\\": stat /a\tb\\: no such file or directory', 127),
        ("", 'exec: "": executable file not found in $PATH', 127),
    ],
)
def test_not_found(root: int, program: str, reason: str, code: int) -> None:
    with pytest.raises(StartFailed) as caught:
        check(root, program, PATH, "/home")
    assert str(caught.value).endswith(f"unable to start container process: {reason}: unknown")
    assert caught.value.exit_code == code


def test_without_a_path(root: int) -> None:
    with pytest.raises(StartFailed, match="not found in"):
        check(root, "tool", ("A=1",), "/")
