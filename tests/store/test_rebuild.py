"""The database again, from index.json, blobs and layers: the same in everything but times."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.store.memory import Memory, brought, compressed, layer
from tests.store.state import dump, files_of

from millefeuille.images.remove import remove
from millefeuille.images.tag import tag
from millefeuille.images.users import Nobody
from millefeuille.oci.digest import Digest
from millefeuille.snapshots.erofs.stored import make_metadata
from millefeuille.store import leases
from millefeuille.store.check import check
from millefeuille.store.names import find
from millefeuille.store.rebuild import StoreInUse, rebuild
from millefeuille.store.store import Store


@pytest.fixture
def full(store: Store, memory: Memory) -> Store:
    """Images by tag, by digest, dangling, of several platforms, with a parent, under two manifests."""
    for number in (1, 2, 3):
        memory.add(str(number), [layer(n) for n in range(1, number + 1)], Labels={"n": str(number)})
        brought(store, memory, f"app:{number}", prepare=make_metadata)
    memory.add("z", [compressed(layer(1).tar, "zstd")], Labels={"n": "1"})
    memory.add("zz", [layer(7, compression="")], algorithm="sha512")
    for name in ("app:z", "team/app:zz"):
        brought(store, memory, name)
    amd64 = memory.add("amd64", [layer(1), layer(8)])
    arm64 = memory.add("arm64", [layer(9)], architecture="arm64")
    memory.add("s390x", [layer(10)], architecture="s390x")
    members = {"amd64": amd64, "arm64": arm64, "s390x": memory.tags["s390x"]}
    index = memory.add_index("many", members)
    for platform in ("linux/arm64", "linux/amd64"):
        brought(store, memory, "app:many", platform)
    brought(store, memory, f"other@{index.digest}", "linux/arm64")
    brought(store, memory, f"other@{amd64.digest}")
    memory.add("moved", [layer(11)])
    brought(store, memory, "app:moved")
    memory.add("moved", [layer(12)])
    brought(store, memory, "app:moved")
    with store.writing() as tx:
        tag(tx, "app:many", "mine:1")
        tag(tx, str(find(tx, "app:many").id), "mine:2")
        tx.execute(
            "UPDATE images SET parent = ? WHERE id = ?",
            (str(find(tx, "app:1").id), str(find(tx, "app:2").id)),
        )
        tx.changed_names = True
    return store


def test_the_same_comes_back(full: Store) -> None:
    before, files = dump(full.disk.database), files_of(full.disk.root)
    with full.reading() as tx:
        tagged = tx.execute("SELECT name, tagged_ns FROM names ORDER BY 1").fetchall()
    os.unlink(full.disk.database)
    rebuilt = rebuild(full, make_metadata)
    assert (rebuilt.images, rebuilt.losses) == (len(before["images"]), ())
    assert dump(full.disk.database) == before
    assert files_of(full.disk.root) == files
    with full.reading() as tx:
        assert tx.execute("SELECT name, tagged_ns FROM names ORDER BY 1").fetchall() == tagged
    assert check(full, data=True).problems == ()


def test_layers_that_are_gone_are_made_again(full: Store) -> None:
    before = dump(full.disk.database)
    for one in (layer(1), layer(8), layer(7, compression="")):
        os.unlink(full.disk.tar(one.diff_id))
    os.unlink(full.disk.layer_index(layer(2).diff_id))
    os.unlink(full.disk.database)
    assert rebuild(full, make_metadata).losses == ()
    after = dump(full.disk.database)
    assert after["names"] == before["names"]
    assert check(full, data=True).problems == ()


def test_what_is_lost_is_told_and_the_rest_kept(full: Store) -> None:
    before = dump(full.disk.database)
    os.unlink(full.disk.blob(layer(9).descriptor().digest))  # arm64 of app:many
    os.unlink(full.disk.blob(layer(3).descriptor().digest))  # app:3
    os.unlink(full.disk.database)
    rebuilt = rebuild(full)
    assert rebuilt.images == len(before["images"]) - 2
    assert {loss.partition(":")[0] for loss in rebuilt.losses if "docker.io" in loss} == {
        "docker.io/library/app", "docker.io/library/mine",
    }  # fmt: skip
    with full.reading() as tx:
        assert find(tx, "app:many").platform == "linux/amd64"
        names = {row[0] for row in tx.execute("SELECT name FROM names")}
    assert names == {row[0] for row in before["names"]} - {"docker.io/library/app:3"}
    assert check(full, data=True).problems == ()


@pytest.mark.parametrize(
    "change",
    [
        {"manifests": None}, {"manifests": 7}, {"manifests": [7, {}, {"digest": "sha256:zz"}]},
        {"manifests": [{"digest": "sha256:" + "0" * 64, "size": 3, "mediaType": "x"}]},
    ],
)  # fmt: skip
def test_a_strange_index_json_is_no_crash(change: dict[str, object], full: Store) -> None:
    document = json.loads(Path(full.disk.index).read_bytes())
    Path(full.disk.index).write_text(json.dumps(document | change, separators=(",", ":")))
    os.unlink(full.disk.database)
    assert rebuild(full).losses or change["manifests"] in (None, 7)
    assert check(full, data=True).problems == ()


@pytest.mark.parametrize("content", [None, b"", b"[]", b"no json"])
def test_without_index_json_only_names_are_lost(content: bytes | None, full: Store) -> None:
    before = dump(full.disk.database)
    for path in (full.disk.database, full.disk.index):
        os.unlink(path)
    if content is not None:
        Path(full.disk.index).write_bytes(content)
    assert [problem.kind for problem in check(full).problems] == ["database"]
    assert rebuild(full, make_metadata).losses == ()
    after = dump(full.disk.database)
    assert [row[0] for row in after["images"]] == [row[0] for row in before["images"]]
    assert after["names"] == []
    assert check(full, data=True).problems == ()


def without_index(store: Store) -> tuple[str, ...]:
    """What a rebuild without index.json loses."""
    for path in (store.disk.database, store.disk.index):
        os.unlink(path)
    return rebuild(store, make_metadata).losses


def test_without_index_json_a_manifest_need_not_say_what_it_is(store: Store, memory: Memory) -> None:
    # As umoci writes them: in the OCI's manifests `mediaType` is optional.
    for name, space in (("plain", b""), ("spaced", b"\n ")):
        memory.add(name, [layer(1)], Labels={"of": name})
        kind, raw = memory.manifests[memory.tags[name].digest]
        fields = json.loads(raw)
        del fields["mediaType"]
        memory.document(name, kind, space + json.dumps(fields).encode())
        brought(store, memory, f"app:{name}", prepare=make_metadata)
    before = dump(store.disk.database)
    assert without_index(store) == ()
    assert dump(store.disk.database)["images"] == before["images"]
    assert check(store, data=True).problems == ()


def test_without_index_json_what_cannot_be_read_is_told(full: Store) -> None:
    images = len(dump(full.disk.database)["images"])
    unread = [
        {"schemaVersion": 3, "layers": []}, {"schemaVersion": 2, "manifests": 7},
        {"schemaVersion": 2, "mediaType": "x/y", "config": {}}, {"schemaVersion": 2, "layers": 7},
    ]  # fmt: skip
    told = [Digest.of(data) for data in (json.dumps(fields).encode() for fields in unread)]
    for digest, fields in zip(told, unread, strict=True):
        full.blobs.put(digest, json.dumps(fields).encode())
    for other in (b'{"schemaVersion": 2}', b"{", b'{"layers": []}', b"[]", b"", b"{" * 1000):
        full.blobs.put(Digest.of(other), other)
    damaged = full.disk.blob(compressed(layer(1).tar, "zstd").descriptor().digest)
    os.chmod(damaged, 0o600)
    Path(damaged).write_bytes(b"{")
    losses = without_index(full)
    assert all(any(str(digest) in loss for loss in losses) for digest in told)
    assert any("does not match its digest" in loss for loss in losses)
    assert not any("\n" in loss for loss in losses)
    assert len(dump(full.disk.database)["images"]) >= images - 1


def test_without_index_json_a_lost_configuration_is_told(store: Store, memory: Memory) -> None:
    memory.add("1", [layer(1)])
    brought(store, memory, "app:1")
    with store.reading() as tx:
        image = find(tx, "app:1").id
    os.unlink(store.disk.blob(image))
    (loss,) = without_index(store)
    assert str(memory.tags["1"].digest) in loss
    assert image.hex in loss


def test_not_while_images_are_coming_in(full: Store) -> None:
    with leases.lease(full.disk, "pull"):
        os.unlink(full.disk.database)
        with pytest.raises(StoreInUse):
            rebuild(full)
    assert rebuild(full).losses == ()


def test_what_was_cut_off_does_not_come_back(full: Store, memory: Memory) -> None:
    before = dump(full.disk.database)
    digest = memory.tags["s390x"].digest
    full.blobs.put(digest, memory.manifests[digest][1])  # a pull for another platform came this far
    os.unlink(full.disk.database)
    rebuild(full, make_metadata)
    assert dump(full.disk.database) == before


def test_a_removed_image_does_not_come_back(full: Store) -> None:
    with full.writing() as tx:
        remove(tx, "team/app:zz", Nobody())
        remove(tx, "app:z", Nobody())
    before = dump(full.disk.database)
    os.unlink(full.disk.database)
    rebuild(full, make_metadata)
    assert dump(full.disk.database) == before
