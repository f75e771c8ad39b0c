"""`mille cp` with real containers: running and stopped, with volumes, read-only, and hostile."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from tests.faces.cli.home import Home

pytestmark = [
    pytest.mark.walk,
    pytest.mark.skipif(os.geteuid() != 0, reason="running containers needs root"),
]


@pytest.fixture(params=["running", "stopped"])
def kept(request: pytest.FixtureRequest, box: Home, tmp_path: Path) -> Home:
    """A container `exx` with a volume, a read-only volume and a bind of a file."""
    (tmp_path / "bound").write_text("bound")
    made = box.mille(
        "create", "--name", "exx", "-v", "vol:/data", "-v", "kept:/kept:ro",
        "-v", f"{tmp_path}/bound:/etc/bound", "busybox", "sleep", "1000",
    )  # fmt: skip
    assert made[2] == 0, made[1]
    if request.param == "running":
        started = box.mille("start", "exx")
        assert started[2] == 0, started[1]
    return box


def test_nothing_goes_into_a_volume_that_is_read_only_itself(box: Home, tmp_path: Path) -> None:
    (tmp_path / "bound").mkdir()
    options = ("-o", "type=none", "-o", f"device={tmp_path}/bound", "-o", "o=bind,ro")
    assert box.mille("volume", "create", *options, "fixed")[2] == 0
    assert box.mille("create", "--name", "exx", "-v", "fixed:/x", "busybox")[2] == 0
    (tmp_path / "f").write_text("new")
    assert box.mille("cp", f"{tmp_path}/f", "exx:/x/")[1:] == ("Error: /x/f: read-only file system\n", 1)
    assert not list((tmp_path / "bound").iterdir())


def test_files_come_and_go(kept: Home, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("new")
    assert kept.mille("cp", f"{tmp_path}/f", "exx:/tmp/") == ("", "", 0)
    assert kept.mille("cp", "exx:/tmp/f", f"{tmp_path}/back") == ("", "", 0)
    assert (tmp_path / "back").read_text() == "new"
    said = kept.mille("cp", "--quiet=false", "exx:/tmp/f", f"{tmp_path}/back")[1]
    assert said == f"Successfully copied 2.05kB to {tmp_path}/back\n"
    said = kept.mille("cp", "--quiet=false", f"{tmp_path}/f", "exx:/tmp/")[1]
    assert said == "Successfully copied 2.05kB to exx:/tmp/\n"


def test_volumes_are_in_their_place(kept: Home, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("new")
    assert kept.mille("cp", f"{tmp_path}/f", "exx:/data/sub/..") == ("", "", 0)
    assert (kept.store / "volumes/vol/_data/f").read_text() == "new"
    assert kept.mille("cp", "exx:/data", f"{tmp_path}/out") == ("", "", 0)
    assert (tmp_path / "out/f").read_text() == "new"
    assert kept.mille("cp", "exx:/etc/bound", f"{tmp_path}/back") == ("", "", 0)
    assert (tmp_path / "back").read_text() == "bound"
    assert kept.mille("cp", f"{tmp_path}/f", "exx:/kept/") == (
        "", "Error: mounted volume is marked read-only\n", 1
    )  # fmt: skip


BUSY = "Error: Error processing tar file(exit status 1): unlinkat {}: device or resource busy\n"


def test_what_is_mounted_on_a_file_stays_mounted(kept: Home, tmp_path: Path) -> None:
    (tmp_path / "tree/etc").mkdir(parents=True)
    (tmp_path / "tree/etc/bound").write_text("new")
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("etc/bound"))
    for source, target, typed in (
        ("tree/etc/bound", "/etc/bound", ""), ("tree/etc/bound", "/etc", ""), ("tree/.", "/", ""),
        ("-", "/", tar.getvalue().decode()),
    ):  # fmt: skip
        source = source if source == "-" else f"{tmp_path}/{source}"
        assert kept.mille("cp", source, f"exx:{target}", typed=typed) == ("", BUSY.format("/etc/bound"), 1)
    assert kept.mille("cp", "exx:/etc/bound", f"{tmp_path}/back") == ("", "", 0)
    assert (tmp_path / "back").read_text() == (tmp_path / "bound").read_text() == "bound"


def test_the_engines_own_files_stay_once_it_has_run(box: Home, tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("new")
    box.mille("run", "-d", "--name", "exx", "--hostname", "own", "busybox", "sleep", "1000")
    for stopped in (False, True):
        if stopped:
            assert box.mille("stop", "-t", "0", "exx")[2] == 0
        refused = box.mille("cp", f"{tmp_path}/hosts", "exx:/etc/hosts")
        assert refused == ("", BUSY.format("/etc/hosts"), 1)
        assert box.mille("cp", "exx:/etc/hostname", f"{tmp_path}/name") == ("", "", 0)
        assert (tmp_path / "name").read_text() == "own\n"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("exx:/nope", "."), "Error: Could not find the file /nope in container exx\n"),
        (("nosuch:/x", "."), "Error: No such container: nosuch\n"),
        (("exx:/a", "exx:/b"), "copying between containers is not supported\n"),
        (("a", "b"), "must specify at least one container source\n"),
        (("", "exx:/x"), "source can not be empty\n"),
        (("/nowhere", "exx:/x"), "lstat /nowhere: no such file or directory\n"),
        (("/etc/hostname", "exx:/no/x"), "Error: Could not find the file /no in container exx\n"),
        (("/etc", "exx:/bin/busybox"), "cannot copy directory\n"),
        (("/etc/hostname", "exx:/new/"), "no such directory\n"),
        (("/etc/hostname", "exx:"), "no such directory\n"),
        (("exx:/bin", "/no/such"), 'invalid output path: directory "/no" does not exist\n'),
        (("-", "exx:/bin/busybox"), 'destination "exx:/bin/busybox" must be a directory\n'),
    ],
)
def test_refused(words: tuple[str, ...], error: str, box: Home) -> None:
    box.mille("create", "--name", "exx", "busybox")
    assert box.mille("cp", *words) == ("", error, 1)


def test_archives(kept: Home, tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        header = tarfile.TarInfo("d/f")
        header.size, header.uid, header.mode = 3, 7, 0o640
        archive.addfile(header, io.BytesIO(b"abc"))
    assert kept.mille("cp", "-", "exx:/tmp", typed=out.getvalue().decode()) == ("", "", 0)
    said, _, code = kept.mille("cp", "exx:/tmp/d", "-")
    with tarfile.open(fileobj=io.BytesIO(said.encode())) as archive:
        found = [(member.name, member.uid, member.mode) for member in archive]
    assert (found, code) == ([("d", 0, 0o755), ("d/f", 7, 0o640)], 0)
    bad = out.getvalue().replace(b"d/f", b"../")
    assert kept.mille("cp", "-", "exx:/tmp", typed=bad.decode())[2] == 1


def test_a_followed_link_in_an_archive(kept: Home) -> None:
    link = io.BytesIO()
    with tarfile.open(fileobj=link, mode="w") as archive:
        header = tarfile.TarInfo("lnk")
        header.type, header.linkname = tarfile.SYMTYPE, "../bin/busybox"
        archive.addfile(header)
    assert kept.mille("cp", "-", "exx:/tmp", typed=link.getvalue().decode()) == ("", "", 0)
    for words, found in (((), "lnk"), (("-L",), "busybox")):
        program = [sys.executable, "-I", "-m", "millefeuille", "cp", *words, "exx:/tmp/lnk", "-"]
        done = subprocess.run(program, env={"MILLE_ROOT": str(kept.store)}, capture_output=True, check=True)
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            assert archive.getnames() == [found]


def test_read_only_root_and_owner(box: Home, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("new")
    box.mille("create", "--name", "fixed", "--read-only", "busybox")
    assert box.mille("cp", f"{tmp_path}/f", "fixed:/") == (
        "", "Error: container rootfs is marked read-only\n", 1
    )  # fmt: skip
    box.mille("create", "--name", "user", "--user", "77:88", "busybox")
    os.chown(tmp_path / "f", 5, 6)
    for words, owner in (((), (5, 6)), (("-a",), (77, 88))):
        assert box.mille("cp", *words, f"{tmp_path}/f", "user:/") == ("", "", 0)
        said = box.mille("cp", "user:/f", "-")[0]
        with tarfile.open(fileobj=io.BytesIO(said.encode())) as archive:
            assert [(member.uid, member.gid) for member in archive] == [owner]


SWAP = """
cd /; mkdir a; echo inside > a/f; ln -s SECRET b
while :; do mv -T a c; mv -T b a; mv -T a b; mv -T c a; done
"""


def test_a_container_that_swaps_a_directory_for_a_link(box: Home, tmp_path: Path, all_cases: bool) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "f").write_text("SECRET")
    started = box.mille(
        "run", "-d", "--name", "exx", "busybox", "sh", "-c", SWAP.replace("SECRET", f"../..{secret}")
    )
    assert started[2] == 0, started[1]
    (tmp_path / "given").write_text("given")
    codes = set()
    for number in range(200 if all_cases else 12):
        if number % 2:
            codes.add(box.mille("cp", "exx:/a/f", f"{tmp_path}/out{number}")[2])
        else:
            codes.add(box.mille("cp", f"{tmp_path}/given", "exx:/a/new")[2])
    assert [path.name for path in secret.iterdir()] == ["f"]
    assert all(path.read_text() != "SECRET" for path in tmp_path.glob("out*") if path.is_file())
    assert codes <= {0, 1}


def test_a_fifo_does_not_hold_it_up(box: Home, tmp_path: Path) -> None:
    box.mille("run", "-d", "--name", "exx", "busybox", "sh", "-c", "mkfifo /p; sleep 1000")
    done = subprocess.run(
        [sys.executable, "-I", "-m", "millefeuille", "--root", str(box.store), "cp", "exx:/p", str(tmp_path)],
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert (tmp_path / "p").is_fifo()


def test_all_of_a_running_container(box: Home, tmp_path: Path) -> None:
    box.mille(
        "run", "-d", "--name", "exx", "--tmpfs", "/mem", "busybox", "sh", "-c", "echo x > /mem/f; sleep 1000"
    )
    assert box.mille("cp", "exx:/", f"{tmp_path}/all") == ("", "", 0)
    assert [path.name for path in tmp_path.glob("all/proc/*")] == []
    assert [path.name for path in tmp_path.glob("all/dev/*")] == []
    assert (tmp_path / "all/mem/f").read_text() == "x\n"
    assert (tmp_path / "all/bin/busybox").stat().st_size > 100_000
    assert box.mille("cp", "exx:/proc/1/cmdline", str(tmp_path)) == ("", "", 0)
    assert (tmp_path / "cmdline").read_bytes() == b"sleep\x001000\x00"
