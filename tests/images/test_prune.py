from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import pytest
from tests.store.memory import Memory, Visits, brought, layer
from tests.store.state import state

from millefeuille import files
from millefeuille.images import listing
from millefeuille.images.prune import Pruned, prune
from millefeuille.images.remove import remove
from millefeuille.images.tag import tag
from millefeuille.images.trees import trees
from millefeuille.images.users import Nobody, User
from millefeuille.oci.digest import Digest
from millefeuille.oci.mediatype import OCI_INDEX
from millefeuille.store import leases, names, removal, transaction
from millefeuille.store.blobs import Blobs
from millefeuille.store.images import ImageRecord
from millefeuille.store.store import Store
from millefeuille.store.transaction import Transaction


class UsedBy:
    """One image has a stopped container."""

    def __init__(self, image: Digest) -> None:
        self._image = image

    def users(self, tx: Transaction, image: Digest) -> Sequence[User]:
        return [User(id="c" * 64, running=False)] if image == self._image else []


@pytest.fixture
def images(store: Store, memory: Memory) -> dict[str, Digest]:
    """Tagged, moved (dangling, with a digest), bare (dangling, without), base and derived (its child)."""
    for number, name in enumerate(("tagged", "moved", "bare", "base"), 1):
        memory.add(name, [layer(number)])
    memory.add("derived", [layer(4), layer(5)])
    found = {
        name: brought(store, memory, f"app:{name}").image
        for name in ("tagged", "moved", "bare", "base", "derived")
    }
    with store.writing() as tx:
        tag(tx, "app:tagged", "app:moved")
        for name in ("bare", "base"):
            names.unassign(tx, f"docker.io/library/app:{name}")
            tx.execute("DELETE FROM repo_digests WHERE image = ?", (str(found[name]),))
        query = "UPDATE images SET parent = ? WHERE id = ?"
        tx.execute(query, (str(found["base"]), str(found["derived"])))
    return found


def _pruned(store: Store, pruned: Pruned, images: dict[str, Digest]) -> set[str]:
    """The names of the images that went; the store holds the others."""
    gone = {act.deleted for act in pruned.acts if act.deleted}
    with store.reading() as tx:
        left = {row[0] for row in tx.execute("SELECT id FROM images")}
    assert left == {str(image) for image in images.values()} - gone
    return {name for name, image in images.items() if str(image) in gone}


def test_dangling_images_go(store: Store, images: dict[str, Digest]) -> None:
    pruned = prune(store, Nobody(), lambda image: True)
    assert _pruned(store, pruned, images) == {"moved", "bare"}
    assert {candidate.reason for candidate in pruned.candidates} == {"dangling"}
    assert pruned.reclaimed == 2002 + 2003


def test_unused_images_go_with_their_parents(store: Store, images: dict[str, Digest]) -> None:
    pruned = prune(store, Nobody(), lambda image: True, unused=True)
    assert _pruned(store, pruned, images) == set(images)
    assert store.disk.root and not list(store.blobs)


def test_all_platforms_of_a_name_go(store: Store, memory: Memory) -> None:
    amd64 = memory.add("amd64", [layer(1)])
    arm64 = memory.add("arm64", [layer(2)], architecture="arm64")
    memory.add_index("many", {"amd64": amd64, "arm64": arm64})
    for platform in ("linux/arm64", "linux/amd64"):
        brought(store, memory, "app:many", platform)
    with store.writing() as tx:  # as a load leaves them: without repository digests
        tx.execute("DELETE FROM repo_digests")
        tx.changed_names = True
    pruned = prune(store, Nobody(), lambda image: image.platform == "linux/amd64", unused=True)
    assert [candidate.image.platform for candidate in pruned.candidates] == ["linux/amd64"]
    with store.reading() as tx:
        assert names.find(tx, "app:many").platform == "linux/arm64"
    assert prune(store, Nobody(), lambda image: True, unused=True).acts[0].untagged == "app:many"
    assert not list(store.blobs)


def test_an_index_within_an_index_stays_and_goes_with_it(store: Store, memory: Memory) -> None:
    inner = memory.add_index("inner", {"amd64": memory.add("amd64", [layer(1)])})
    outer = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [inner.to_json()]}
    memory.document("outer", OCI_INDEX, json.dumps(outer).encode())
    memory.add("other", [layer(2)])
    for name in ("outer", "other"):
        brought(store, memory, f"app:{name}")
    with store.writing() as tx:
        remove(tx, "app:other", Nobody())
    prune(store, Nobody(), lambda image: True)
    assert inner.digest in store.blobs
    with store.reading() as tx:
        [tree] = trees(tx, store.blobs, listing.visible(tx), Nobody())
    assert [(variant.platform, variant.here) for variant in tree.variants] == [("linux/amd64", True)]
    prune(store, Nobody(), lambda image: True, unused=True)
    assert not list(store.blobs)


