"""`image mount` and `unmount`, on the kernel that runs the tests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faces.cli.home import Home
from tests.images.looked import bring

from millefeuille.store.store import Store
from millefeuille.testing.rawtars import archive, directory, file, pax_sparse, symlink

pytestmark = [pytest.mark.walk, pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")]

ENTRIES = (directory(b"etc"), file(b"etc/a", b"one\n", mode=0o4755), symlink(b"link", b"etc"))


@pytest.fixture
def app(home: Home) -> Iterator[Home]:
    bring(Store(str(home.store)), "app", b"".join(ENTRIES))
    bring(Store(str(home.store)), "other", file(b"x"))
    yield home
    home.mille("image", "unmount", "--all", "--force")


def options(path: Path) -> str:
    """What /proc says of the mount at a path."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return next((line.split()[5] for line in lines if line.split()[4] == str(path)), "")


def test_a_directory_of_ours(app: Home) -> None:
    said, _, code = app.mille("image", "mount", "app:1")
    target = Path(said.rstrip())
    assert ((target / "link/a").read_text(), code) == ("one\n", 0)
    assert {"ro", "nosuid", "nodev"} <= set(options(target).split(","))
    with pytest.raises(OSError):
        (target / "new").write_text("")
    assert app.mille("image", "mount", "app:1") == (said, "", 0)
    listed = app.mille("image", "mount")[0].splitlines()
    assert (len(listed), listed[1].split()[1:]) == (2, ["app:1", str(target)])
    assert app.mille("image", "unmount", "app:1") == (said, "", 0)
    assert (options(target), target.exists()) == ("", False)
    assert list((app.store / "snapshots").iterdir()) == []


def test_a_directory_that_was_asked_for(app: Home, tmp_path: Path) -> None:
    target = tmp_path / "target"
    assert app.mille("image", "mount", "app:1", str(target))[1] == f"Error: {target} is no directory\n"
    target.mkdir()
    assert app.mille("image", "mount", "app:1", str(target)) == (f"{target}\n", "", 0)
    assert app.mille("image", "mount", "app:1", str(target)) == (f"{target}\n", "", 0)
    said = app.mille("image", "mount", "other:1", str(target))[1]
    assert said == f"Error: image app:1 is mounted at {target} already\n"
    assert app.mille("image", "unmount", str(target)) == (f"{target}\n", "", 0)
    assert (options(target), list(target.iterdir())) == ("", [])


