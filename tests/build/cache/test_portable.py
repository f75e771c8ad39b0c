"""Caches that lie elsewhere: a second store finds what a first one made, and fetches only what it needs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.build.places import Place, no_registry

from millefeuille.build.cache.portable import BadCache, parse
from millefeuille.build.cache.steps import StepCache
from millefeuille.build.dockerfile.parser import parse as parse_dockerfile
from millefeuille.build.request import Request
from millefeuille.engine.build import Caches, Order, Tree, build_image
from millefeuille.engine.caching import export_layout, export_registry, import_layout, import_registry
from millefeuille.oci import config
from millefeuille.oci.digest import Digest
from millefeuille.oci.reference import Reference
from millefeuille.store.check import check
from millefeuille.store.leases import Lease
from millefeuille.testing.servers import RegistryServer

TEXT = "FROM scratch\nCOPY a /\nCOPY b /\n"


def order(place: Place, caches: Caches) -> Order:
    return Order(
        dockerfile=parse_dockerfile(TEXT.encode()), request=Request(), name="t", series="t",
        context=Tree(path=str(place.context)), caches=caches,
    )  # fmt: skip


def places(tmp_path: Path) -> tuple[Place, Place]:
    found = Place(tmp_path / "one"), Place(tmp_path / "two")
    for place in found:
        place.write({"a": "1", "b": "2" * 100_000})
    return found


def test_a_directory_gives_another_store_what_this_one_made(tmp_path: Path) -> None:
    one, two = places(tmp_path)
    path = str(tmp_path / "cache")

    def out(cache: StepCache, lease: Lease, layers: frozenset[Digest]) -> None:
        assert len(layers) == 2
        export_layout(one.store, path, "", cache.every(), lease)

    first = build_image(one.settings, one.store, order(one, Caches(exports=out)), one.watching, no_registry)
    assert check(one.store).orphans == 0, "what was packed to be taken away has gone"
    caches = Caches(imports=lambda: [import_layout(two.store, path, "")])
    second = build_image(two.settings, two.store, order(two, caches), two.watching, no_registry)
    assert two.watching.outcomes == ["cached", "cached"]
    assert first.recorded is not None and second.recorded is not None
    assert first.recorded.image == second.recorded.image


def test_a_damaged_source_costs_time_and_is_named(tmp_path: Path) -> None:
    one, two = places(tmp_path)
    path = tmp_path / "cache"

    def out(cache: StepCache, lease: Lease, layers: frozenset[Digest]) -> None:
        export_layout(one.store, str(path), "", cache.every(), lease)

    build_image(one.settings, one.store, order(one, Caches(exports=out)), one.watching, no_registry)
    for blob in (path / "blobs/sha256").iterdir():
        if not blob.read_bytes().startswith(b"{"):
            blob.chmod(0o600)
            blob.write_bytes(b"something else")
    caches = Caches(imports=lambda: [import_layout(two.store, str(path), "")])
    build_image(two.settings, two.store, order(two, caches), two.watching, no_registry)
    assert two.watching.outcomes == ["done", "done"]
    assert any("is left out" in str(event) for event in two.watching.events)


@pytest.mark.walk
def test_a_registry_gives_it_too(tmp_path: Path, registry_server: RegistryServer) -> None:
    one, two = places(tmp_path)
    reference = Reference.parse(f"{registry_server.address}/team/cache:1")

    def out(cache: StepCache, lease: Lease, layers: frozenset[Digest]) -> None:
        export_registry(one.settings, one.store, reference, cache.every(), lease)

    build_image(one.settings, one.store, order(one, Caches(exports=out)), one.watching, no_registry)
    caches = Caches(imports=lambda: [import_registry(two.settings, two.store, reference)])
    build_image(two.settings, two.store, order(two, caches), two.watching, no_registry)
    assert two.watching.outcomes == ["cached", "cached"]


def test_documents_that_lie_are_refused() -> None:
    fields = {"rootfs": {"type": "layers", "diff_ids": []}, "io.millefeuille.cache": [
        {"inputs": "{}", "layer": 0, "made": 1, "took": 1}
    ]}  # fmt: skip
    for told in (None, {}, [1], [{"inputs": 1}], fields["io.millefeuille.cache"]):
        raw = json.dumps({**fields, "io.millefeuille.cache": told}).encode()
        with pytest.raises(BadCache):
            parse(config.parse(raw), "it")
    made = config.parse(json.dumps({**fields, "io.millefeuille.cache": []}).encode())
    assert parse(made, "it") == {}
