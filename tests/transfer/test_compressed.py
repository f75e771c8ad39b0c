from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import tarfile
from pathlib import Path

import pytest
from tests.store.memory import Memory, brought, layer, tar_of
from tests.transfer.test_push import Target, Told

from millefeuille.errors import Failed
from millefeuille.images.remove import remove
from millefeuille.images.users import Nobody
from millefeuille.oci import mediatype
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.reference import Reference
from millefeuille.progress import LayerDone, Silent
from millefeuille.store.blobs import CorruptBlob
from millefeuille.store.check import check
from millefeuille.store.images import images
from millefeuille.store.leases import lease
from millefeuille.store.store import Store
from millefeuille.store.sweep import orphans
from millefeuille.transfer.archive.load import load
from millefeuille.transfer.push import push
from millefeuille.transfer.source import Opener

NAME = Reference.parse("localhost:5000/team/app:1")
TAR = tar_of({"bin/tool": b"tool" * 5000, "etc/conf": b"x"})
TAR_HEX = Digest.of(TAR).hex


def _docker_archive(path: Path) -> None:
    """An archive as `docker save` wrote it: a config and a plain layer, no manifest."""
    config = json.dumps(
        {
            "architecture": "amd64", "os": "linux", "config": {},
            "rootfs": {"type": "layers", "diff_ids": [str(Digest.of(TAR))]}, "history": [{}],
        }
    ).encode()  # fmt: skip
    listed = [{"Config": "config.json", "RepoTags": [str(NAME)], "Layers": ["layer.tar"]}]
    members = {"config.json": config, "layer.tar": TAR, "manifest.json": json.dumps(listed).encode()}
    with tarfile.open(path, "w") as archive:
        for name, data in members.items():
            header = tarfile.TarInfo(name)
            header.size = len(data)
            archive.addfile(header, io.BytesIO(data))


@pytest.fixture
def loaded(store: Store, tmp_path: Path) -> Store:
    path = tmp_path / "image.tar"
    _docker_archive(path)
    with path.open("rb") as file:
        tuple(load(store, file.fileno(), Silent()))
    return store


def test_a_plain_layer_is_compressed_for_its_first_push(loaded: Store) -> None:
    there, told = Target(), Told()
    digest = push(loaded, there, NAME, told)
    (raw,) = [raw for found, raw, tag in there.manifests if tag == "1"]
    (described,) = json.loads(raw)["layers"]
    assert described["mediaType"] == mediatype.OCI_LAYER_GZIP
    blob = there.blobs[Digest.parse(described["digest"])]
    assert gzip.decompress(blob) == TAR
    assert len(blob) == described["size"] < len(TAR)
    assert Digest.of(raw) == digest
    assert {event.digest for event in told.events if isinstance(event, LayerDone)} == {Digest.of(TAR)}


def test_the_second_push_finds_what_the_first_made(loaded: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    first = push(loaded, Target(), NAME, Silent())

    def again(*_: object) -> None:
        raise AssertionError("compressed twice")

    monkeypatch.setattr("millefeuille.transfer.compressed._compress", again)
    assert push(loaded, Target(), NAME, Silent()) == first


def test_what_was_made_belongs_to_the_image(loaded: Store) -> None:
    push(loaded, Target(), NAME, Silent())
    report = check(loaded, data=True)
    assert (report.problems, report.orphans, report.images) == ((), 0, 1)
    with loaded.writing() as tx:
        assert orphans(tx) == 0


def test_the_bytes_are_the_same_in_every_store(loaded: Store, tmp_path: Path) -> None:
    other = Store(str(tmp_path / "other"))
    with (tmp_path / "image.tar").open("rb") as file:
        tuple(load(other, file.fileno(), Silent()))
    assert push(loaded, Target(), NAME, Silent()) == push(other, Target(), NAME, Silent())


def test_a_manifest_of_others_goes_as_it_is(store: Store, memory: Memory) -> None:
    target = memory.add("1", [layer(1, compression="")])
    brought(store, memory, "localhost:5000/team/app:1")
    there = Target()
    assert push(store, there, NAME, Silent()) == target.digest
    assert there.manifests == [(target.digest, memory.manifests[target.digest][1], "1")]


def test_a_damaged_tar_is_not_compressed(loaded: Store) -> None:
    path = Path(loaded.disk.blob(Digest.of(TAR)))
    os.chmod(path, 0o600)
    path.write_bytes(TAR[:-1] + b"!")
    there = Target()
    with pytest.raises(CorruptBlob, match="does not match its digest"):
        push(loaded, there, NAME, Silent())
    assert there.uploads == []
    assert not [name for name in os.listdir(loaded.disk.ingest) if name.startswith("gzip-")]


def _fails(blob: Descriptor, source: Opener) -> None:
    raise Failed("the registry is down")


def test_nothing_is_left_of_a_push_that_failed(loaded: Store) -> None:
    there = Target()
    there.upload = _fails  # type: ignore[method-assign]
    with pytest.raises(Failed):
        push(loaded, there, NAME, Silent())
    assert check(loaded, data=True).orphans == 0
    layer = loaded.disk.layer(Digest.of(TAR))
    assert not [name for name in os.listdir(layer) if name.startswith("from-") and TAR_HEX not in name]
    assert push(loaded, Target(), NAME, Silent())


def test_nothing_is_left_of_an_image_that_went_meanwhile(loaded: Store) -> None:
    there = Target()
    send = there.upload

    def removing(blob: Descriptor, source: Opener) -> None:
        send(blob, source)
        with loaded.writing() as tx:
            if list(images(tx)):
                remove(tx, str(NAME), Nobody())

    there.upload = removing  # type: ignore[method-assign]
    push(loaded, there, NAME, Silent())
    assert list(loaded.blobs) == []


def test_what_another_command_claims_stays(loaded: Store) -> None:
    there = Target()
    held: list[Digest] = []

    with contextlib.ExitStack() as stack:

        def claiming(blob: Descriptor, source: Opener) -> None:
            if blob.media_type == mediatype.OCI_LAYER_GZIP:
                stack.enter_context(lease(loaded.disk, "another", [blob.digest]))
                held.append(blob.digest)
            raise Failed("the registry is down")

        there.upload = claiming  # type: ignore[method-assign]
        with pytest.raises(Failed):
            push(loaded, there, NAME, Silent())
        assert held and set(held) < set(loaded.blobs)
