from __future__ import annotations

import os

import pytest
from tests.store.memory import Memory, brought, layer

from millefeuille.images.content import PlatformMissing, config_of, find_platform
from millefeuille.images.lineage import lineage
from millefeuille.oci.platform import Platform
from millefeuille.store.blobs import BlobNotFound
from millefeuille.store.names import find, unassign
from millefeuille.store.store import Store


@pytest.fixture
def many(store: Store, memory: Memory) -> Store:
    """app:many for arm64 and, chosen last, amd64."""
    amd64 = memory.add("amd64", [layer(1)], Labels={"for": "amd64"})
    arm64 = memory.add("arm64", [layer(2)], architecture="arm64", Labels={"for": "arm64"})
    memory.add_index("many", {"amd64": amd64, "arm64": arm64})
    for platform in ("linux/arm64", "linux/amd64"):
        brought(store, memory, "app:many", platform)
    return store


@pytest.mark.parametrize(
    ("platform", "held"),
    [("", "amd64"), ("linux/amd64", "amd64"), ("linux/arm64", "arm64"), ("linux/arm64/v8", "arm64")],
)
def test_platforms(platform: str, held: str, many: Store) -> None:
    with many.reading() as tx:
        image = find_platform(tx, "app:many", Platform.parse(platform) if platform else None)
    assert image.labels == {"for": held}
    assert config_of(many.blobs, image).labels == {"for": held}


@pytest.mark.parametrize("named", [True, False])
def test_platforms_of_a_digest(named: bool, many: Store, memory: Memory) -> None:
    digest = memory.tags["many"].digest
    with many.writing() as tx:
        chosen = find(tx, "app:many").id
        if not named:
            unassign(tx, "docker.io/library/app:many")
        for text in (f"app@{digest}", f"app:1@{digest}"):
            assert find_platform(tx, text, None).id == chosen
            for architecture in ("amd64", "arm64"):
                found = find_platform(tx, text, Platform.parse(f"linux/{architecture}"))
                assert found.labels == {"for": architecture}


def test_a_platform_that_is_not_here(many: Store) -> None:
    with many.reading() as tx, pytest.raises(PlatformMissing) as caught:
        find_platform(tx, "app:many", Platform.parse("linux/s390x"))
    assert str(caught.value) == (
        "image with reference app:many was found but its platform (linux/amd64) "
        "does not match the specified platform (linux/s390x)"
    )


def test_an_id_is_of_one_platform(many: Store) -> None:
    with many.reading() as tx:
        image = find(tx, "app:many")
        with pytest.raises(PlatformMissing):
            find_platform(tx, str(image.id), Platform.parse("linux/arm64"))


def test_a_config_that_is_lost(many: Store) -> None:
    with many.reading() as tx:
        image = find(tx, "app:many")
    os.unlink(many.disk.blob(image.id))
    with pytest.raises(BlobNotFound):
        config_of(many.blobs, image)


def test_lineage_ends(store: Store, memory: Memory) -> None:
    images = []
    for number in (1, 2, 3):
        memory.add(str(number), [layer(number)])
        images.append(str(brought(store, memory, f"app:{number}").image))
    with store.writing() as tx:
        for child, parent in ((2, 1), (1, 0), (0, 2)):  # a circle
            tx.execute("UPDATE images SET parent = ? WHERE id = ?", (images[parent], images[child]))
        found = [str(image.id) for image in lineage(tx, find(tx, "app:3"))]
        assert found == [images[2], images[1], images[0]]
        tx.execute("UPDATE images SET parent = ? WHERE id = ?", ("sha256:" + "0" * 64, images[1]))
        assert len(list(lineage(tx, find(tx, "app:3")))) == 2
