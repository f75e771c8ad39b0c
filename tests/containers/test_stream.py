"""A tar as the source of a copy: `docker cp - CONTAINER:PATH`."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import stat
from pathlib import Path

import pytest
from tests.containers.trees import make, opened, seen

from millefeuille import files
from millefeuille.containers.copying import into_directory
from millefeuille.containers.placing import CopyFailed, OverwriteRefused, kept
from millefeuille.containers.stream import MarkInArchive, RefusedArchive, from_archive
from millefeuille.errors import Invalid
from millefeuille.layers.compression import Bomb, BrokenStream
from millefeuille.testing.hostile import CASES, Case
from millefeuille.testing.rawtars import (
    archive,
    directory,
    file,
    hardlink,
    header,
    pax_sparse,
    symlink,
    xattr,
)

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="keeping owners and making devices needs root")
pytestmark = root_only

# Limits that take their time, and are those of the parser, which tests/layers/test_hostile.py has at them.
SLOW = {"T8.05"}


def unpack(root: Path, tar: bytes, path: str = "/") -> None:
    with opened(root) as descriptor, from_archive(io.BytesIO(tar), str(root.parent)) as source:
        into_directory(source, descriptor, "box", path, owner=kept)


@pytest.mark.parametrize("compress", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_unpacked(compress: object, tmp_path: Path) -> None:
    root = make(tmp_path / "root", {"d/old": "old", "link": "-> d"})
    tar = archive(
        file(b"./f", b"data", uid=5, gid=6, mode=0o640), directory(b"e", mode=0o2700),
        symlink(b"e/up", b"../../../f"), hardlink(b"e/again", b"f"), file(b"no/parent", b"p"),
        pax_sparse(b"holes", [(4096, 2)], 1 << 20, b"ab", "1.0"),
    )  # fmt: skip
    unpack(root, compress(tar), "/link")  # type: ignore[operator]  # one of the four above
    found = seen(root / "d")
    assert {**found, "holes": None} == {
        "old": "old", "f": "data", "e": None, "e/up": "-> ../../../f", "e/again": "data", "no": None,
        "no/parent": "p", "holes": None,
    }  # fmt: skip
    status = (root / "d/f").stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o7777, status.st_nlink) == (5, 6, 0o640, 2)
    assert stat.S_IMODE((root / "d/e").stat().st_mode) == 0o2700
    assert ((root / "d/holes").stat().st_size, (root / "d/holes").read_bytes()[4096:4098]) == (1 << 20, b"ab")


def test_no_list_of_access_changes_a_mode(tmp_path: Path) -> None:
    allowing = bytes.fromhex(
        "0200000001000700ffffffff02000700e803000004000500ffffffff10000700ffffffff20000500ffffffff"
    )
    acl = xattr(b"system.posix_acl_access", allowing)
    root = make(tmp_path / "root", {})
    unpack(root, archive(
        acl, file(b"key", b"secret", mode=0o4600), acl, directory(b"d", mode=0o700), file(b"d/x"),
        acl, header(b"pipe", b"6", mode=0o600),
    ))  # fmt: skip
    for name, mode in (("key", 0o4600), ("d", 0o700), ("pipe", 0o600)):
        assert stat.S_IMODE((root / name).stat().st_mode) == mode, name


def test_a_directory_of_the_container_that_is_a_link_is_followed_in_its_root(tmp_path: Path) -> None:
    make(tmp_path / "etc", {})
    root = make(tmp_path / "root", {"etc": None, "run": "-> /../../etc"})
    unpack(root, archive(file(b"run/x", b"1")))
    assert seen(root)["etc/x"] == "1"
    assert seen(tmp_path / "etc") == {}


@pytest.mark.parametrize(
    ("tar", "error"),
    [
        (archive(file(b"good", b"1"), file(b"../bad", b"2")), RefusedArchive),
        (archive(file(b"good", b"1"), file(b".wh.gone")), MarkInArchive),
        (archive(file(b"good", b"1"), file(b"d/.wh..wh..opq")), MarkInArchive),
        (archive(file(b"good", b"1"), file(b"big", b"2" * 9000))[:8000], RefusedArchive),
        (gzip.compress(archive(file(b"good", b"1")))[:-9], BrokenStream),
        (b"not a tar at all" * 100, RefusedArchive),
    ],
    ids=["above the root", "a whiteout", "an opaque mark", "cut tar", "cut gzip", "no tar"],
)
def test_nothing_of_a_tar_that_is_refused_is_placed(tar: bytes, error: type[Invalid], tmp_path: Path) -> None:
    root = make(tmp_path / "root", {"d/old": "old"})
    with pytest.raises(error) as caught:
        unpack(root, tar)
    if error is RefusedArchive:
        assert str(caught.value).startswith("Error processing tar file(exit status 1): ")
    assert seen(root) == {"d": None, "d/old": "old"}


def test_kinds_do_not_take_each_others_place(tmp_path: Path) -> None:
    root = make(tmp_path / "root", {"d/old": "old", "f": "file"})
    with pytest.raises(OverwriteRefused) as caught:
        unpack(root, archive(file(b"d", b"1")))
    assert str(caught.value) == (
        'Error processing tar file(exit status 1): cannot overwrite directory "/d" with non-directory "/"'
    )
    with pytest.raises(OverwriteRefused):
        unpack(root, archive(directory(b"f")))
    with pytest.raises(CopyFailed):
        unpack(root, archive(hardlink(b"x", b"nowhere")))


def test_they_do_when_that_is_asked_for(tmp_path: Path) -> None:
    root = make(tmp_path / "root", {"d/sub/old": "old", "f": "file", "l": "-> d"})
    tar = archive(file(b"d", b"1"), directory(b"f"), file(b"f/in", b"2"), directory(b"l"))
    with opened(root) as descriptor, from_archive(io.BytesIO(tar), str(tmp_path)) as source:
        into_directory(source, descriptor, "box", "/", replace=True)
    assert seen(root) == {"d": "1", "f": None, "f/in": "2", "l": None}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_hostile(case: Case, all_cases: bool, tmp_path: Path) -> None:
    """The corpus of hostile layers, each put into a root: refused as the parser refuses it, or in it."""
    if case.id in SLOW and not all_cases:
        pytest.skip("two million entries take their time; scripts/test --all")
    outside = make(tmp_path, {"outside/kept": "kept", "etc/passwd": "host"})
    root = make(tmp_path / "root", {})
    outcome = ""
    try:
        for tar in case.tars():
            unpack(root, tar)
    except RefusedArchive as error:
        outcome = error.rule
    except (BrokenStream, Bomb):
        outcome = "stream"
    except MarkInArchive:
        outcome = "mark"
    except (CopyFailed, OverwriteRefused) as error:
        outcome = type(error).__name__
    files.remove_tree(str(root))  # some are deeper than pytest can clear away
    assert seen(outside) == {"outside": None, "outside/kept": "kept", "etc": None, "etc/passwd": "host"}
    if case.refused in (None, "broken"):
        assert outcome in ("", "mark", "CopyFailed", "OverwriteRefused")
    else:
        assert outcome in (case.refused, "mark")
