from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.store.memory import Layer, Memory, Stream, brought, compressed, layer, tar_of
from tests.store.state import dump, state, tidy

from millefeuille.errors import Corrupt, MilleError, NotFound, Unsupported
from millefeuille.layers.refusal import TarError
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.store import leases, names
from millefeuille.store.check import check
from millefeuille.store.rebuild import rebuild
from millefeuille.store.store import Store


def _table(store: Store, query: str) -> list[tuple[Any, ...]]:
    with store.reading() as tx:
        return tx.execute(query).fetchall()


def _sound(store: Store) -> None:
    report = check(store, data=True)
    assert (report.problems, report.orphans) == ((), 0)
    with store.writing() as tx:
        leases.sweep(tx)
    before = dump(store.disk.database)
    os.unlink(store.disk.database)
    rebuild(store)
    assert dump(store.disk.database) == before


def test_everything_arrives_as_it_was(store: Store, memory: Memory) -> None:
    layers = [layer(1), layer(2, compression="zstd"), layer(3, compression="")]
    target = memory.add("1", layers)
    pulled = brought(store, memory, "app:1")
    assert (pulled.target, pulled.new) == (target.digest, True)
    assert Path(store.disk.blob(target.digest)).read_bytes() == memory.manifests[target.digest][1]
    for one in layers:
        assert Path(store.disk.blob(one.descriptor().digest)).read_bytes() == one.blob
        assert Path(store.disk.tar(one.diff_id)).read_bytes() == one.tar
        assert os.stat(store.disk.tar(one.diff_id)).st_mode & 0o777 == 0o400
    with store.reading() as tx:
        image = names.find(tx, "app:1")
    assert image.tags == ("docker.io/library/app:1",)
    assert image.digests == (("docker.io/library/app", target.digest),)
    assert image.size == 6000 + 1 + 2 + 3
    _sound(store)


def test_a_name_like_an_id_is_refused_before_any_layer(store: Store, memory: Memory) -> None:
    only = layer(1)
    memory.add("1", [only])
    with pytest.raises(names.NotAName, match="ambiguous tag using digest algorithm as name"):
        brought(store, memory, "sha256:1")
    assert not os.path.exists(store.disk.blob(only.descriptor().digest))


DOCKER_FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
OCI_FOREIGN = "application/vnd.oci.image.layer.nondistributable.v1.tar"
ELSEWHERE = {"urls": ["https://example.invalid/layer"]}


def _foreign(memory: Memory, *layers: tuple[Layer, str]) -> Descriptor:
    described = [
        one.descriptor().to_json() | {"mediaType": media_type} | ELSEWHERE for one, media_type in layers
    ]
    return memory.add("1", [one for one, _ in layers], manifest={"layers": described})


def test_foreign_layers_arrive_like_any_other(store: Store, memory: Memory) -> None:
    layers = [
        (layer(1), DOCKER_FOREIGN), (layer(2, compression=""), OCI_FOREIGN),
        (layer(3), f"{OCI_FOREIGN}+gzip"), (layer(4, compression="zstd"), f"{OCI_FOREIGN}+zstd"),
    ]  # fmt: skip
    target = _foreign(memory, *layers)
    pulled = brought(store, memory, "app:1")
    assert pulled.target == target.digest
    assert Path(store.disk.blob(target.digest)).read_bytes() == memory.manifests[target.digest][1]
    for one, _ in layers:
        assert Path(store.disk.tar(one.diff_id)).read_bytes() == one.tar
    _sound(store)


def test_a_foreign_layer_that_the_registry_does_not_hold(store: Store, memory: Memory) -> None:
    _foreign(memory, (layer(1), DOCKER_FOREIGN))

    def refuse(blob: Descriptor, *, offset: int = 0, mirrors: bool = True) -> Stream:
        if blob.media_type == DOCKER_FOREIGN:
            raise NotFound("blob unknown")
        return Memory.open(memory, blob, offset=offset, mirrors=mirrors)

    memory.open = refuse  # type: ignore[method-assign] # one that has no such blob
    with pytest.raises(NotFound, match="the registry does not hold it: blob unknown") as missing:
        brought(store, memory, "app:1")
    assert str(layer(1).descriptor().digest) in str(missing.value)
    assert missing.value.advice == (
        f"Layers of type {DOCKER_FOREIGN} may lie elsewhere, and other places are not asked."
    )


def test_an_uncompressed_layer_is_one_file(store: Store, memory: Memory) -> None:
    memory.add("1", [layer(1, compression="")])
    brought(store, memory, "app:1")
    one = layer(1, compression="").diff_id
    assert os.path.samefile(store.disk.blob(one), store.disk.tar(one))


def test_again_is_nothing_new(store: Store, memory: Memory) -> None:
    memory.add("1", [layer(1)])
    brought(store, memory, "app:1")
    before = state(store)
    memory.opened.clear()
    assert not brought(store, memory, "app:1").new
    assert memory.opened == []
    assert state(store) == before


