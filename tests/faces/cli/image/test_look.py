"""`image ls-files` and `image cat`, as a user who cannot mount runs them."""

from __future__ import annotations

import json
import subprocess

import pytest
from tests.faces.cli.home import Home
from tests.images.looked import bring

from millefeuille.store.store import Store
from millefeuille.testing.rawtars import directory, file, symlink

ENTRIES = (
    directory(b"etc", mode=0o755), file(b"etc/a", b"one\n", mode=0o4640, uid=5, gid=6),
    directory(b"etc/d"), file(b"etc/d/x"), symlink(b"link", b"etc"), file(b"etc/\x1b[31m\n\xff", b""),
    file(b"big", b"z" * 3_000_000),
)  # fmt: skip


@pytest.fixture
def app(home: Home) -> Home:
    bring(Store(str(home.store)), "app", b"".join(ENTRIES))
    return home


def test_list(app: Home) -> None:
    assert app.mille("image", "ls-files", "app:1") == ("/big\n/etc/\n/link\n", "", 0)
    below = "/etc/\\x1b[31m\\n\\xff\n/etc/a\n/etc/d/\n"
    assert app.mille("image", "ls-files", "app:1", "/link") == (below, "", 0)
    assert app.mille("image", "ls-files", "-R", "app:1", "etc") == (f"{below}/etc/d/x\n", "", 0)
    assert app.mille("image", "ls-files", "-d", "app:1", "/etc") == ("/etc/\n", "", 0)


def test_list_long(app: Home) -> None:
    out, _, code = app.mille("image", "ls-files", "-l", "app:1", "/etc/a")
    assert (out.split()[:3], out.split()[-1], code) == (["-rwSr-----", "5:6", "4"], "/etc/a", 0)
    assert app.mille("image", "ls-files", "-ld", "app:1", "/link")[0].endswith(" /link -> etc\n")


def test_list_as_json(app: Home) -> None:
    out, _, code = app.mille("image", "ls-files", "--format", "json", "app:1", "/etc/a")
    row = json.loads(out)
    assert (row["Path"], row["Mode"], row["Type"], row["Size"], code) == ("/etc/a", "4640", "file", "4", 0)
    assert (
        app.mille("image", "ls-files", "--format", "{{.Path}}={{.UID}}", "app:1", "/etc/a")[0] == "/etc/a=5\n"
    )


def test_print(app: Home) -> None:
    assert app.mille("image", "cat", "app:1", "/link/a") == ("one\n", "", 0)
    assert app.mille("image", "cat", "app:1", "big") == ("z" * 3_000_000, "", 0)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("cat", "app:1", "/nope"), "Error: Could not find the file /nope in image app:1\n"),
        (("cat", "app:1", "/etc"), "Error: /etc in image app:1 is a directory\n"),
        (("cat", "nosuch", "/etc"), "Error: No such image: nosuch:latest\n"),
        (("ls-files", "app:1", "/etc/a/b"), "Error: Could not find the file /etc/a/b in image app:1\n"),
    ],
)
def test_what_cannot_be_shown(words: tuple[str, ...], error: str, app: Home) -> None:
    assert app.mille("image", *words) == ("", error, 1)


def test_nothing_of_a_damaged_file_is_printed(app: Home) -> None:
    (tar,) = app.store.glob("layers/*/layer.tar")
    data = bytearray(tar.read_bytes())
    data[data.rindex(b"zzz")] ^= 1
    tar.chmod(0o600)
    tar.write_bytes(data)
    out, err, code = app.mille("image", "cat", "app:1", "/big")
    assert (out, code) == ("", 1)
    assert "/big in layer sha256:" in err
    assert "damaged in the store" in err
    assert app.mille("image", "cat", "app:1", "/etc/a") == ("one\n", "", 0)


def test_copy(app: Home) -> None:
    target = app.directory / "target"
    assert app.mille("image", "cp", "app:1:/etc/d/", str(target)) == ("", "", 0)
    assert (target / "x").read_bytes() == b""
    assert app.mille("image", "cp", "app:1:etc/a", str(target)) == ("", "", 0)
    assert (target / "a").read_text() == "one\n"
    assert (target / "a").stat().st_mode & 0o7777 == 0o4640
    _, said, code = app.mille("image", "cp", "--quiet=false", "-L", "app:1:/link", str(target))
    assert (said, code) == (f"Successfully copied 5.12kB to {target}\n", 0)
    assert sorted(path.name for path in (target / "link").iterdir())[1:] == ["a", "d"]


def test_copy_as_an_archive(app: Home) -> None:
    done = subprocess.run(
        ["tar", "t"], input=app.mille("image", "cp", "app:1:/etc/d", "-")[0], capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert done.stdout == "d/\nd/x\n"


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("app:1:/nope", "Error: Could not find the file /nope in image app:1\n"),
        ("app", '"app" is not IMAGE:PATH\nFor example: mille image cp nginx:1.24:/etc/nginx .\n'),
        ("app:1:/etc", "Error: cannot copy directory\n"),
    ],
)
def test_what_cannot_be_copied(source: str, error: str, app: Home) -> None:
    there = app.directory / "there"
    there.write_text("old")
    assert app.mille("image", "cp", source, str(there)) == ("", error, 1)
    assert there.read_text() == "old"


def test_nothing_of_a_damaged_file_is_left(app: Home) -> None:
    (tar,) = app.store.glob("layers/*/layer.tar")
    data = bytearray(tar.read_bytes())
    data[data.rindex(b"zzz")] ^= 1
    tar.chmod(0o600)
    tar.write_bytes(data)
    _, said, code = app.mille("image", "cp", "app:1:/big", str(app.directory / "copy"))
    assert ("damaged in the store" in said, code) == (True, 1)
    assert not (app.directory / "copy").exists()
