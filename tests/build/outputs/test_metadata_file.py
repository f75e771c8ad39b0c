"""`--metadata-file` and `--iidfile` tell what others find in the image itself."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.build.outputs.states import AMD64, ARM64, file, state, stored
from tests.build.outputs.test_delivery import APP, put_out

from millefeuille.build.outputs.attest import AttestWish
from millefeuille.build.outputs.delivery import Delivered
from millefeuille.build.outputs.finished import Finished
from millefeuille.build.outputs.metadata_file import image_id, metadata_file
from millefeuille.build.outputs.provenance import Facts, provenance
from millefeuille.oci.digest import Digest
from millefeuille.store.leases import Lease
from millefeuille.store.store import Store

FACTS = Facts(invocation="abc", started=0, ended=0)


@pytest.fixture
def built(store: Store, lease: Lease) -> Finished:
    return state([stored(store, lease, [file("a")])], epoch=1000)


def test_one_image(store: Store, lease: Lease, built: Finished) -> None:
    done, _, _ = put_out(store, lease, [built], "type=image")
    assert done.recorded is not None
    told = json.loads(metadata_file(done, "abc"))
    assert told["containerimage.config.digest"] == str(done.recorded.image) == str(image_id(done))
    assert told["containerimage.digest"] == str(done.recorded.target)
    raw = store.blobs.read(done.recorded.target)
    assert told["containerimage.descriptor"] == {
        "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": str(Digest.of(raw)),
        "size": len(raw), "platform": {"architecture": "amd64", "os": "linux"},
        "annotations": {
            "config.digest": str(done.recorded.image),
            "org.opencontainers.image.created": "1970-01-01T00:16:40Z",
        },
    }  # fmt: skip
    assert (told["image.name"], told["buildx.build.ref"]) == (str(APP), "abc")


def test_several_platforms_have_their_provenance(store: Store, lease: Lease, built: Finished) -> None:
    states = [built, replace(built, platform=ARM64)]
    wish = AttestWish(provenance="min")
    statements = tuple((provenance(FACTS, one, wish, ()),) for one in states)
    done, _, _ = put_out(store, lease, states, "type=image", statements=statements)
    told = json.loads(metadata_file(done, "abc"))
    assert "containerimage.config.digest" not in told
    for platform in (AMD64, ARM64):
        found = told[f"buildx.build.provenance/{platform}"]
        assert found["runDetails"]["metadata"]["invocationId"] == "abc"


def test_archive_alone_has_an_id_too(store: Store, lease: Lease, built: Finished, tmp_path: Path) -> None:
    done, _, _ = put_out(store, lease, [built], f"type=oci,dest={tmp_path}/o.tar")
    assert str(image_id(done)) == json.loads(metadata_file(done, "x"))["containerimage.config.digest"]


def test_files_alone_have_none(store: Store, lease: Lease, built: Finished, tmp_path: Path) -> None:
    done, _, _ = put_out(store, lease, [built], f"type=local,dest={tmp_path}/out")
    assert done == Delivered() and image_id(done) is None
    assert json.loads(metadata_file(done, "abc")) == {"buildx.build.ref": "abc"}
