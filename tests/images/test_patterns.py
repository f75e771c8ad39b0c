from __future__ import annotations

import pytest
from tests.store.memory import Memory, brought, layer

from millefeuille.images.patterns import expand
from millefeuille.images.tag import tag
from millefeuille.store.names import NoSuchImage
from millefeuille.store.store import Store

NAMES = ["app:1", "app:1.2", "app:latest", "team/app:1", "host.example:5000/app:1"]


@pytest.fixture
def named(store: Store, memory: Memory) -> Store:
    """One image with all the names."""
    memory.add("1", [layer(1)])
    brought(store, memory, "app:1")
    with store.writing() as tx:
        for name in NAMES:
            tag(tx, "app:1", name)
    return store


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("app:*", ["app:1", "app:1.2", "app:latest"]),
        ("app:1*", ["app:1", "app:1.2"]),
        ("app:?", ["app:1"]),
        ("app:[0-9]", ["app:1"]),
        ("*", NAMES),
        ("*:1", ["app:1", "team/app:1", "host.example:5000/app:1"]),
        ("team/*", ["team/app:1"]),
        ("docker.io/*/app:1", ["app:1", "team/app:1"]),
        ("host.example*", ["host.example:5000/app:1"]),
    ],
)
def test_matches(pattern: str, matches: list[str], named: Store) -> None:
    full = {"app": "docker.io/library/app", "team/app": "docker.io/team/app"}
    expected = {f"{full.get(name.rpartition(':')[0], name.rpartition(':')[0])}:{name.rpartition(':')[2]}"
                for name in matches}  # fmt: skip
    with named.reading() as tx:
        assert set(expand(tx, pattern)) == expected


def test_a_plain_name_is_itself(named: Store) -> None:
    with named.reading() as tx:
        for name in ("nosuch:1", "[::1]:5000/app:1"):
            assert expand(tx, name) == (name,)


@pytest.mark.parametrize("pattern", ["zzz*", "APP:*", "app:\\*"])
def test_no_match(pattern: str, named: Store) -> None:
    with named.reading() as tx, pytest.raises(NoSuchImage) as caught:
        expand(tx, pattern)
    assert str(caught.value) == f"No such image: {pattern}"