def test_shared_layers_are_fetched_once(store: Store, memory: Memory) -> None:
    memory.add("1", [layer(1), layer(2)])
    memory.add("2", [layer(1), layer(3), layer(3)])
    brought(store, memory, "app:1")
    memory.opened.clear()
    brought(store, memory, "app:2")
    assert [digest for digest, _ in memory.opened if digest == layer(1).descriptor().digest] == []
    assert [digest for digest, _ in memory.opened].count(layer(3).descriptor().digest) == 1
    _sound(store)


def test_a_moved_tag_leaves_a_dangling_image(store: Store, memory: Memory) -> None:
    memory.add("1", [layer(1)])
    first = brought(store, memory, "app:1").image
    memory.add("1", [layer(2)])
    second = brought(store, memory, "app:1")
    assert second.new and second.image != first
    assert dict(_table(store, "SELECT id, (SELECT name FROM names WHERE image = id) FROM images")) == {
        str(first): None,
        str(second.image): "docker.io/library/app:1",
    }
    _sound(store)


def test_one_diff_id_under_two_blobs(store: Store, memory: Memory) -> None:
    first, second = layer(1), compressed(layer(1).tar, "zstd")
    memory.add("1", [first])
    memory.add("2", [second])
    memory.add("3", [second, layer(2), first])
    for tag in "123":
        brought(store, memory, f"app:{tag}")
    assert os.listdir(store.disk.layers) != []
    assert len(_table(store, "SELECT * FROM layers")) == 2
    marks = [name for name in os.listdir(store.disk.layer(first.diff_id)) if name.startswith("from-")]
    assert len(marks) == 2
    _sound(store)


def test_both_blobs_of_a_layer_in_one_fetch(store: Store, memory: Memory) -> None:
    big = layer(1, 900_000)
    memory.add("1", [big, compressed(big.tar, "zstd"), compressed(big.tar, "")])
    brought(store, memory, "app:1")
    _sound(store)


def test_sha512(store: Store, memory: Memory) -> None:
    memory.add("1", [layer(1), layer(2, compression="")], algorithm="sha512")
    brought(store, memory, "app:1")
    assert len(os.listdir(store.disk.blobs("sha512"))) == 2
    _sound(store)


def test_an_image_without_layers(store: Store, memory: Memory) -> None:
    memory.add("1", [])
    brought(store, memory, "app:1")
    with store.reading() as tx:
        assert names.find(tx, "app:1").chain is None
    _sound(store)


def test_by_digest_gives_no_tag(store: Store, memory: Memory) -> None:
    target = memory.add("1", [layer(1)])
    brought(store, memory, f"app@{target.digest}")
    with store.reading() as tx:
        image = names.find(tx, f"app@{target.digest}")
    assert image.tags == ()
    assert image.digests == (("docker.io/library/app", target.digest),)
    _sound(store)


def test_a_manifest_by_digest_that_an_index_holds_too(store: Store, memory: Memory) -> None:
    amd64 = memory.add("amd64", [layer(1)])
    memory.add_index("many", {"amd64": amd64})
    brought(store, memory, "app:many")
    brought(store, memory, f"app@{amd64.digest}")
    _sound(store)


def test_platforms_of_one_name(store: Store, memory: Memory) -> None:
    members = {
        "amd64": memory.add("x", [layer(1), layer(2)]),
        "arm64": memory.add("y", [layer(3), layer(2)], architecture="arm64"),
        "s390x": memory.add("z", [layer(4)], architecture="s390x"),
    }
    index = memory.add_index("many", members)
    amd64 = brought(store, memory, "app:many").image
    arm64 = brought(store, memory, "app:many", "linux/arm64").image
    rows = _table(store, "SELECT platform, manifest, image FROM name_platforms ORDER BY 1")
    assert rows == [
        ("linux/amd64", str(members["amd64"].digest), str(amd64)),
        ("linux/arm64", str(members["arm64"].digest), str(arm64)),
    ]
    assert _table(store, "SELECT target, image FROM names") == [(str(index.digest), str(arm64))]
    assert layer(4).descriptor().digest not in store.blobs
    _sound(store)
    # A new index under the name takes all platforms of the old one with it.
    memory.add_index("many", {"amd64": members["amd64"]})
    brought(store, memory, "app:many")
    assert _table(store, "SELECT platform FROM name_platforms") == [("linux/amd64",)]
    _sound(store)


def test_two_manifests_of_one_image(store: Store, memory: Memory) -> None:
    memory.add("b", [layer(1)])
    first = memory.tags["b"]
    memory.add("a", [compressed(layer(1).tar, "zstd")])
    brought(store, memory, "app:b")
    brought(store, memory, "app:a")
    assert _table(store, "SELECT manifest FROM images") == [(str(first.digest),)]
    _sound(store)


