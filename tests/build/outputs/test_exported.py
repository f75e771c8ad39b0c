"""Files of a result reach a directory or a tar as the merged layers have them, and nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tarfile
from pathlib import Path

import pytest
from tests.build.outputs.states import ARM64, directory, file, gone, state, stored, symlink

from millefeuille.build.outputs.attestation import Statement
from millefeuille.build.outputs.directory import ExportFailed, write_directory
from millefeuille.build.outputs.exported import Export, carried, exports
from millefeuille.build.outputs.finished import Finished
from millefeuille.build.outputs.provenance import PROVENANCE
from millefeuille.build.outputs.tarball import stream_tar, write_tar
from millefeuille.layers.entry import CHARACTER, HARDLINK
from millefeuille.layers.tarheader import Metadata
from millefeuille.store.filetree import DamagedContent
from millefeuille.store.leases import Lease
from millefeuille.store.store import Store
from millefeuille.transfer.archive.output import BadOutput

CLAIM = Statement(predicate_type=PROVENANCE, predicate={"good": True})
LINK = Metadata(path=b"d/link", kind=HARDLINK, mode=0o640, link=b"d/data"), None


@pytest.fixture
def result(store: Store, lease: Lease) -> Finished:
    lower = [directory("d", 0o750, mtime=50), file("d/data", b"data", 0o640, mtime=60), file("d/old"), LINK,
             file("gone")]  # fmt: skip
    upper = [gone("gone"), directory("d", 0o700, mtime=70), file("d/old", b"new", mtime=80),
             symlink("up", "../../etc")]  # fmt: skip
    return state([stored(store, lease, lower), stored(store, lease, upper)])


def test_directory_has_the_merged_files(store: Store, result: Finished, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    write_directory(str(out), carried(store, Export(finished=result)))
    assert sorted(str(path.relative_to(out)) for path in out.rglob("*")) == [
        "d", "d/data", "d/link", "d/old", "up",
    ]  # fmt: skip
    assert (out / "d/old").read_bytes() == b"new"
    status = (out / "d/data").stat()
    assert (stat.S_IMODE(status.st_mode), status.st_mtime_ns, status.st_nlink) == (0o640, 60 * 10**9, 2)
    assert (out / "d/link").samefile(out / "d/data")
    found = (out / "d").stat()
    assert (stat.S_IMODE(found.st_mode), found.st_mtime) == (0o700, 70)
    assert os.readlink(out / "up") == "../../etc"


def test_what_was_there_stays_or_gives_way(store: Store, result: Finished, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine").write_text("mine")
    (out / "d").symlink_to(outside)  # a directory is to be here: the link goes, and is not followed
    (out / "up").mkdir()
    (out / "up" / "file").write_text("x")
    write_directory(str(out), carried(store, Export(finished=result)))
    assert (out / "mine").read_text() == "mine"
    assert not (out / "d").is_symlink() and (out / "d/data").read_bytes() == b"data"
    assert [*outside.iterdir()] == []
    assert (out / "up").is_symlink()
    write_directory(str(out), carried(store, Export(finished=result)))  # once more over itself
    assert (out / "d/link").samefile(out / "d/data")


def test_links_of_the_result_are_never_followed(store: Store, lease: Lease, tmp_path: Path) -> None:
    layers = [stored(store, lease, [symlink("d", str(tmp_path / "outside"))]),
              stored(store, lease, [directory("d"), file("d/x", b"inside")])]  # fmt: skip
    (tmp_path / "outside").mkdir()
    write_directory(str(tmp_path / "out"), carried(store, Export(finished=state(layers))))
    assert (tmp_path / "out/d/x").read_bytes() == b"inside"
    assert [*(tmp_path / "outside").iterdir()] == []


def test_epoch_is_the_time_of_every_file(store: Store, lease: Lease, tmp_path: Path) -> None:
    built = state([stored(store, lease, [directory("d", mtime=5), file("d/a", mtime=7)])], epoch=1000)
    write_directory(str(tmp_path / "out"), carried(store, Export(finished=built)))
    assert {path.stat().st_mtime for path in (tmp_path / "out").rglob("*")} == {1000}


def test_each_of_several_platforms_has_a_directory(store: Store, result: Finished, tmp_path: Path) -> None:
    arm = Finished(platform=ARM64, layers=result.layers[:1])
    for export in exports([result, arm], [(), (CLAIM,)]):
        write_directory(str(tmp_path / "out"), carried(store, export))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["linux_amd64", "linux_arm64"]
    assert (tmp_path / "out/linux_arm64/d/link").samefile(tmp_path / "out/linux_arm64/d/data")
    said = json.loads((tmp_path / "out/linux_arm64/provenance.json").read_bytes())
    assert said["subject"] == [
        {"name": name, "digest": {"sha256": hashlib.sha256(data).hexdigest()}}
        for name, data in (("d/data", b"data"), ("d/old", b"x"), ("gone", b"x"))
    ]
    assert exports([result])[0].directory == b"" and exports([result], split=True)[0].directory


def test_owners_are_kept_by_root(store: Store, lease: Lease, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives files away")
    built = state([stored(store, lease, [file("a", mode=0o4755, uid=12, gid=34)])])
    write_directory(str(tmp_path / "out"), carried(store, Export(finished=built)))
    status = (tmp_path / "out/a").stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (12, 34, 0o4755)


def test_failure_names_the_file(store: Store, lease: Lease, tmp_path: Path) -> None:
    name = "n" * 255
    built = state([stored(store, lease, [file(name)])])
    (tmp_path / "out").write_text("a file")
    with pytest.raises(Exception, match="out"):
        write_directory(str(tmp_path / "out"), carried(store, Export(finished=built)))
    device = Metadata(path=b"dev", kind=CHARACTER, mode=0o600, device=(1, 3)), None
    if os.geteuid() != 0:
        built = state([stored(store, lease, [device])])
        with pytest.raises(ExportFailed, match="dev: operation not permitted"):
            write_directory(str(tmp_path / "out2"), carried(store, Export(finished=built)))


def test_damaged_file_is_not_left_half_written(store: Store, result: Finished, tmp_path: Path) -> None:
    tar = Path(store.disk.tar(result.layers[0].diff_id))
    raw = tar.read_bytes()
    os.chmod(tar, 0o600)
    tar.write_bytes(raw.replace(b"data" + bytes(508), b"dama" + bytes(508)))
    with pytest.raises(DamagedContent):
        write_directory(str(tmp_path / "out"), carried(store, Export(finished=result)))
    assert not (tmp_path / "out/d/data").exists()


def test_tar_has_the_merged_files(store: Store, result: Finished, tmp_path: Path) -> None:
    pieces: list[bytes] = []
    stream_tar(lambda data: pieces.append(bytes(data)), carried(store, Export(finished=result)))
    write_tar(str(tmp_path / "out.tar"), carried(store, Export(finished=result)))
    assert (tmp_path / "out.tar").read_bytes() == b"".join(pieces)
    with tarfile.open(tmp_path / "out.tar") as archive:
        found = {member.name: (member.type, member.mode, member.mtime, member.linkname) for member in archive}
    assert found == {
        "d": (tarfile.DIRTYPE, 0o700, 70, ""), "d/data": (tarfile.REGTYPE, 0o640, 60, ""),
        "d/link": (tarfile.LNKTYPE, 0o640, 60, "d/data"), "d/old": (tarfile.REGTYPE, 0o644, 80, ""),
        "up": (tarfile.SYMTYPE, 0o777, 0, "../../etc"),
    }  # fmt: skip


def test_tar_is_whole_or_not_there(store: Store, result: Finished, tmp_path: Path) -> None:
    with pytest.raises(BadOutput):
        write_tar(str(tmp_path / "no" / "out.tar"), carried(store, Export(finished=result)))
    tar = Path(store.disk.tar(result.layers[0].diff_id))
    os.chmod(tar, 0o600)
    tar.write_bytes(tar.read_bytes().replace(b"data" + bytes(508), b"dama" + bytes(508)))
    with pytest.raises(DamagedContent):
        write_tar(str(tmp_path / "out.tar"), carried(store, Export(finished=result)))
    assert not (tmp_path / "out.tar").exists()
