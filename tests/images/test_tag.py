from __future__ import annotations

import pytest
from tests.store.memory import Memory, brought, layer

from millefeuille.errors import Invalid
from millefeuille.images.tag import tag
from millefeuille.store import mirror, names
from millefeuille.store.names import NoSuchImage
from millefeuille.store.store import Store


@pytest.fixture
def many(store: Store, memory: Memory) -> Memory:
    """A name with two platforms, amd64 chosen last."""
    amd64 = memory.add("amd64", [layer(1)])
    arm64 = memory.add("arm64", [layer(2)], architecture="arm64")
    memory.add_index("many", {"amd64": amd64, "arm64": arm64})
    for platform in ("linux/arm64", "linux/amd64"):
        brought(store, memory, "app:many", platform)
    return memory


def _rows(store: Store, table: str, name: str) -> list[tuple[str, ...]]:
    with store.reading() as tx:
        columns = "target, image" if table == "names" else "platform, manifest, image"
        rows = tx.execute(f"SELECT {columns} FROM {table} WHERE name = ? ORDER BY 1", (name,))
        return rows.fetchall()


def test_a_tag_takes_all_platforms(store: Store, many: Memory) -> None:
    with store.writing() as tx:
        tag(tx, "app:many", "mine")
    for table in ("names", "name_platforms"):
        held = _rows(store, table, "docker.io/library/mine:latest")
        assert held == _rows(store, table, "docker.io/library/app:many") != []


def test_a_tag_by_id_takes_one(store: Store, many: Memory) -> None:
    with store.writing() as tx:
        image = names.find(tx, "app:many")
        tag(tx, image.id.hex[:8], "mine:1")
    assert _rows(store, "names", "docker.io/library/mine:1") == [(str(image.manifest), str(image.id))]
    assert len(_rows(store, "name_platforms", "docker.io/library/mine:1")) == 1


def test_a_tag_by_digest(store: Store, many: Memory) -> None:
    with store.writing() as tx:
        tag(tx, f"app@{many.tags['many'].digest}", "mine:1")
        assert names.find(tx, "mine:1").id == names.find(tx, "app:many").id


@pytest.mark.parametrize("source", ["app:many", "app:arm64", "ID"])
def test_a_tag_that_is_there_changes_nothing(source: str, store: Store, many: Memory) -> None:
    image = brought(store, many, "app:arm64", "linux/arm64").image

    def again() -> tuple[object, ...]:
        with store.writing() as tx:
            tag(tx, str(image) if source == "ID" else source, "mine")
            assert names.find(tx, "mine").id == (image if source != "app:many" else names.find(tx, source).id)
        with store.reading() as tx:
            rows = tx.execute("SELECT * FROM names ORDER BY name").fetchall()
            return mirror.sequence(tx.execute), *rows, *_rows(store, "name_platforms", "mine")

    assert again() == again()


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("a@sha256:" + "0" * 64, "refusing to create a tag with a digest reference"),
        ("sha256:1", "refusing to create an ambiguous tag using digest algorithm as name"),
        ("UPPER", "invalid reference format: repository name (library/UPPER) must be lowercase"),
    ],
)
def test_refused(target: str, message: str, store: Store, many: Memory) -> None:
    with pytest.raises(Invalid) as caught, store.writing() as tx:
        tag(tx, "app:many", target)
    assert str(caught.value) == message


def test_missing(store: Store, many: Memory) -> None:
    with pytest.raises(NoSuchImage, match=r"^No such image: nosuch:latest$"), store.writing() as tx:
        tag(tx, "nosuch", "mine")