@pytest.mark.parametrize(
    ("kind", "layers", "change", "error"),
    [
        ("lying diff ID", [layer(1), layer(2)], {"diff_ids": [layer(1).diff_id, layer(3).diff_id]}, Corrupt),
        ("too few diff IDs", [layer(1), layer(2)], {"diff_ids": [layer(1).diff_id]}, MilleError),
        ("swapped", [layer(1), layer(2)], {"diff_ids": [layer(2).diff_id, layer(1).diff_id]}, Corrupt),
        ("artifact", [layer(1)], {"manifest": {"config": {"mediaType": "text/plain", "size": 2,
            "digest": str(Digest.of(b"{}"))}}}, Unsupported),
    ],
)  # fmt: skip
def test_refused(
    kind: str, layers: list[Layer], change: dict[str, Any], error: type[Exception], store: Store,
    memory: Memory,
) -> None:  # fmt: skip
    memory.add("good", [layer(1)])
    brought(store, memory, "app:good")
    before = state(store)
    memory.add("bad", layers, **change)
    with pytest.raises(error) as caught:
        brought(store, memory, "app:bad")
    assert "\n" not in str(caught.value)
    tidy(store)
    assert state(store) == before


def test_what_is_in_the_store_cannot_be_given_another_diff_id(store: Store, memory: Memory) -> None:
    memory.add("good", [layer(1)])
    brought(store, memory, "app:good")
    memory.add("bad", [layer(1)], diff_ids=[layer(2).diff_id])
    with pytest.raises(Corrupt, match=f"holds {layer(1).diff_id}, but the image config says"):
        brought(store, memory, "app:bad")
    _sound(store)


def test_a_hostile_layer_leaves_nothing(store: Store, memory: Memory) -> None:
    memory.add("good", [layer(1)])
    brought(store, memory, "app:good")
    before = state(store)
    memory.add("bad", [layer(1), compressed(tar_of({"../escape": b"x"}), "gzip")])
    with pytest.raises(TarError):
        brought(store, memory, "app:bad")
    assert os.listdir(store.disk.ingest) == []
    tidy(store)
    assert state(store) == before


@pytest.mark.parametrize("what", ["manifest", "config"])
def test_a_damaged_document_is_fetched_again(what: str, store: Store, memory: Memory) -> None:
    target = memory.add("1", [layer(1)])
    image = brought(store, memory, "app:1").image
    path = Path(store.disk.blob(target.digest if what == "manifest" else image))
    good = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(b"?" + good[1:])
    assert check(store, data=True).problems
    brought(store, memory, "app:1")
    assert path.read_bytes() == good
    assert path.stat().st_mode & 0o777 == 0o400
    _sound(store)


@pytest.mark.parametrize(
    "damage", ["blob gone", "blob short", "tar gone", "tar short", "index gone", "index short", "all gone"]
)
def test_a_damaged_layer_is_healed_by_a_pull(damage: str, store: Store, memory: Memory) -> None:
    memory.add("1", [layer(1), layer(2)])
    brought(store, memory, "app:1")
    before = state(store)
    one = layer(2)
    paths = {
        "blob": store.disk.blob(one.descriptor().digest), "tar": store.disk.tar(one.diff_id),
        "index": store.disk.layer_index(one.diff_id),
    }  # fmt: skip
    kind, how = damage.split()
    for path in paths.values() if kind == "all" else (paths[kind],):
        if how == "gone":
            os.unlink(path)
        else:
            os.chmod(path, 0o600)
            os.truncate(path, 100)
    assert check(store).problems
    brought(store, memory, "app:1")
    assert state(store) == before
    _sound(store)


def test_a_blob_with_other_bytes_is_fetched_when_its_layer_is_gone(store: Store, memory: Memory) -> None:
    memory.add("1", [layer(1)])
    brought(store, memory, "app:1")
    before = state(store)
    path = Path(store.disk.blob(layer(1).descriptor().digest))
    path.chmod(0o600)
    path.write_bytes(bytes(len(layer(1).blob)))
    os.unlink(store.disk.tar(layer(1).diff_id))
    brought(store, memory, "app:1")
    assert state(store) == before


def test_index_json_lists_what_is_there(store: Store, memory: Memory) -> None:
    amd64 = memory.add("amd64", [layer(1)])
    index = memory.add_index("many", {"amd64": amd64})
    image = brought(store, memory, "app:many").image
    document = json.loads(Path(store.disk.index).read_bytes())
    (entry,) = document["manifests"]
    assert document["schemaVersion"] == 2
    assert (entry["digest"], entry["size"], entry["mediaType"]) == (
        str(index.digest), index.size, index.media_type,
    )  # fmt: skip
    assert entry["annotations"]["org.opencontainers.image.ref.name"] == "docker.io/library/app:many"
    assert entry["annotations"]["io.millefeuille.image"] == str(image)
    assert json.loads(Path(store.disk.root, "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
