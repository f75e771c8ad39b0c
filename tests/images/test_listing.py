from __future__ import annotations

from tests.store.memory import Memory, brought, layer

from millefeuille.images.listing import rows, visible
from millefeuille.images.tag import tag
from millefeuille.store import names
from millefeuille.store.store import Store


def _rows(store: Store, *, digests: bool = False, all: bool = False) -> list[tuple[str, str, bool]]:
    with store.reading() as tx:
        listed = rows(visible(tx, all=all), digests=digests)
        return sorted((row.repository, row.tag, row.digest is not None) for row in listed)


def test_a_row_for_each_tag(store: Store, memory: Memory) -> None:
    memory.add("1", [layer(1)])
    brought(store, memory, "app:1")
    with store.writing() as tx:
        tag(tx, "app:1", "app:2")
        tag(tx, "app:1", "host.example/team/app:1")
    expected = [("app", "1"), ("app", "2"), ("host.example/team/app", "1")]
    assert _rows(store) == [(*row, False) for row in expected]
    with_digest = [("app", "1", True), ("app", "2", True), ("host.example/team/app", "1", False)]
    assert _rows(store, digests=True) == with_digest


def test_images_without_tag(store: Store, memory: Memory) -> None:
    memory.add("1", [layer(1)])
    target = memory.tags["1"]
    image = brought(store, memory, f"app@{target.digest}").image
    assert _rows(store) == [("app", "", False)]
    assert _rows(store, digests=True) == [("app", "", True)]
    with store.writing() as tx:
        tx.execute("DELETE FROM repo_digests WHERE image = ?", (str(image),))
    assert _rows(store, digests=True) == [("", "", False)]


def test_untagged_parents_are_hidden(store: Store, memory: Memory) -> None:
    images = []
    for number in (1, 2):
        memory.add(str(number), [layer(number)])
        images.append(brought(store, memory, f"app:{number}").image)
    with store.writing() as tx:
        names.unassign(tx, "docker.io/library/app:1")
        tx.execute("DELETE FROM repo_digests WHERE image = ?", (str(images[0]),))
        tx.execute("UPDATE images SET parent = ? WHERE id = ?", (str(images[0]), str(images[1])))
    assert _rows(store) == [("app", "2", False)]
    assert _rows(store, all=True) == [("", "", False), ("app", "2", False)]


def test_the_newest_comes_first(store: Store, memory: Memory) -> None:
    for number, year in ((1, 2001), (2, 2020), (3, 1999)):
        memory.add(str(number), [layer(number)])
        brought(store, memory, f"app:{number}")
        with store.writing() as tx:
            tx.execute(
                "UPDATE images SET created_ns = ? WHERE id = (SELECT image FROM names WHERE tag = ?)",
                (year, str(number)),
            )
    with store.reading() as tx:
        assert [image.created_ns for image in visible(tx)] == [2020, 2001, 1999]
