"""A container that is made while another command sweeps: the sweep takes nothing of it away."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.analysis.conftest import write_archive

from millefeuille import files
from millefeuille.containers import records, sweep
from millefeuille.containers.create import Wanted, create
from millefeuille.containers.place import Place
from millefeuille.progress import Silent
from millefeuille.store.images import images
from millefeuille.store.store import Store
from millefeuille.testing import rawtars
from millefeuille.transfer.archive.load import load

ID = "0" * 64


@pytest.fixture
def host(tmp_path: Path) -> Any:
    """A host with a store, in which there is one image; roots are made of nothing."""
    store = Store(str(tmp_path / "store"))
    store.create()
    write_archive(tmp_path / "image.tar", [rawtars.archive(rawtars.file(b"f", b"x"))], ["RUN x"], "one")
    with (tmp_path / "image.tar").open("rb") as file:
        tuple(load(store, file.fileno(), Silent()))
    return SimpleNamespace(
        store=store, place=Place(store.disk.root, str(tmp_path / "run")), volumes=None,
        runtime=SimpleNamespace(limits=True, program="runc"),
        snapshots=SimpleNamespace(prepare=lambda id, chain: (), remove=lambda id: None),
    )  # fmt: skip


def wanted(host: Any, name: str = "", **host_config: str) -> Wanted:
    with host.store.reading() as tx:
        image = next(images(tx)).id
    return Wanted(
        image=image, chain=None, layers=(), platform="linux/amd64", image_config={},
        config={"Cmd": ["true"]}, host_config=host_config, name=name,
    )  # fmt: skip


@contextmanager
def swept(host: Any, number: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Have another command sweep before the operation with this number; the operations that there were."""
    operations: list[str] = []

    def hook(name: str, subject: object) -> None:
        operations.append(f"{name} {subject}")
        if len(operations) == number:
            with monkeypatch.context() as inner:
                inner.setattr(files, "hook", None)
                for id in sweep.abandoned(host.store, host.place):
                    sweep.tidy(host, id)

    with monkeypatch.context() as patch:
        patch.setattr(files, "hook", hook)
        yield operations


def test_a_sweep_takes_away_nothing_of_one_that_is_being_made(
    host: Any, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    with swept(host, 0, monkeypatch) as operations:
        made = [create(host, wanted(host)).id]
    kept = next(number for number, name in enumerate(operations) if "config.json" in name)
    assert kept > 3
    for number in range(1, kept):
        with swept(host, number, monkeypatch):
            made.append(create(host, wanted(host)).id)
    assert sorted(made) == host.place.ids() == sorted(one.id for one in records.every(host.store, host.place))
    assert not any(records.is_alive(host.place, id) for id in made)


def test_what_has_no_lock_yet_is_taken_away_under_its_lock(host: Any) -> None:
    held = []
    host.snapshots.remove = lambda id: held.append(records.is_alive(host.place, id))
    os.makedirs(host.place.directory(ID))
    assert sweep.abandoned(host.store, host.place) == [ID]
    assert sweep.tidy(host, ID)
    assert (held, host.place.ids()) == ([True], [])


def test_what_it_joins_is_kept_by_its_id(host: Any) -> None:
    joined = create(host, wanted(host, "one")).id
    made = create(
        host,
        wanted(host, NetworkMode="container:one", PidMode="container:one", IpcMode=f"container:{joined[:9]}"),
    )
    kept = records.load(host.place, made.id).host_config
    assert {kept[key] for key in ("NetworkMode", "PidMode", "IpcMode")} == {f"container:{joined}"}


def test_a_container_whose_network_it_joins_may_come_later(host: Any) -> None:
    made = create(host, wanted(host, NetworkMode="container:later"))
    assert made.host_config["NetworkMode"] == "container:later"
    for key in ("PidMode", "IpcMode"):
        with pytest.raises(records.NoSuchContainer, match="No such container: later"):
            create(host, wanted(host, **{key: "container:later"}))
