"""Several platforms, annotations and attestations: the documents are laid out as BuildKit lays them out."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.build.outputs.states import AMD64, ARM64, directory, file, state, stored
from tests.transfer.test_push import Target

from millefeuille.build.outputs.annotation import parse_annotation
from millefeuille.build.outputs.attestation import Statement
from millefeuille.build.outputs.finished import Finished
from millefeuille.build.outputs.image import record
from millefeuille.build.outputs.product import MisplacedAnnotation, Product, Shape, assemble
from millefeuille.images.remove import remove
from millefeuille.images.users import Nobody
from millefeuille.oci import mediatype
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.reference import Reference
from millefeuille.progress import Silent
from millefeuille.store import leases, names
from millefeuille.store.check import check
from millefeuille.store.leases import Lease
from millefeuille.store.rebuild import rebuild
from millefeuille.store.store import Store
from millefeuille.store.sweep import orphans
from millefeuille.transfer.archive.load import load
from millefeuille.transfer.archive.save import save_to_file
from millefeuille.transfer.packing import Packing
from millefeuille.transfer.push import push

NAME = Reference.parse("localhost:5000/app:1")
CLAIM = Statement(predicate_type="https://example.org/claim", predicate={"good": True})


def two_platforms(store: Store, lease: Lease) -> list[Finished]:
    return [
        state([stored(store, lease, [file("arch", str(platform).encode())])], platform=platform)
        for platform in (ARM64, AMD64)
    ]


def attested(store: Store, lease: Lease, states: Sequence[Finished], **more: Any) -> Product:
    shape = Shape(packing=Packing(), statements=tuple((CLAIM,) for _ in states), **more)
    return assemble(store, states, shape, lease)


def document(store: Store, digest: Digest | str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(store.blobs.read(Digest.parse(str(digest))))
    return found


def test_several_platforms_are_an_index(store: Store, lease: Lease) -> None:
    product = assemble(store, two_platforms(store, lease), Shape(), lease)
    made = record(store, product, [NAME], lease)
    index = document(store, made.target)
    assert [entry["platform"] for entry in index["manifests"]] == [
        {"architecture": "arm64", "os": "linux"}, {"architecture": "amd64", "os": "linux"},
    ]  # fmt: skip
    with store.reading() as tx:
        assert names.target(tx, NAME) == (made.target, made.image)
        rows = tx.execute("SELECT platform FROM name_platforms ORDER BY 1").fetchall()
    assert rows == [("linux/amd64",), ("linux/arm64",)]
    assert check(store, data=True).problems == ()


def test_attestation_stands_beside_its_image(store: Store, lease: Lease) -> None:
    (built, _) = two_platforms(store, lease)
    made = record(store, attested(store, lease, [built]), [NAME], lease)
    image, said = document(store, made.target)["manifests"]
    assert said["platform"] == {"architecture": "unknown", "os": "unknown"}
    assert said["annotations"] == {
        "vnd.docker.reference.digest": image["digest"],
        "vnd.docker.reference.type": "attestation-manifest",
    }
    manifest = document(store, said["digest"])
    assert manifest["artifactType"] == "application/vnd.docker.attestation.manifest.v1+json"
    assert manifest["subject"] == {key: image[key] for key in ("mediaType", "digest", "size")}
    assert manifest["config"]["mediaType"] == "application/vnd.oci.empty.v1+json"
    (layer,) = manifest["layers"]
    assert layer["mediaType"] == "application/vnd.in-toto+json"
    assert layer["annotations"] == {"in-toto.io/predicate-type": "https://example.org/claim"}
    assert document(store, layer["digest"]) == {
        "_type": "https://in-toto.io/Statement/v1",
        "predicateType": "https://example.org/claim",
        "subject": [{"name": "_", "digest": {"sha256": Digest.parse(image["digest"]).hex}}],
        "predicate": {"good": True},
    }


def test_attestation_in_the_older_form_looks_like_an_image(store: Store, lease: Lease) -> None:
    (built, _) = two_platforms(store, lease)
    made = record(store, attested(store, lease, [built], oci_artifacts=False), [NAME], lease)
    manifest = document(store, document(store, made.target)["manifests"][1]["digest"])
    assert "subject" not in manifest and "artifactType" not in manifest
    config = document(store, manifest["config"]["digest"])
    assert config["rootfs"]["diff_ids"] == [manifest["layers"][0]["digest"]]


def test_attestations_go_and_stay_with_their_index(store: Store) -> None:
    with leases.lease(store.disk, "build") as held:
        made = record(store, attested(store, held, two_platforms(store, held)), [NAME], held)
    said = [Digest.parse(entry["digest"]) for entry in document(store, made.target)["manifests"][2:]]
    with store.writing() as tx:
        orphans(tx)
    assert len(said) == 2 and all(digest in store.blobs for digest in said)
    assert check(store, data=True).problems == ()
    with store.writing() as tx:
        remove(tx, str(NAME), Nobody())
    assert [*store.blobs] == []


def test_store_is_rebuilt_with_its_attestations(store: Store, lease: Lease) -> None:
    record(store, attested(store, lease, two_platforms(store, lease)), [NAME], lease)
    with store.reading() as tx:
        rows = tx.execute("SELECT * FROM attachments ORDER BY 1, 2").fetchall()
    Path(store.disk.root, "leases", lease.id).unlink()
    assert rebuild(store).losses == ()
    with store.reading() as tx:
        assert tx.execute("SELECT * FROM attachments ORDER BY 1, 2").fetchall() == rows
    assert len(rows) == 5  # two manifests, two statements, one empty config


def test_push_sends_the_whole_index(store: Store, lease: Lease) -> None:
    made = record(store, attested(store, lease, two_platforms(store, lease)), [NAME], lease)
    there = Target()
    assert push(store, there, NAME, Silent()) == made.target
    listed = [Digest.parse(entry["digest"]) for entry in document(store, made.target)["manifests"]]
    assert [digest for digest, _, _ in there.manifests] == [*listed, made.target]
    kinds = {kind for digest in listed[:2] for kind in
             (layer["mediaType"] for layer in document(store, digest)["layers"])}  # fmt: skip
    assert kinds == {mediatype.OCI_LAYER_GZIP}


def test_saved_archive_has_the_attestations(store: Store, lease: Lease, tmp_path: Path) -> None:
    made = record(store, attested(store, lease, two_platforms(store, lease)), [NAME], lease)
    save_to_file(store, [str(NAME)], str(tmp_path / "image.tar"))
    other = Store(str(tmp_path / "other"))
    with (tmp_path / "image.tar").open("rb") as archive:
        tuple(load(other, archive.fileno(), Silent()))
    with other.reading() as tx:
        assert names.target(tx, NAME) == (made.target, made.image)
    with tarfile.open(tmp_path / "image.tar") as archive_tar:
        held = {member.name for member in archive_tar}
    for entry in document(store, made.target)["manifests"]:
        assert f"blobs/sha256/{Digest.parse(entry['digest']).hex}" in held


def test_annotations_reach_their_documents(store: Store, lease: Lease) -> None:
    told = [
        *parse_annotation("manifest:a=all"), *parse_annotation("manifest[linux/arm64]:a=arm"),
        *parse_annotation("index:b=i"), *parse_annotation("manifest-descriptor[linux/amd64]:c=d"),
    ]  # fmt: skip
    shape = Shape(annotations=tuple(told))
    made = record(store, assemble(store, two_platforms(store, lease), shape, lease), [NAME], lease)
    index = document(store, made.target)
    assert index["annotations"] == {"b": "i"}
    assert [entry.get("annotations") for entry in index["manifests"]] == [None, {"c": "d"}]
    noted = [document(store, entry["digest"])["annotations"] for entry in index["manifests"]]
    assert noted == [{"a": "arm"}, {"a": "all"}]


def test_annotated_image_is_compressed_when_it_is_pushed(store: Store, lease: Lease) -> None:
    (built, _) = two_platforms(store, lease)
    shape = Shape(annotations=parse_annotation("k=v"))
    record(store, assemble(store, [built], shape, lease), [NAME], lease)
    there = Target()
    push(store, there, NAME, Silent())
    manifest = json.loads(there.manifests[-1][1])
    assert manifest["annotations"] == {"k": "v"}
    assert [layer["mediaType"] for layer in manifest["layers"]] == [mediatype.OCI_LAYER_GZIP]


@pytest.mark.parametrize("text", ["index:a=b", "index-descriptor:a=b"])
def test_annotations_without_a_place_are_refused(store: Store, lease: Lease, text: str) -> None:
    (built, _) = two_platforms(store, lease)
    with pytest.raises(MisplacedAnnotation, match="not supported for single platform export"):
        assemble(store, [built], Shape(annotations=parse_annotation(text)), lease)


@pytest.mark.parametrize(
    ("packing", "kind"),
    [
        (Packing("gzip", 9), mediatype.OCI_LAYER_GZIP), (Packing("gzip", 0), mediatype.OCI_LAYER_GZIP),
        (Packing("zstd"), mediatype.OCI_LAYER_ZSTD), (Packing("zstd", 19), mediatype.OCI_LAYER_ZSTD),
        (Packing("uncompressed"), mediatype.OCI_LAYER),
    ],
)  # fmt: skip
def test_layers_are_packed_as_asked(store: Store, lease: Lease, packing: Packing, kind: str) -> None:
    layers = [stored(store, lease, [directory("d"), file(f"d/{n}", b"x" * 50_000)]) for n in range(3)]
    made = record(store, assemble(store, [state(layers)], Shape(packing=packing), lease), [NAME], lease)
    assert {layer["mediaType"] for layer in document(store, made.target)["layers"]} == {kind}
    assert check(store, data=True).problems == ()


def test_force_packs_what_came_packed_otherwise(store: Store, lease: Lease) -> None:
    built = state([stored(store, lease, [file("a", b"x" * 5000)])])
    record(store, assemble(store, [built], Shape(packing=Packing()), lease), [NAME], lease)
    gzip = document(store, assemble_kept(store, lease, built, Packing("gzip")))["layers"]
    blobs = {built.layers[0].diff_id: Descriptor.from_json(gzip[0], "layer")}
    kept = assemble(store, [replace(built, blobs=blobs)], Shape(packing=Packing("zstd")), lease)
    forced = assemble(store, [replace(built, blobs=blobs)], Shape(packing=Packing("zstd", None, True)), lease)
    kinds = [product.variants[0].plan.manifest.layers[0].media_type for product in (kept, forced)]
    assert kinds == [mediatype.OCI_LAYER_GZIP, mediatype.OCI_LAYER_ZSTD]


def assemble_kept(store: Store, lease: Lease, built: Finished, packing: Packing) -> Digest:
    product = assemble(store, [built], Shape(packing=packing), lease)
    return record(store, product, [NAME], lease).target


def test_docker_media_types(store: Store, lease: Lease) -> None:
    shape = Shape(packing=Packing(), oci_types=False)
    made = record(store, assemble(store, two_platforms(store, lease), shape, lease), [NAME], lease)
    index = document(store, made.target)
    assert index["mediaType"] == mediatype.DOCKER_LIST
    manifest = document(store, index["manifests"][0]["digest"])
    assert manifest["mediaType"] == mediatype.DOCKER_MANIFEST
    assert manifest["config"]["mediaType"] == mediatype.DOCKER_CONFIG
    assert manifest["layers"][0]["mediaType"] == mediatype.DOCKER_LAYER_GZIP
    assert check(store, data=True).problems == ()
