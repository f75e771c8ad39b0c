"""Real tars through the parser, the merge and the image, against what GNU tar makes of them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.snapshots.erofs.tars import chain, gnu_tar
from tests.snapshots.erofs.trees import shown

from millefeuille.snapshots.chain import Chain

Mounted = Callable[[Chain], Path]
pytestmark = pytest.mark.walk


def furnish(root: Path) -> None:
    """Every kind of file that GNU tar can carry."""
    (root / "bin").mkdir(parents=True)
    (root / "etc").mkdir(mode=0o750)
    (root / "bin/tool").write_bytes(os.urandom(70_000))
    os.setxattr(root / "bin/tool", "security.capability", bytes.fromhex("0100000200200000" + "00" * 12))
    os.setxattr(root / "bin/tool", "user.note", b"a value\nof two lines")
    os.link(root / "bin/tool", root / "bin/tool2")
    os.link(root / "bin/tool", root / "etc/tool3")
    os.symlink("tool", root / "bin/link")
    os.symlink("x" * 700, root / "bin/longlink")
    (root / ("n" * 255)).write_bytes(b"long name")
    (root / "etc/empty").touch()
    os.mkfifo(root / "etc/pipe")
    os.mknod(root / "etc/null", 0o020666, os.makedev(1, 300))
    os.chown(root / "etc/empty", 1234567, 33)
    os.utime(root / "bin/tool", ns=(0, 1_234_567_890_123_456_789))
    with open(root / "sparse", "wb") as file:
        for place in (0, 1 << 20, 3 << 20):
            file.seek(place)
            file.write(b"data" * 2000)
        file.truncate(5_000_000)


@pytest.mark.parametrize(
    "words", [(), ("--sparse",), ("--sparse", "--sparse-version=0.1"), ("--format=gnu", "--sparse")]
)
def test_one_layer_equals_its_source(mounted: Mounted, tmp_path: Path, words: tuple[str, ...]) -> None:
    source = tmp_path / "source"
    furnish(source)
    if "--format=gnu" in words:
        # That format holds neither attributes nor parts of a second.
        for name in os.listxattr(source / "bin/tool"):
            os.removexattr(source / "bin/tool", name)
        for path, directories, names in os.walk(source, topdown=False):
            for name in [*directories, *names, "."]:
                os.utime(os.path.join(path, name), (0, 1_700_000_000), follow_symlinks=False)
    layer = gnu_tar(source, tmp_path / "layer.tar", *words)
    assert shown(mounted(chain(tmp_path, [layer]))) == shown(source)


def test_layers_equal_the_last_one_extracted_over_the_first(mounted: Mounted, tmp_path: Path) -> None:
    lower, upper, both = tmp_path / "lower", tmp_path / "upper", tmp_path / "both"
    furnish(lower)
    (upper / "bin").mkdir(parents=True, mode=0o711)
    (upper / "bin/tool").write_bytes(b"replaced")
    (upper / "etc").mkdir(mode=0o700)
    os.symlink("../bin/tool", upper / "etc/tool3")
    (upper / "new/deep").mkdir(parents=True)
    (upper / "new/deep/file").write_bytes(b"new")
    layers = [gnu_tar(lower, tmp_path / "0.tar"), gnu_tar(upper, tmp_path / "1.tar")]
    both.mkdir()
    for layer in layers:
        words = ["tar", "--xattrs", "--xattrs-include=*", "--numeric-owner", "-xpf", layer.path, "-C", both]
        subprocess.run(words, check=True)
    assert shown(mounted(chain(tmp_path, layers))) == shown(both)


def test_whiteouts_take_away_and_never_show(mounted: Mounted, tmp_path: Path) -> None:
    lower, upper = tmp_path / "lower", tmp_path / "upper"
    for name in ("keep", "gone", "emptied/a", "emptied/b/c"):
        (lower / name).parent.mkdir(parents=True, exist_ok=True)
        (lower / name).write_bytes(name.encode())
    (upper / "emptied").mkdir(parents=True)
    for name in (".wh.gone", "emptied/.wh..wh..opq", "emptied/new"):
        (upper / name).write_bytes(b"")
    layers = [gnu_tar(lower, tmp_path / "0.tar"), gnu_tar(upper, tmp_path / "1.tar")]
    facts = shown(mounted(chain(tmp_path, layers)))
    assert sorted(facts) == [b".", b"./emptied", b"./emptied/new", b"./keep"]
