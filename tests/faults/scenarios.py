"""What the sweeps interrupt: each verb on a small store, with all that it may find there."""

from __future__ import annotations

import gzip
import io
import json
import os
from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.commits import committed
from tests.store.memory import Memory, compressed, layer, tar_of

from millefeuille.images.prune import prune
from millefeuille.images.remove import remove
from millefeuille.images.tag import tag
from millefeuille.images.users import Nobody
from millefeuille.images.variants import remove_variants
from millefeuille.oci.digest import Digest
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import Reference
from millefeuille.progress import Silent
from millefeuille.snapshots.erofs.stored import make_metadata
from millefeuille.store.blobs import CorruptBlob
from millefeuille.store.check import check
from millefeuille.store.repair import repair
from millefeuille.store.store import Store
from millefeuille.transfer.archive.load import load
from millefeuille.transfer.pull import pull

Act = Callable[[Store], None]
AMD64 = Platform.parse("linux/amd64")


@dataclass(frozen=True)
class Scenario:
    """`act` on the store that `given` makes. `repeatable`: doing it again after it was done is no error."""

    name: str
    given: Act
    act: Act
    repeatable: bool = True


SHARED = layer(1, 300 << 10)
OWN = [layer(2, 600 << 10), layer(3, 20_000, "zstd"), layer(4, 10_000, "")]
LAYERS = [SHARED, *OWN, layer(5)]


def world() -> Memory:
    """app:1 has four layers in every compression, one of them base's; app:2 moves on; many has platforms."""
    memory = Memory()
    shared, own = SHARED, OWN
    again = compressed(own[0].tar, "zstd")  # one diff ID under two blobs
    memory.add("base", [shared])
    memory.add("1", [shared, *own], Labels={"version": "1"})
    memory.add("2", [shared, own[0], layer(5)], Labels={"version": "2"})
    memory.add("twice", [shared, again, layer(6), layer(6)])
    memory.add("sha512", [layer(7), layer(8)], algorithm="sha512")
    amd64 = memory.add("amd64", [shared, layer(9)])
    arm64 = memory.add("arm64", [layer(10), layer(9)], architecture="arm64")
    memory.add_index("many", {"amd64": amd64, "arm64": arm64})
    memory.add("other", [compressed(tar_of({"f": b"1" * 5000}), "gzip")])
    return memory


WORLD = world()


def pulled(name: str, platform: str = "linux/amd64", source: str = "") -> Act:
    """`mille pull app:NAME`, from what the registry holds under `source` by now."""

    def act(store: Store) -> None:
        memory = WORLD
        if source:
            memory = Memory(blobs=WORLD.blobs, manifests=WORLD.manifests, tags=dict(WORLD.tags))
            memory.tags[name] = WORLD.tags[source]
        pull(
            store, memory, Reference.parse(f"app:{name}"), Silent(),
            platform=Platform.parse(platform), prepare=make_metadata,
        )  # fmt: skip

    return act


def tagged(source: str, target: str) -> Act:
    def act(store: Store) -> None:
        with store.writing() as tx:
            tag(tx, source, target)

    return act


def removed(text: str, *, force: bool = False) -> Act:
    def act(store: Store) -> None:
        with store.writing(emergency=True) as tx:
            remove(tx, text, Nobody(), force=force)

    return act


def platform_removed(store: Store) -> None:
    with store.writing(emergency=True) as tx:
        remove_variants(tx, "app:many", [AMD64], Nobody(), force=True)


def pruned(*, unused: bool = False) -> Act:
    def act(store: Store) -> None:
        prune(store, Nobody(), lambda image: True, unused=unused)

    return act


def cut_off(name: str) -> Act:
    """A pull that ends in the middle of its second layer."""

    def act(store: Store) -> None:
        blob = layer(2, 600 << 10).descriptor()
        memory = Memory(WORLD.blobs, WORLD.manifests, WORLD.tags, cuts={blob.digest: 300_000})
        try:
            pull(store, memory, Reference.parse(f"app:{name}"), Silent(), platform=AMD64)
        except Exception:
            return
        raise AssertionError("the pull was not cut off")

    return act


