"""A finished build is an image of the store, described as BuildKit describes one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.build.outputs.states import MADE, dockerfile_steps, file, state, stored
from tests.store.memory import Memory, brought, layer

from millefeuille import files
from millefeuille.build.outputs.blobs import MissingLayer
from millefeuille.build.outputs.config import described
from millefeuille.build.outputs.finished import Finished, Step
from millefeuille.build.outputs.image import finish
from millefeuille.build.outputs.product import Shape, assemble
from millefeuille.oci import mediatype
from millefeuille.oci.config import InvalidConfig
from millefeuille.oci.digest import Digest
from millefeuille.oci.reference import Reference
from millefeuille.store import images, leases, names
from millefeuille.store.check import check
from millefeuille.store.leases import Lease
from millefeuille.store.store import Store

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def config_of(finished: Finished) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(described(finished).raw)
    return found


def manifest_of(store: Store, finished: Finished, lease: Lease) -> Digest:
    return assemble(store, [finished], Shape(), lease).target.digest


def test_image_has_its_names_layers_and_config(store: Store, lease: Lease) -> None:
    layers = [stored(store, lease, [file("a")]), stored(store, lease, [file("b", b"yy")])]
    wanted = [Reference.parse(name).tagged() for name in ("app:1", "localhost:5000/app")]
    made = finish(store, state(layers), wanted, lease)
    with store.reading() as tx:
        image = names.find(tx, "app:1")
        assert image.id == made.image and image.manifest == made.manifest
        assert image.tags == ("docker.io/library/app:1", "localhost:5000/app:latest")
        assert images.layers_of(tx, made.image) == tuple(layers)
    assert image.platform == "linux/amd64"
    assert check(store, data=True).problems == ()


def test_image_survives_the_end_of_the_build(store: Store) -> None:
    with leases.lease(store.disk, "build") as held:
        made = finish(store, state([stored(store, held, [file("a")])]), [], held)
    with store.writing() as tx:
        leases.sweep(tx)
    assert check(store, data=True).problems == () and check(store).orphans == 0
    assert made.image in store.blobs


def test_same_build_again_writes_nothing(
    store: Store, lease: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    built, name = state([stored(store, lease, [file("a")])]), Reference.parse("app:1")
    made = finish(store, built, [name], lease)
    acts: list[str] = []
    monkeypatch.setattr(files, "hook", lambda act, subject: acts.append(act))
    assert finish(store, built, [name], lease) == made and acts == []
    monkeypatch.setattr(files, "hook", None)
    other = Reference.parse("app:2")
    finish(store, built, [name, other], lease)
    with store.reading() as tx:
        assert names.find(tx, "app:2").id == made.image


def test_config_is_written_in_one_order(store: Store, lease: Lease) -> None:
    record = stored(store, lease, [file("a")])
    one = {"Labels": {"b": "1", "a": "2"}, "Cmd": ["x"], "Volumes": {"/b": {}, "/a": {}}}
    two = {"Volumes": {"/a": {}, "/b": {}}, "Cmd": ["x"], "Labels": {"a": "2", "b": "1"}}
    first, second = (described(state([record], process=process)) for process in (one, two))
    assert first.raw == second.raw


def test_path_is_added_where_there_is_none(store: Store) -> None:
    assert config_of(state([], process={"Env": ["A=1"]}))["config"]["Env"] == ["A=1", PATH]
    assert config_of(state([], process={"Env": ["PATH=/x"]}))["config"]["Env"] == ["PATH=/x"]


def test_steps_without_layers_take_the_time_beside_them(store: Store, lease: Lease) -> None:
    record = stored(store, lease, [file("a")])
    steps = (*dockerfile_steps(["ENV A=1"]), Step(created_by="COPY a / # buildkit", created=MADE),
             *dockerfile_steps(["CMD [\"a\"]"]))  # fmt: skip
    config = config_of(state([record], steps=steps))
    assert config["history"] == [
        {"created": "2023-11-14T22:13:20Z", "created_by": "ENV A=1", "comment": "buildkit.dockerfile.v0",
         "empty_layer": True},
        {"created": "2023-11-14T22:13:20Z", "created_by": "COPY a / # buildkit",
         "comment": "buildkit.dockerfile.v0"},
        {"created": "2023-11-14T22:13:20Z", "created_by": 'CMD ["a"]', "comment": "buildkit.dockerfile.v0",
         "empty_layer": True},
    ]  # fmt: skip
    assert config["created"] == "2023-11-14T22:13:20Z"


def test_epoch_is_the_time_of_all_new_steps_alone(store: Store, lease: Lease) -> None:
    base, top = stored(store, lease, [file("a")]), stored(store, lease, [file("b")])
    old = {"created": "2020-01-01T00:00:00Z", "created_by": "ADD rootfs", "comment": "debuerreotype"}
    finished = state(
        [base, top], base={"created": "2020-01-01T00:00:00Z", "history": [old]}, base_layers=1, epoch=1000,
        steps=(*dockerfile_steps(["ENV A=1"]), Step(created_by="RUN x # buildkit", created=MADE)),
    )  # fmt: skip
    config = config_of(finished)
    assert config["history"][0] == old
    assert {entry["created"] for entry in config["history"][1:]} == {"1970-01-01T00:16:40Z"}
    assert config["created"] == "1970-01-01T00:16:40Z"


def test_base_without_history_gets_an_entry_for_each_layer(store: Store, lease: Lease) -> None:
    records = [stored(store, lease, [file(name)]) for name in "abc"]
    steps = (Step(created_by="COPY c / # buildkit", created=MADE),)
    config = config_of(state(records, base_layers=2, steps=steps))
    comments = [entry["comment"] for entry in config["history"]]
    assert comments == ["buildkit.exporter.image.v0"] * 2 + ["buildkit.dockerfile.v0"]


def test_base_that_tells_of_more_layers_than_it_has_is_not_believed(store: Store, lease: Lease) -> None:
    record = stored(store, lease, [file("a")])
    told = [{"created_by": text} for text in ("one", "two", "three")]
    config = config_of(state([record], base_layers=1, base={"history": told}, steps=()))
    assert [bool(entry.get("empty_layer")) for entry in config["history"]] == [False, True, True]


def test_steps_that_do_not_fit_the_layers_are_refused(store: Store, lease: Lease) -> None:
    record = stored(store, lease, [file("a")])
    steps = (Step(created_by="COPY a /"), Step(created_by="COPY b /"))
    with pytest.raises(InvalidConfig):
        described(state([record], steps=steps))


def test_base_layers_keep_their_compressed_blobs(tmp_path: Path) -> None:
    store, memory = Store(str(tmp_path / "store")), Memory()
    memory.add("1", [layer(1)], Env=["PATH=/bin"])
    pulled = brought(store, memory, "base:1")
    with store.reading() as tx:
        records = images.layers_of(tx, pulled.image)
        manifest = next(images.images(tx, "id = ?", (str(pulled.image),))).manifest
        blobs = {blob.diff_id: layer(1).descriptor() for blob in images.blobs_of(tx, manifest)}
    with leases.lease(store.disk, "build") as held:
        top = stored(store, held, [file("top")])
        steps = (Step(created_by="COPY top /", created=MADE),)
        finished = state([*records, top], base_layers=1, steps=steps)
        told = replace(finished, blobs=blobs)
        assert manifest_of(store, told, held) == manifest_of(store, finished, held)
        made = finish(store, told, [], held)
    with store.reading() as tx:
        kinds = [blob.media_type for blob in images.blobs_of(tx, made.manifest)]
    assert kinds == [mediatype.OCI_LAYER_GZIP, mediatype.OCI_LAYER]
    assert check(store, data=True).problems == ()


def test_same_state_gives_the_same_image_in_two_stores(tmp_path: Path) -> None:
    found = []
    for name in ("one", "two"):
        store = Store(str(tmp_path / name))
        store.create()
        with leases.lease(store.disk, "build") as held:
            record = stored(store, held, [file("a", mtime=5)])
            step = Step(created_by="COPY a / # buildkit", created=MADE + len(found))
            found.append(finish(store, state([record], steps=(step,), epoch=1000), [], held))
    assert found[0] == found[1]


def test_layer_that_is_gone_is_named(store: Store, lease: Lease, tmp_path: Path) -> None:
    record = stored(store, lease, [file("a")])
    other = Store(str(tmp_path / "other"))
    other.create()
    with pytest.raises(MissingLayer, match=str(record.diff_id)):
        manifest_of(other, state([record]), lease)
