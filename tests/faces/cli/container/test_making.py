"""What `run` and `create` do when their image is removed between two looks."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.store.meanwhile import pruned
from tests.store.memory import Memory, brought, layer

from millefeuille.faces.cli.container import making
from millefeuille.images.remove import remove
from millefeuille.images.users import Nobody
from millefeuille.store.containers import ImageGone
from millefeuille.store.names import NoSuchImage
from millefeuille.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(str(tmp_path / "store"))
    memory = Memory()
    memory.add("1", [layer(1)])
    brought(made, memory, "app:1")
    return made


def made(store: Store, monkeypatch: pytest.MonkeyPatch, meanwhile: Any, **asked: Any) -> Any:
    """What a container is made from; `meanwhile` is done when its image has been found once."""

    def create(host: object, order: Any, *, starting: bool) -> Any:
        meanwhile()
        with store.reading() as tx:
            if tx.execute("SELECT 1 FROM images WHERE id = ?", (str(order.image),)).fetchone() is None:
                raise ImageGone(f"No such image: {order.image}")
        return order

    monkeypatch.setattr(making, "create", create)
    terminal = asked.pop("terminal", None)
    context = SimpleNamespace(settings=SimpleNamespace(platform=""), terminal=terminal)
    wishes = {
        "image": "app:1", "platform": "", "pull": "never", "quiet": True, "config": {}, "host_config": {},
        "networking": {}, "name": "", **asked,
    }  # fmt: skip
    return making.make(context, SimpleNamespace(), store, SimpleNamespace(**wishes))  # type: ignore[arg-type]  # what is needed of them


def test_a_name_that_gets_another_image_meanwhile(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    other = layer(2)
    memory = Memory()
    memory.add("1", [other])

    def replace() -> None:
        brought(store, memory, "app:1")
        pruned(store)

    assert made(store, monkeypatch, replace).layers == (other.diff_id,)


def test_a_name_that_goes_meanwhile(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def removed() -> None:
        with store.writing() as tx:
            remove(tx, "app:1", Nobody())

    with pytest.raises(NoSuchImage, match=r"^No such image: app:1$"):
        made(store, monkeypatch, removed)


def test_an_image_that_is_another_one_at_each_look(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = iter(range(2, 100))

    def replace() -> None:
        memory = Memory()
        memory.add("1", [layer(next(seeds))])
        brought(store, memory, "app:1")
        pruned(store)

    with pytest.raises(ImageGone, match=r"^No such image: sha256:"):
        made(store, monkeypatch, replace)


def test_entries_of_the_environment_that_are_no_variables_are_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, memory, said = Store(str(tmp_path / "other")), Memory(), list[str]()
    memory.add("1", [layer(1)], Env=["PATH=/bin", "NOEQ", "x" * 70])
    brought(store, memory, "app:1")
    terminal = SimpleNamespace(complain=said.append)
    made(store, monkeypatch, lambda: None, terminal=terminal)
    assert said == [
        f'WARNING: the image\'s environment has "{text}", which is not NAME=VALUE: it is left out'
        for text in ("NOEQ", "x" * 60 + "...")
    ]