def _corrupt_tar(store: Store) -> None:
    for diff_id in (layer(2, 600 << 10).diff_id, layer(9).diff_id):
        path = store.disk.tar(diff_id)
        if os.path.exists(path):
            os.chmod(path, 0o600)
            with open(path, "r+b") as file:
                file.write(b"?")
            os.chmod(path, 0o400)


def _lost_database(store: Store) -> None:
    os.unlink(store.disk.database)


def repaired(store: Store) -> None:
    repair(store, check(store, data=True), data=True, prepare=make_metadata)


def docker_archive(tag: str) -> bytes:
    """What an old `docker save app:TAG` writes: the tars, the config and manifest.json."""
    manifest = json.loads(WORLD.manifests[WORLD.tags[tag].digest][1])
    config = WORLD.blobs[Digest.parse(manifest["config"]["digest"])]
    tars = {str(one.diff_id): one.tar for one in LAYERS}
    diff_ids = json.loads(config)["rootfs"]["diff_ids"]
    names = [f"{diff_id[7:]}/layer.tar" for diff_id in diff_ids]
    listing = [{"Config": "config.json", "RepoTags": [f"app:{tag}"], "Layers": names}]
    layers = {name: tars[diff_id] for name, diff_id in zip(names, diff_ids, strict=True)}
    return tar_of({**layers, "config.json": config, "manifest.json": json.dumps(listing).encode()})


def loaded(data: bytes) -> Act:
    """`mille load` from a pipe."""

    def act(store: Store) -> None:
        pipe = io.BytesIO(data)
        assert len(list(load(store, pipe.read, Silent(), platform=AMD64, prepare=make_metadata))) == 1

    return act


def put(store: Store) -> None:
    """A blob brought in without any image."""
    data = b"a document"
    store.blobs.put(Digest.of(data), data)
    try:
        store.blobs.put(Digest.of(b"other"), data)
    except CorruptBlob:
        store.blobs.settle()


def after(*acts: Act) -> Act:
    def act(store: Store) -> None:
        for one in acts:
            one(store)

    return act


def nothing(store: Store) -> None:
    """An empty directory, or none."""


BASE = pulled("base")
SCENARIOS = [
    Scenario("first pull", nothing, BASE),
    Scenario("pull", BASE, pulled("1")),
    Scenario("pull on", after(BASE, cut_off("1")), pulled("1")),
    Scenario("pull again", after(BASE, pulled("1")), pulled("1")),
    Scenario("pull a newer one", after(BASE, pulled("1")), pulled("1", source="2")),
    Scenario("pull one layer twice", after(BASE, pulled("1")), pulled("twice")),
    Scenario("pull sha512", BASE, pulled("sha512")),
    Scenario("pull a second platform", pulled("many", "linux/arm64"), pulled("many")),
    Scenario("load", BASE, loaded(docker_archive("1"))),
    Scenario("load compressed", after(BASE, pulled("1")), loaded(gzip.compress(docker_archive("2"), 1))),
    Scenario("commit", BASE, committed),
    Scenario("commit again", after(BASE, committed), committed),
    Scenario("tag", BASE, tagged("app:base", "app:renamed")),
    Scenario("rm", after(BASE, pulled("1"), pulled("2")), removed("app:1"), repeatable=False),
    Scenario("rm an index", after(BASE, pulled("many")), removed("app:many"), repeatable=False),
    Scenario(
        "rm a platform",
        after(pulled("many", "linux/arm64"), pulled("many")),
        platform_removed,
        repeatable=False,
    ),
    Scenario("prune", after(BASE, cut_off("1"), pulled("other"), pulled("other", source="2")), pruned()),
    Scenario("prune all", after(BASE, pulled("1"), pulled("sha512"), put), pruned(unused=True)),
    Scenario("repair layers", after(BASE, pulled("1"), pulled("many"), _corrupt_tar), repaired),
    Scenario("rebuild", after(BASE, pulled("1"), pulled("twice"), pulled("many"), _lost_database), repaired),
]
