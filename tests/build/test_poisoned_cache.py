"""Caches that lie: steps told elsewhere, layers changed on the disk, images that name a parent."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.build.cache.test_portable import order, places
from tests.build.places import Place, no_registry
from tests.store.memory import Memory, layer

from millefeuille.build.cache.steps import StepCache
from millefeuille.engine.build import Caches, build_image
from millefeuille.engine.caching import export_layout, import_layout
from millefeuille.errors import MilleError
from millefeuille.oci.digest import Digest
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import Reference
from millefeuille.progress import Silent
from millefeuille.store import steps
from millefeuille.store.check import check
from millefeuille.store.leases import Lease
from millefeuille.transfer.pull import pull

MEMBER = "io.millefeuille.cache"
LIES: dict[str, dict[str, Any]] = {
    "inputs of another step": {"inputs": '{"op":"copy"}'},
    "inputs that are no JSON": {"inputs": "}{"},
    "inputs with half a character": {"inputs": "\ud800"},
    "a layer below none": {"layer": -1},
    "a layer above all": {"layer": 2},
    "a time too large": {"made": 1 << 70},
    "a time of the future": {"made": (1 << 63) - 1},
    "a time before all": {"made": -(1 << 62)},
    "a duration too large": {"took": 1 << 70},
    "a time that is none": {"made": 1.5},
    "a truth for a number": {"layer": True},
}


def exported(tmp_path: Path) -> tuple[Place, Path]:
    """A store without steps, and the cache that another has written."""
    one, two = places(tmp_path)
    path = tmp_path / "cache"

    def out(cache: StepCache, lease: Lease, layers: frozenset[Digest]) -> None:
        export_layout(one.store, str(path), "", cache.every(), lease)

    build_image(one.settings, one.store, order(one, Caches(exports=out)), one.watching, no_registry)
    return two, path


def replace(path: Path, old: str, data: bytes) -> Digest:
    """Write another blob in the place of one; its digest."""
    (path / "blobs/sha256" / old.removeprefix("sha256:")).unlink()
    digest = Digest.of(data)
    (path / "blobs/sha256" / digest.hex).write_bytes(data)
    return digest


def poisoned(path: Path, lie: dict[str, Any], diff_ids: list[str] | None = None) -> None:
    """Change all steps of a cache, and what stands above them, so that all digests fit."""
    index = json.loads((path / "index.json").read_bytes())
    told = index["manifests"][0]
    manifest = json.loads((path / "blobs/sha256" / told["digest"][7:]).read_bytes())
    config = json.loads((path / "blobs/sha256" / manifest["config"]["digest"][7:]).read_bytes())
    for step in config[MEMBER]:
        step.update(lie)
    if diff_ids is not None:
        config["rootfs"]["diff_ids"] = diff_ids
    for above, document in ((manifest["config"], config), (told, manifest)):
        data = json.dumps(document).encode()
        above["digest"], above["size"] = str(replace(path, above["digest"], data)), len(data)
    (path / "index.json").write_text(json.dumps(index))


def judge(place: Place, path: Path) -> None:
    """Build with the cache: it is right, or left out, or refused; never believed."""
    caches = Caches(imports=lambda: [import_layout(place.store, str(path), "")])
    try:
        build_image(place.settings, place.store, order(place, caches), place.watching, no_registry)
    except MilleError as error:
        assert "\n" not in str(error)
    made = place.build("FROM scratch\nCOPY a /\nCOPY b /\n")
    assert (place.read(made, "a"), place.read(made, "b")) == ("1", "2" * 100_000)
    assert check(place.store, data=True).problems == ()


@pytest.mark.parametrize("lie", LIES)
def test_steps_that_lie(tmp_path: Path, lie: str) -> None:
    place, path = exported(tmp_path)
    poisoned(path, LIES[lie])
    judge(place, path)


def test_layers_that_are_others(tmp_path: Path) -> None:
    place, path = exported(tmp_path)
    poisoned(path, {}, diff_ids=[str(Digest.of(b"one")), str(Digest.of(b"two"))])
    judge(place, path)


def test_an_image_that_names_a_parent_is_no_cache(tmp_path: Path) -> None:
    """Its history tells of the very instructions; nothing of it is found."""
    place = Place(tmp_path)
    place.write({"a": "right"})
    first = place.build("FROM scratch\nLABEL x=y\n")
    memory = Memory()
    memory.add("evil", [layer(1, 100)], Labels={"x": "y"}, Parent=str(first.id), Image=str(first.id))
    name = Reference.parse("app:evil")
    pull(place.store, memory, name, Silent(), platform=Platform.parse("linux/amd64"))
    made = place.build("FROM scratch\nLABEL x=y\nCOPY a /\n")
    assert place.watching.outcomes == ["done"]
    assert place.read(made, "a") == "right"


@pytest.mark.parametrize("size", ["other", "same"])
def test_a_layer_that_was_changed_on_the_disk(tmp_path: Path, size: str) -> None:
    place = Place(tmp_path)
    place.write({"a": "1" * 1000})
    made = place.build("FROM scratch\nCOPY a /\n")
    tar = place.store.disk.tar(made.diff_ids[0])
    os.chmod(tar, 0o600)
    with open(tar, "r+b") as file:
        file.seek(600)
        file.write(b"9")
        if size == "other":
            file.truncate(1024)
    # By its size it is found at once; its bytes are looked at by a check only.
    again = place.build("FROM scratch\nCOPY a /\n") if size == "other" else None
    if again is not None:
        assert place.watching.outcomes == ["done"]
        assert place.read(again, "a") == "1" * 1000
    problems = check(place.store, data=True).problems
    assert bool(problems) == (size == "same")


def test_a_row_that_names_another_layer_is_of_no_use_elsewhere(tmp_path: Path) -> None:
    """A key stands for its inputs: a row under another key is not found for these."""
    place = Place(tmp_path)
    place.write({"a": "1", "b": "2"})
    place.build("FROM scratch\nCOPY a /\n")
    with place.store.reading() as tx:
        keys = [step.key for step in steps.steps(tx)]
    with place.store.writing() as tx:
        tx.execute("UPDATE build_steps SET inputs = '{}'")
    made = place.build("FROM scratch\nCOPY b /\n")
    assert place.watching.outcomes == ["done"]
    assert place.read(made, "b") == "2"
    assert keys
