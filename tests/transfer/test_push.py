from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.store.meanwhile import before_lease, pruned
from tests.store.memory import Layer, Memory, Visits, brought, layer

from millefeuille.images.remove import remove
from millefeuille.images.users import Nobody
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.mediatype import OCI_INDEX
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import Reference
from millefeuille.progress import Event, Finished, LayerAdvanced, LayerDone, LayerFound, Silent, Warned
from millefeuille.store import names
from millefeuille.store.blobs import CorruptBlob
from millefeuille.store.store import Store
from millefeuille.transfer.outgoing import Outgoing
from millefeuille.transfer.push import NothingToPush, push
from millefeuille.transfer.source import Opener


@dataclass
class Target:
    """A repository in memory; `elsewhere` holds blobs of other repositories of the same registry."""

    blobs: dict[Digest, bytes] = field(default_factory=dict)
    elsewhere: dict[str, set[Digest]] = field(default_factory=dict)
    manifests: list[tuple[Digest, bytes, str | None]] = field(default_factory=list)
    uploads: list[Digest] = field(default_factory=list)

    def __contains__(self, digest: Digest) -> bool:
        return digest in self.blobs

    def mount(self, digest: Digest, from_repository: str) -> bool:
        if digest not in self.elsewhere.get(from_repository, ()):
            return False
        self.blobs[digest] = b""
        return True

    def upload(self, blob: Descriptor, source: Opener) -> None:
        reader = source(0)
        data = bytearray()
        while chunk := reader.read(700):
            data += chunk
        reader.close()
        self.uploads.append(blob.digest)
        self.blobs[blob.digest] = bytes(data)

    def put_manifest(self, manifest: Descriptor, raw: bytes, tag: str | None = None) -> None:
        self.manifests.append((manifest.digest, raw, tag))


@dataclass
class Told:
    """What was reported."""

    events: list[Event] = field(default_factory=list)

    def report(self, event: Event) -> None:
        self.events.append(event)


REFERENCE = Reference.parse("localhost:5000/team/app:1")


def _tag(store: Store, source: str, target: Reference) -> None:
    with store.writing() as tx:
        held = names.target(tx, Reference.parse(source))
        assert held is not None
        digest, image = held
        row = tx.execute(
            "SELECT manifest, platform FROM name_platforms WHERE name = ? AND image = ?",
            (str(Reference.parse(source)), str(image)),
        ).fetchone()
        names.assign(tx, target, digest, image, Digest.parse(row[0]), row[1])


def _pulled(store: Store, memory: Memory, layers: list[Layer]) -> Descriptor:
    target = memory.add("1", layers)
    brought(store, memory, "app:1")
    _tag(store, "docker.io/library/app:1", REFERENCE)
    return target


def test_every_byte_arrives_as_it_was_stored(store: Store, memory: Memory) -> None:
    layers = [layer(1), layer(2)]
    target = _pulled(store, memory, layers)
    there, told = Target(), Told()
    assert push(store, there, REFERENCE, told) == target.digest
    for one in layers:
        assert there.blobs[one.descriptor().digest] == one.blob
    assert there.manifests == [(target.digest, memory.manifests[target.digest][1], "1")]
    # Docker names layers by diff ID, the top one first.
    found = [event.digest for event in told.events if isinstance(event, LayerFound)]
    assert found == [layers[1].diff_id, layers[0].diff_id]
    assert {event.outcome for event in told.events if isinstance(event, LayerDone)} == {"pushed"}
    assert told.events[-1] == Finished(digest=target.digest, size=target.size, status="")
    moved = [event for event in told.events if isinstance(event, LayerAdvanced)]
    assert max(event.current for event in moved) == max(len(one.blob) for one in layers)


def test_what_is_there_is_not_sent_again(store: Store, memory: Memory) -> None:
    _pulled(store, memory, [layer(1), layer(2)])
    there = Target()
    push(store, there, REFERENCE, Silent())
    there.uploads.clear()
    told = Told()
    push(store, there, REFERENCE, told)
    assert there.uploads == []
    assert {event.outcome for event in told.events if isinstance(event, LayerDone)} == {"exists"}


def test_a_layer_of_another_repository_is_mounted(store: Store, memory: Memory) -> None:
    one = layer(1)
    _pulled(store, memory, [one])
    push(store, Target(), REFERENCE, Silent())  # the store knows now that team/app has the layer
    other = Reference.parse("localhost:5000/team/other:2")
    _tag(store, str(REFERENCE), other)
    there, told = Target(elsewhere={"team/app": {one.descriptor().digest}}), Told()
    push(store, there, other, told)
    done = [event for event in told.events if isinstance(event, LayerDone)]
    assert [(event.outcome, event.source) for event in done] == [("mounted", "team/app")]
    assert one.descriptor().digest not in there.uploads


def test_a_repository_of_another_registry_is_no_source(store: Store, memory: Memory) -> None:
    one = layer(1)
    _pulled(store, memory, [one])  # from docker.io
    there = Target(elsewhere={"library/app": {one.descriptor().digest}})
    push(store, there, REFERENCE, Silent())
    assert one.descriptor().digest in there.uploads


def test_the_name_is_remembered_with_its_digest(store: Store, memory: Memory) -> None:
    target = _pulled(store, memory, [layer(1)])
    push(store, Target(), REFERENCE, Silent())
    with store.reading() as tx:
        image = names.find(tx, str(REFERENCE))
    assert ("localhost:5000/team/app", target.digest) in image.digests


def test_a_damaged_layer_never_completes(store: Store, memory: Memory) -> None:
    one = layer(1)
    _pulled(store, memory, [one])
    path = Path(store.disk.blob(one.descriptor().digest))
    os.chmod(path, 0o600)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    there = Target()
    with pytest.raises(CorruptBlob, match="does not match its digest"):
        push(store, there, REFERENCE, Silent())
    assert one.descriptor().digest not in there.uploads
    assert there.manifests == []


