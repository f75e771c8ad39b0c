from __future__ import annotations

import pytest
from tests.store.memory import Memory, brought, layer

from millefeuille.images.tag import tag
from millefeuille.oci.digest import Digest
from millefeuille.oci.reference import InvalidReference, Reference
from millefeuille.store import mirror, names
from millefeuille.store.names import NoSuchImage, NotAName
from millefeuille.store.store import Store


@pytest.fixture
def image(store: Store, memory: Memory) -> Digest:
    """One image, app:1, with two names more."""
    memory.add("1", [layer(1)])
    found = brought(store, memory, "app:1").image
    with store.writing() as tx:
        tag(tx, "app:1", "app")
        tag(tx, "app:1", "host.example:5000/team/app:2")
    return found


def _find(store: Store, text: str) -> Digest:
    with store.reading() as tx:
        return names.find(tx, text).id


@pytest.mark.parametrize(
    "text",
    [
        "app", "app:1", "library/app:1", "docker.io/library/app", "index.docker.io/library/app:1",
        "host.example:5000/team/app:2",
    ],
)  # fmt: skip
def test_by_name(text: str, store: Store, image: Digest) -> None:
    assert _find(store, text) == image


def test_by_id(store: Store, image: Digest) -> None:
    for text in (str(image), image.hex, image.hex[:12], image.hex[:1], f"sha256:{image.hex[:7]}"):
        assert _find(store, text) == image


def test_by_digest(store: Store, memory: Memory, image: Digest) -> None:
    target = memory.tags["1"].digest
    assert _find(store, f"app@{target}") == image
    assert _find(store, f"app:nosuch@{target}") == image
    with pytest.raises(NoSuchImage):
        _find(store, f"other@{target}")


def test_a_name_goes_before_an_id_that_begins_alike(store: Store, memory: Memory, image: Digest) -> None:
    memory.add("2", [layer(2)])
    other = brought(store, memory, "app:2").image
    short = image.hex[:6]
    with store.writing() as tx:
        tag(tx, "app:2", short)
    assert _find(store, short) == other
    assert _find(store, f"sha256:{image.hex[:6]}") == image


def test_an_ambiguous_prefix_is_nobody(store: Store, memory: Memory) -> None:
    firsts: dict[str, int] = {}
    for number in range(20):  # of twenty, two begin with the same of sixteen digits
        memory.add(str(number), [], Labels={"n": str(number)})
        digit = brought(store, memory, f"app:{number}").image.hex[0]
        firsts[digit] = firsts.get(digit, 0) + 1
    digit = next(digit for digit, count in firsts.items() if count > 1)
    with pytest.raises(NoSuchImage):
        _find(store, digit)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nosuch", "No such image: nosuch:latest"),
        ("docker.io/library/nosuch", "No such image: nosuch:latest"),
        ("app:3", "No such image: app:3"),
        ("0" * 64, "No such image: " + "0" * 64),
        ("sha256:" + "0" * 64, "No such image: sha256:" + "0" * 64),
    ],
)
def test_missing(text: str, message: str, store: Store, image: Digest) -> None:
    with pytest.raises(NoSuchImage) as caught:
        _find(store, text)
    assert str(caught.value) == message


@pytest.mark.parametrize("text", ["", "UPPER", "a b", "-x", "a:b:c"])
def test_neither_name_nor_id(text: str, store: Store, image: Digest) -> None:
    with pytest.raises(InvalidReference):
        _find(store, text)


def test_the_time_of_a_tag_is_kept_when_nothing_moves(store: Store, memory: Memory, image: Digest) -> None:
    def tagged() -> int:
        with store.reading() as tx:
            return int(tx.execute("SELECT tagged_ns FROM names WHERE tag = '1'").fetchone()[0])

    before = tagged()
    brought(store, memory, "app:1")
    assert tagged() == before
    memory.add("1", [layer(2)])
    brought(store, memory, "app:1")
    assert tagged() > before


def test_what_is_known_is_not_mirrored_again(store: Store, memory: Memory, image: Digest) -> None:
    def sequence() -> int:
        with store.reading() as tx:
            return mirror.sequence(tx.execute)

    before = sequence()
    brought(store, memory, "app:1")
    brought(store, memory, f"app@{memory.tags['1'].digest}")
    assert sequence() == before
    brought(store, memory, f"other@{memory.tags['1'].digest}")
    assert sequence() == before + 1


def test_a_reference_with_a_digest_is_no_name(store: Store, memory: Memory, image: Digest) -> None:
    target = memory.tags["1"].digest
    for text in (f"app@{target}", f"app:1@{target}"):
        with store.writing() as tx, pytest.raises(NotAName, match="a digest cannot be given"):
            names.assign(tx, Reference.parse(text), target, image, target, "linux/amd64")


def test_the_algorithm_of_digests_is_no_name(store: Store, memory: Memory, image: Digest) -> None:
    """It would hide an image whose ID begins so."""
    target = memory.tags["1"].digest
    for text in (f"sha256:{image.hex[:12]}", "docker.io/library/sha256:1", "index.docker.io/sha256:1"):
        with store.writing() as tx, pytest.raises(NotAName, match="ambiguous tag using digest algorithm"):
            names.assign(tx, Reference.parse(text), target, image, target, "linux/amd64")
    with store.writing() as tx:
        names.assign(tx, Reference.parse("me/sha256:1"), target, image, target, "linux/amd64")
        assert names.find(tx, "me/sha256:1").id == image
