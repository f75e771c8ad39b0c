"""A result reaches every place that was asked for, and others can read it there."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.build.outputs.states import AMD64, ARM64, file, state, stored

from millefeuille.build.outputs.annotation import parse_annotation
from millefeuille.build.outputs.archive import BadLayout
from millefeuille.build.outputs.attestation import Statement
from millefeuille.build.outputs.delivery import (
    BadDelivery,
    Delivered,
    Delivery,
    Doors,
    check_delivery,
    deliver,
)
from millefeuille.build.outputs.finished import Finished
from millefeuille.build.outputs.wish import parse_output
from millefeuille.oci import mediatype
from millefeuille.oci.digest import Digest
from millefeuille.oci.reference import Reference
from millefeuille.progress import Silent
from millefeuille.store import leases, names
from millefeuille.store.leases import Lease
from millefeuille.store.store import Store
from millefeuille.transfer.archive.load import load

APP = Reference.parse("app:1")
CLAIM = Statement(predicate_type="https://example.org/claim", predicate={"good": True})


@pytest.fixture
def built(store: Store, lease: Lease) -> Finished:
    return state([stored(store, lease, [file("hello", b"hi")])])


def put_out(
    store: Store, lease: Lease, states: list[Finished], *outputs: str, **more: Any
) -> tuple[Delivered, bytes, list[str]]:
    written, pushed = io.BytesIO(), []

    def push(name: Reference, nameless: tuple[Digest, Digest] | None) -> Digest:
        pushed.append(str(name) if nameless is None else f"{name.name}@{nameless[0]}")
        if nameless is not None:
            return nameless[0]
        with store.reading() as tx:
            target = names.target(tx, name)
        assert target is not None
        return target[0]

    delivery = Delivery(**{"names": (APP,), "outputs": tuple(map(parse_output, outputs)), **more})
    done = deliver(store, states, delivery, Doors(write=written.write, push=push), lease)
    return done, written.getvalue(), pushed


def skopeo(*arguments: str) -> dict[str, Any]:
    if shutil.which("skopeo") is None:
        pytest.skip("no skopeo here")
    done = subprocess.run(["skopeo", *arguments], capture_output=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_image_of_the_store(store: Store, lease: Lease, built: Finished) -> None:
    done, written, pushed = put_out(store, lease, [built], "type=image")
    assert (written, pushed) == (b"", [])
    assert done.recorded is not None and done.names == (APP,)
    with store.reading() as tx:
        assert names.target(tx, APP) == (done.recorded.target, done.recorded.image)


def test_several_outputs_of_one_build(store: Store, lease: Lease, built: Finished, tmp_path: Path) -> None:
    done, stream, pushed = put_out(
        store, lease, [built], f"type=local,dest={tmp_path}/out", "type=tar",
        f"type=oci,dest={tmp_path}/o.tar", "type=image,name=localhost:5000/other", "type=cacheonly",
    )  # fmt: skip
    assert (tmp_path / "out/hello").read_bytes() == b"hi"
    assert tarfile.open(fileobj=io.BytesIO(stream)).getnames() == ["hello"]
    assert (tmp_path / "o.tar").exists() and pushed == []
    assert done.recorded is not None
    with store.reading() as tx:
        assert names.find(tx, "localhost:5000/other").id == names.find(tx, "app:1").id == done.recorded.image


@pytest.mark.parametrize("kind", ["oci", "docker"])
def test_archive_is_read_by_others(
    store: Store, lease: Lease, built: Finished, tmp_path: Path, kind: str
) -> None:
    done, stream, _ = put_out(store, lease, [built], f"type={kind},dest=-")
    path = tmp_path / "image.tar"
    path.write_bytes(stream)
    assert done.recorded is None and done.product is not None
    source = f"oci-archive:{path}:1" if kind == "oci" else f"docker-archive:{path}"
    assert skopeo("inspect", source)["Layers"]
    assert skopeo("inspect", "--config", source)["config"]["Cmd"] == ["/run"]
    (layer,) = done.product.chosen.plan.manifest.layers
    assert layer.media_type == (mediatype.OCI_LAYER_GZIP if kind == "oci" else mediatype.OCI_LAYER)
    other = Store(str(tmp_path / "other"))
    with path.open("rb") as archive:
        tuple(load(other, archive.fileno(), Silent()))
    with other.reading() as tx:
        assert names.find(tx, "app:1").id == done.product.chosen.plan.config.id
    with store.reading() as tx:
        assert tx.execute("SELECT count(*) FROM images").fetchone() == (0,)


def test_layout_keeps_what_it_held(store: Store, lease: Lease, built: Finished, tmp_path: Path) -> None:
    wish = f"type=oci,dest={tmp_path}/layout,tar=false"
    put_out(store, lease, [built], wish)
    later = replace(built, process={"Cmd": ["/later"]})
    put_out(store, lease, [later], wish, names=(Reference.parse("app:2"),))
    again = replace(built, process={"Cmd": ["/again"]})
    put_out(store, lease, [again], wish)
    commands = [
        skopeo("inspect", "--config", f"oci:{tmp_path}/layout:{tag}")["config"]["Cmd"] for tag in ("1", "2")
    ]
    assert commands == [["/again"], ["/later"]]
    assert len(json.loads((tmp_path / "layout/index.json").read_bytes())["manifests"]) == 2


def test_directory_of_something_else_is_left_alone(
    store: Store, lease: Lease, built: Finished, tmp_path: Path
) -> None:
    (tmp_path / "index.json").write_text('{"name": "web"}')
    with pytest.raises(BadLayout):
        put_out(store, lease, [built], f"type=oci,dest={tmp_path},tar=false")
    assert [path.name for path in tmp_path.iterdir() if path.name != "store"] == ["index.json"]


def test_index_has_platforms_and_attestations(
    store: Store, lease: Lease, built: Finished, tmp_path: Path
) -> None:
    arm = replace(built, platform=ARM64)
    notes = (*parse_annotation("index:a=b"), *parse_annotation("index-descriptor:c=d"))
    done, _, _ = put_out(
        store, lease, [built, arm], f"type=oci,dest={tmp_path}/o.tar", statements=((CLAIM,), (CLAIM,)),
        annotations=notes,
    )  # fmt: skip
    index = skopeo("inspect", "--raw", f"oci-archive:{tmp_path}/o.tar:1")
    assert [entry["platform"] for entry in index["manifests"]] == [
        {"architecture": "amd64", "os": "linux"}, {"architecture": "arm64", "os": "linux"},
        {"architecture": "unknown", "os": "unknown"}, {"architecture": "unknown", "os": "unknown"},
    ]  # fmt: skip
    assert index["annotations"] == {"a": "b"}
    with tarfile.open(tmp_path / "o.tar") as archive:
        held = {member.name for member in archive}
        listed = json.load(archive.extractfile("index.json"))  # type: ignore[arg-type]
    for entry in index["manifests"]:
        assert f"blobs/{entry['digest'].replace(':', '/')}" in held
    assert listed["manifests"][0]["annotations"] == {
        "c": "d", "io.containerd.image.name": "docker.io/library/app:1",
        "org.opencontainers.image.created": "2023-11-14T22:13:20Z", "org.opencontainers.image.ref.name": "1",
    }  # fmt: skip
    other = skopeo("inspect", "--override-arch=arm64", f"oci-archive:{tmp_path}/o.tar:1")
    assert other["Architecture"] == "arm64"
    assert done.product is not None and done.product.chosen.plan.config.platform == AMD64


def test_push_sends_every_name_with_packed_layers(store: Store, lease: Lease, built: Finished) -> None:
    done, _, pushed = put_out(store, lease, [built], "type=registry,name=localhost:5000/b:2")
    assert pushed == ["docker.io/library/app:1", "localhost:5000/b:2"]
    assert done.product is not None
    (layer,) = done.product.chosen.plan.manifest.layers
    assert layer.media_type == mediatype.OCI_LAYER_GZIP


def test_push_by_digest_leaves_no_name(store: Store, lease: Lease, built: Finished) -> None:
    wish = "type=image,name=localhost:5000/b,push-by-digest=true,name-canonical=true,push=true"
    done, _, pushed = put_out(store, lease, [built], wish)
    assert done.recorded is not None and pushed == [f"localhost:5000/b@{done.recorded.target}"]
    with store.reading() as tx:
        assert tx.execute("SELECT count(*) FROM names").fetchone() == (0,)


def test_same_state_gives_the_same_archive_in_two_stores(tmp_path: Path) -> None:
    found = []
    for name in ("one", "two"):
        store = Store(str(tmp_path / name))
        store.create()
        with leases.lease(store.disk, "build") as held:
            built = state([stored(store, held, [file("a", b"x" * 300_000, mtime=5)])], epoch=1000)
            found.append(put_out(store, held, [built], "type=oci,dest=-", statements=((CLAIM,),))[1])
    assert found[0] == found[1] and len(found[0]) > 2000


@pytest.mark.parametrize(
    ("outputs", "more", "message"),
    [
        (["type=tar", "type=oci"], {}, "multiple outputs configured to stdout"),
        (["type=image,push=true"], {"names": ()}, "tag is needed when pushing to registry"),
        (["type=local,dest=a", "type=local,dest=a"], {}, "duplicate output destination: a"),
    ],
)
def test_what_cannot_be_had_together(outputs: list[str], more: dict[str, Any], message: str) -> None:
    with pytest.raises(BadDelivery, match=message):
        check_delivery(
            Delivery(**{"names": (APP,), "outputs": tuple(map(parse_output, outputs)), **more})
        )


def test_no_image_of_the_store_gets_a_name_with_a_digest() -> None:
    for name in (f"x@sha256:{'0' * 64}", f"x:1@sha256:{'0' * 64}"):
        with pytest.raises(names.NotAName, match="a digest cannot be given"):
            check_delivery(Delivery(names=(APP,), outputs=(parse_output(f"type=image,name={name}"),)))