def test_a_sparse_index_goes_as_the_one_image_that_is_here(store: Store, memory: Memory) -> None:
    here = memory.add("amd", [layer(1)])
    away = memory.add("arm", [layer(2)], architecture="arm64")
    memory.add_index("1", {"amd64": here, "arm64": away})
    brought(store, memory, "app:1", platform="linux/amd64")
    _tag(store, "docker.io/library/app:1", REFERENCE)
    there, told = Target(), Told()
    assert push(store, there, REFERENCE, told) == here.digest
    assert [(digest, tag) for digest, _, tag in there.manifests] == [(here.digest, "1")]
    assert any(isinstance(event, Warned) for event in told.events)


@pytest.mark.parametrize("platform", [None, Platform.parse("linux/amd64")])
def test_a_sparse_index_within_another(platform: Platform | None, store: Store, memory: Memory) -> None:
    here = memory.add("amd", [layer(1)])
    away = memory.add("arm", [layer(2)], architecture="arm64")
    inner = memory.add_index("inner", {"amd64": here, "arm64": away})
    outer = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [inner.to_json()]}
    memory.document("1", OCI_INDEX, json.dumps(outer).encode())
    brought(store, memory, "app:1", platform="linux/amd64")
    _tag(store, "docker.io/library/app:1", REFERENCE)
    there = Target()
    assert push(store, there, REFERENCE, Silent(), platform=platform) == here.digest
    assert [(digest, tag) for digest, _, tag in there.manifests] == [(here.digest, "1")]


def test_a_whole_index_goes_children_first(store: Store, memory: Memory) -> None:
    here = memory.add("amd", [layer(1)])
    away = memory.add("arm", [layer(2)], architecture="arm64")
    index = memory.add_index("1", {"amd64": here, "arm64": away})
    for platform in ("linux/amd64", "linux/arm64"):
        brought(store, memory, "app:1", platform=platform)
    _tag(store, "docker.io/library/app:1", REFERENCE)
    there = Target()
    assert push(store, there, REFERENCE, Silent()) == index.digest
    assert [(digest, tag) for digest, _, tag in there.manifests] == [
        (here.digest, None), (away.digest, None), (index.digest, "1"),
    ]  # fmt: skip


def test_indexes_listed_many_times_over_go_once(
    store: Store, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = memory.add_wide("1")
    brought(store, memory, "app:1")
    _tag(store, "docker.io/library/app:1", REFERENCE)
    there, visits = Target(), Visits(monkeypatch)
    push(store, there, REFERENCE, Silent())
    assert [digest for digest, _, _ in there.manifests] == [document.digest for document in documents]
    assert visits.count < 20


def test_one_platform_of_two_is_remembered_as_that_one(store: Store, memory: Memory) -> None:
    amd64 = memory.add("amd", [layer(1)])
    arm64 = memory.add("arm", [layer(2)], architecture="arm64")
    memory.add_index("1", {"amd64": amd64, "arm64": arm64})
    brought(store, memory, "app:1", platform="linux/arm64")
    _tag(store, "docker.io/library/app:1", REFERENCE)
    with pytest.raises(NothingToPush, match=r"does not provide the specified platform \(linux/amd64\)"):
        push(store, Target(), REFERENCE, Silent(), platform=Platform.parse("linux/amd64"))
    brought(store, memory, "app:1", platform="linux/amd64")
    _tag(store, "docker.io/library/app:1", REFERENCE)
    assert push(store, Target(), REFERENCE, Silent(), platform=Platform.parse("linux/arm64")) == arm64.digest
    with store.reading() as tx:
        assert names.find(tx, f"{REFERENCE.name}@{arm64.digest}").platform == "linux/arm64"


def test_nothing_to_push(store: Store, memory: Memory) -> None:
    _pulled(store, memory, [layer(1)])
    with pytest.raises(NothingToPush, match="tag does not exist: localhost:5000/team/app:2"):
        push(store, Target(), REFERENCE.with_tag("2"), Silent())
    with pytest.raises(NothingToPush, match="does not match the specified platform"):
        push(store, Target(), REFERENCE, Silent(), platform=Platform.parse("linux/arm64"))


def test_a_blob_read_from_its_middle_is_not_judged(store: Store, memory: Memory) -> None:
    one = layer(1)
    _pulled(store, memory, [one])
    outgoing = Outgoing(store.blobs, one.descriptor(), None, Silent())
    assert outgoing.open(0).read(100) == one.blob[:100]
    assert outgoing.open(50).read(1 << 20) == one.blob[50:]
    assert outgoing.read(10) == b""
    outgoing.close()


def test_a_name_that_gets_another_image_meanwhile(
    store: Store, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    _pulled(store, memory, [layer(1), layer(2)])
    others: list[Descriptor] = []

    def replace() -> None:
        others.append(_pulled(store, memory, [layer(3), layer(4)]))
        pruned(store)

    before_lease(monkeypatch, replace)
    target = Target()
    assert push(store, target, REFERENCE, Silent()) == others[0].digest
    assert [digest for digest, _, _ in target.manifests] == [others[0].digest]


def test_a_name_that_goes_meanwhile(store: Store, memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    _pulled(store, memory, [layer(1)])

    def removed() -> None:
        with store.writing() as tx:
            remove(tx, str(REFERENCE), Nobody())

    before_lease(monkeypatch, removed)
    with pytest.raises(NothingToPush, match=r"^tag does not exist: localhost:5000/team/app:1$"):
        push(store, Target(), REFERENCE, Silent())