def test_a_directory_as_it_is_written(app: Home, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (tmp_path / "link").symlink_to(target)
    relative = os.path.relpath(target)
    for written in (relative, f"./{relative}", f"{relative}/", f"{target}/", str(tmp_path / "link")):
        assert app.mille("image", "mount", "app:1", written) == (f"{target}\n", "", 0)
        assert app.mille("image", "unmount", written) == (f"{target}\n", "", 0)
    assert app.mille("image", "unmount", relative) == ("", f"Error: image {relative} is not mounted\n", 1)


def test_a_name_of_an_image_comes_before_a_directory(app: Home, tmp_path: Path) -> None:
    (tmp_path / "app:1").mkdir()
    chosen = {"MILLE_ROOT": str(app.store)}
    command = [sys.executable, "-I", "-m", "millefeuille", "image"]

    def mille(*words: str) -> str:
        done = subprocess.run(
            [*command, *words], cwd=tmp_path, env=os.environ | chosen, capture_output=True, check=False
        )
        return done.stdout.decode().rstrip()

    ours = app.mille("image", "mount", "app:1")[0].rstrip()
    assert mille("mount", "other:1", "app:1") == str(tmp_path / "app:1")
    assert mille("unmount", "app:1") == ours
    assert mille("unmount", "app:1") == str(tmp_path / "app:1")


def test_an_image_that_is_mounted_stays(app: Home) -> None:
    target = app.mille("image", "mount", "app:1")[0].rstrip()
    id = app.mille("image", "ls", "--quiet", "app:1")[0].rstrip()
    for words in (("app:1",), (id,), ("--force", id)):
        _, said, code = app.mille("image", "rm", *words)
        assert (target in said, code) == (True, 1), words
    # As with a running container: force takes the name, and leaves the image.
    said, _, code = app.mille("image", "rm", "--force", "app:1")
    assert ("Deleted" in said, code) == (False, 0)
    assert app.mille("image", "prune", "--all", "--force")[0].count("deleted: sha256:") == 2
    assert Path(target, "etc/a").read_text() == "one\n"
    assert app.mille("image", "unmount", "app:1")[2] == 0
    assert app.mille("image", "rm", id)[2] == 0


def test_one_in_use(app: Home) -> None:
    target = app.mille("image", "mount", "app:1")[0].rstrip()
    with subprocess.Popen(["sleep", "100"], cwd=f"{target}/etc") as process:
        try:
            _, said, code = app.mille("image", "unmount", "app:1")
            assert (said.splitlines()[0], code) == (f"Error: {target}: some process uses it", 1)
            assert app.mille("image", "unmount", "--force", "app:1")[2] == 0
            assert Path(f"/proc/{process.pid}/cwd/a").read_text() == "one\n"
        finally:
            process.kill()


@pytest.mark.parametrize("driver", ["erofs", "overlay"])
def test_what_a_boot_or_a_person_unmounted_is_forgotten(driver: str, app: Home, tmp_path: Path) -> None:
    # With directories for layers, on the very disk on which the target lies.
    (tmp_path / "target").mkdir()
    words = ("image", "mount", "app:1", str(tmp_path / "target"))
    target = app.mille(*words, environment={"MILLE_SNAPSHOTTER": driver})[0].rstrip()
    assert Path(target, "etc/a").read_text() == "one\n"
    subprocess.run(["umount", target], check=True)
    assert app.mille("image", "rm", "app:1")[2] == 0
    assert len(app.mille("image", "mount")[0].splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("unmount", "app:1"), "Error: image app:1 is not mounted\n"),
        (("unmount",), "name the images to unmount, or all of them with --all; not both\n"),
        (("mount", "nosuch"), "Error: No such image: nosuch:latest\n"),
    ],
)
def test_refused(words: tuple[str, ...], error: str, app: Home) -> None:
    assert app.mille("image", *words) == ("", error, 1)


@pytest.mark.parametrize("driver", ["erofs", "overlay"])
def test_a_link_has_the_mode_of_links(app: Home, driver: str) -> None:
    bring(Store(str(app.store)), "links", archive(symlink(b"l", b"etc", mode=0o4755)))
    said = app.mille("image", "mount", "links:1", environment={"MILLE_SNAPSHOTTER": driver})[0]
    target = Path(said.strip())
    assert (target / "l").lstat().st_mode & 0o7777 == 0o777
    assert app.mille("image", "ls-files", "-l", "links:1")[0].startswith("lrwxrwxrwx")


def test_what_one_driver_cannot_map_is_named_and_the_other_mounts_it(app: Home, tmp_path: Path) -> None:
    holes = pax_sparse(b"d/holes", [(0, 10), (600, 10)], 1000, b"a" * 10 + b"b" * 10, "0.1")
    (tmp_path / "rootfs.tar").write_bytes(archive(directory(b"d"), holes))
    assert app.mille("import", str(tmp_path / "rootfs.tar"), "odd:1")[2] == 0
    assert app.mille("image", "cat", "odd:1", "/d/holes")[0].count("b") == 10
    said = app.mille("image", "mount", "odd:1", environment={"MILLE_SNAPSHOTTER": "erofs"})
    assert said == ("", "Error: /d/holes: a sparse file's data do not stand at whole blocks in the layer\n"
                    "Use the other driver: MILLE_SNAPSHOTTER=overlay.\n", 1)  # fmt: skip
    out = app.mille("image", "mount", "odd:1", environment={"MILLE_SNAPSHOTTER": "overlay"})[0]
    assert (Path(out.strip()) / "d/holes").read_bytes() == b"a" * 10 + bytes(590) + b"b" * 10 + bytes(390)