def test_the_tree_of_indexes_listed_many_times_over(
    store: Store, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.add_wide("wide")
    brought(store, memory, "app:wide")
    visits = Visits(monkeypatch)
    with store.reading() as tx:
        [tree] = trees(tx, store.blobs, listing.visible(tx), Nobody())
    assert [(variant.platform, variant.here) for variant in tree.variants] == [("linux/amd64", True)]
    assert visits.count == 3


def test_used_images_stay(store: Store, images: dict[str, Digest]) -> None:
    pruned = prune(store, UsedBy(images["bare"]), lambda image: True, unused=True)
    assert _pruned(store, pruned, images) == {"tagged", "moved", "base", "derived"}


def test_filtered_images_stay(store: Store, images: dict[str, Digest]) -> None:
    pruned = prune(store, Nobody(), lambda image: image.id == images["moved"])
    assert _pruned(store, pruned, images) == {"moved"}


def test_a_dry_run_says_the_same_and_changes_nothing(store: Store, images: dict[str, Digest]) -> None:
    Path(f"{store.disk.ingest}/sha256-{'0' * 64}").write_bytes(b"x" * 5000)
    before = state(store)
    rehearsed = prune(store, Nobody(), lambda image: True, dry_run=True)
    assert state(store) == before
    assert rehearsed.orphans >= 5000
    assert prune(store, Nobody(), lambda image: True) == rehearsed


def test_a_dry_run_only_looks(
    store: Store, images: dict[str, Digest], monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = store.disk
    with monkeypatch.context() as patch, store.writing() as tx:
        removal.remove_image(tx, images["tagged"])
        promised = [*tx.doomed]
        # A removal that is cut off: the rows are there, and so are the files.
        patch.setattr(transaction, "_throw_away", lambda disk, paths: [])
    assert promised and all(Path(path).exists() for path in promised)
    for path in (f"{disk.leases}/dead", f"{disk.ingest}/sha256-{'0' * 64}"):
        Path(path).write_bytes(b"x" * 5000)
    os.unlink(disk.lock)
    acts: list[str] = []
    monkeypatch.setattr(files, "hook", lambda act, subject: acts.append(act))
    rehearsed = [prune(store, Nobody(), lambda image: True, unused=u, dry_run=True) for u in (True, False)]
    assert set(acts) == {"flock"}
    monkeypatch.undo()
    assert not os.path.exists(disk.lock)
    assert os.listdir(disk.leases) == ["dead"]
    assert prune(store, Nobody(), lambda image: True) == rehearsed[1]


def test_a_dry_run_keeps_nobody_waiting(store: Store, images: dict[str, Digest]) -> None:
    def meanwhile(image: ImageRecord) -> bool:
        with store.writing() as tx:
            tag(tx, str(images["base"]), "app:meanwhile")
        return True

    with store.writing():
        assert prune(store, Nobody(), lambda image: True, dry_run=True).candidates
    pruned = prune(store, Nobody(), meanwhile, dry_run=True)
    assert {candidate.image.id for candidate in pruned.candidates} == {images["moved"], images["bare"]}


def test_what_comes_amid_a_dry_run_has_an_owner(
    store: Store, memory: Memory, images: dict[str, Digest]
) -> None:
    memory.add("late", [layer(9)])

    def meanwhile(image: ImageRecord) -> bool:
        if "late" in memory.tags:
            brought(store, memory, "app:late")
            del memory.tags["late"]
        return True

    assert prune(store, Nobody(), meanwhile, dry_run=True).orphans == 0
    assert "late" not in memory.tags


def test_ownerless_files_go(store: Store, images: dict[str, Digest]) -> None:
    disk = store.disk
    left = [
        f"{disk.root}/blobs/sha256/{'0' * 64}", f"{disk.root}/blobs/sha512/{'0' * 128}",
        f"{disk.root}/blobs/sha256/{'0' * 64}.tmp-1", f"{disk.trash}/x", f"{disk.ingest}/y",
        f"{disk.chains}/{'0' * 64}.erofs", f"{disk.root}/index.json.tmp-7", f"{disk.layers}/{'0' * 64}",
        f"{disk.layer(layer(1).diff_id)}/from-sha256-{'0' * 64}", f"{disk.leases}/dead",
    ]  # fmt: skip
    for path in left:
        Path(path).write_bytes(b"x")
    stranger = Path(f"{disk.root}/notes.txt")
    stranger.write_text("not ours to judge")
    assert prune(store, Nobody(), lambda image: False).orphans > 0
    assert not [path for path in left if Path(path).exists()]
    assert stranger.exists()


def test_nothing_ownerless_goes_while_a_command_is_at_work(store: Store, images: dict[str, Digest]) -> None:
    coming = Path(f"{store.disk.ingest}/sha256-{'0' * 64}")
    coming.write_bytes(b"half")
    with leases.lease(store.disk, "test"):
        assert prune(store, Nobody(), lambda image: True).orphans == 0
        assert coming.exists()
    assert prune(store, Nobody(), lambda image: True).orphans > 0
    assert not coming.exists()


def test_a_lease_the_database_does_not_know_counts(store: Store, images: dict[str, Digest]) -> None:
    coming = Path(f"{store.disk.ingest}/sha256-{'0' * 64}")
    coming.write_bytes(b"half")
    with leases.lease(store.disk, "test"):
        with store.writing() as tx:
            tx.execute("DELETE FROM leases")
        prune(store, Nobody(), lambda image: True)
        assert coming.exists()


@pytest.mark.parametrize("is_busy", [False, True])
def test_indexes_are_read_once_for_all_images_that_go(
    is_busy: bool, store: Store, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 12
    for number in range(count):
        image = memory.add(f"amd64-{number}", [layer(number)])
        memory.add_index(f"many-{number}", {"amd64": image})
        brought(store, memory, f"app:many-{number}")
    read: list[Digest] = []
    true = Blobs.read
    monkeypatch.setattr(
        Blobs, "read", lambda blobs, digest, *more: read.append(digest) or true(blobs, digest, *more)
    )
    with leases.lease(store.disk, "test") if is_busy else nullcontext():
        pruned = prune(store, Nobody(), lambda image: True, unused=True)
    assert len(pruned.candidates) == count
    assert len(read) <= count
    assert not list(store.blobs)
    with store.reading() as tx:
        assert tx.execute("SELECT count(*) FROM indexes").fetchone() == (0,)
