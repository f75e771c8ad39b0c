"""Images in the directory of an OCI layout: which is taken, and that documents are held to their promise."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from millefeuille.errors import Corrupt, NotFound
from millefeuille.oci import mediatype
from millefeuille.oci.platform import Platform
from millefeuille.testing import rawtars
from millefeuille.transfer.archive.contents import BadArchive
from millefeuille.transfer.examine.archive import examine_archive, examine_layout

Json = dict[str, Any]


class Layout:
    """A layout that is written blob by blob."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "blobs/sha256").mkdir(parents=True)
        (root / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')

    def blob(self, data: bytes, media_type: str, **fields: object) -> Json:
        name = hashlib.sha256(data).hexdigest()
        (self.root / "blobs/sha256" / name).write_bytes(data)
        return {"mediaType": media_type, "digest": f"sha256:{name}", "size": len(data), **fields}

    def image(self, architecture: str, config: Json | None = None, **fields: object) -> Json:
        layer = rawtars.archive(rawtars.file(b"f", architecture.encode()))
        diff_id = f"sha256:{hashlib.sha256(layer).hexdigest()}"
        document = {
            "os": "linux", "architecture": architecture, "rootfs": {"type": "layers", "diff_ids": [diff_id]}
        }  # fmt: skip
        made = self.blob(json.dumps(document).encode(), mediatype.OCI_CONFIG)
        manifest = {
            "schemaVersion": 2, "mediaType": mediatype.OCI_MANIFEST, "config": {**made, **(config or {})},
            "layers": [self.blob(layer, mediatype.OCI_LAYER)],
        }  # fmt: skip
        return self.blob(json.dumps(manifest).encode(), mediatype.OCI_MANIFEST, **fields)

    def index(self, *entries: Json) -> Json:
        return self.blob(self._index(entries), mediatype.OCI_INDEX)

    def finish(self, *entries: Json) -> str:
        (self.root / "index.json").write_bytes(self._index(entries))
        return str(self.root)

    def _index(self, entries: tuple[Json, ...]) -> bytes:
        document = {"schemaVersion": 2, "mediaType": mediatype.OCI_INDEX, "manifests": list(entries)}
        return json.dumps(document).encode()


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "layout")


def test_documents_have_the_sizes_that_are_promised(layout: Layout) -> None:
    right = layout.image("amd64")
    assert str(examine_layout(layout.finish(right), "x").config.platform) == "linux/amd64"
    for wrong in ({**right, "size": right["size"] + 1}, layout.image("amd64", {"size": 7})):
        directory = layout.finish(wrong)
        with pytest.raises(Corrupt):
            examine_layout(directory, "x")


def test_a_damaged_blob_of_a_layout_is_none_of_the_store(layout: Layout) -> None:
    image = layout.image("amd64")
    blob = layout.root / "blobs/sha256" / image["digest"].partition(":")[2]
    blob.write_bytes(blob.read_bytes().replace(b"schema", b"SCHEMA"))
    directory = layout.finish(image)
    with pytest.raises(Corrupt, match="does not match its digest") as raised:
        examine_layout(directory, "x")
    assert raised.value.advice is None


@pytest.fixture
def amd64(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Platform, "host", classmethod(lambda cls: Platform.parse("linux/amd64")))


@pytest.mark.usefixtures("amd64")
def test_what_names_no_platform_is_what_its_config_says(layout: Layout) -> None:
    arm, amd = layout.image("arm64"), layout.image("amd64")
    for target in (layout.index(arm, amd), layout.index(layout.index(arm), layout.index(amd))):
        directory = layout.finish(target)
        assert taken(directory) == "linux/amd64"
        assert taken(directory, "linux/arm64") == "linux/arm64"
        with pytest.raises(NotFound, match="no image for platform linux/s390x"):
            taken(directory, "linux/s390x")


@pytest.mark.usefixtures("amd64")
def test_of_several_platforms_beside_each_other_this_machines_is_taken(layout: Layout) -> None:
    arm, amd = (
        layout.image(name, platform={"os": "linux", "architecture": name}) for name in ("arm64", "amd64")
    )
    assert taken(layout.finish(arm, amd)) == "linux/amd64"
    assert taken(layout.finish(arm, amd), "linux/arm64") == "linux/arm64"
    # The first of several images is taken, whichever machine it is for, and though others are not there.
    name = "org.opencontainers.image.ref.name"
    others = [{**image, "annotations": {name: tag}} for image, tag in ((arm, "v1"), (amd, "v2"))]
    assert taken(layout.finish(*others)) == "linux/arm64"
    missing = {**amd, "digest": f"sha256:{'0' * 64}"}
    assert taken(layout.finish(arm, missing)) == "linux/arm64"


def taken(directory: str, platform: str = "") -> str:
    """The platform of the image that is looked at."""
    wanted = Platform.parse(platform) if platform else None
    return str(examine_layout(directory, "x", platform=wanted).config.platform).partition("/v")[0]


@pytest.mark.parametrize("text", ['{"a": 1}', "[", '[{"Config": "gone"}]'])
def test_a_broken_manifest_of_a_docker_archive_is_told_with_its_name(
    layout: Layout, tmp_path: Path, text: str
) -> None:
    layout.finish(layout.image("amd64"))
    (layout.root / "manifest.json").write_text(text)
    with tarfile.open(tmp_path / "both.tar", "w") as archive:
        archive.add(layout.root, ".")
    with open(tmp_path / "both.tar", "rb") as file, pytest.raises(BadArchive, match=r"^x: invalid archive: "):
        examine_archive(file.fileno(), "x", scratch=str(tmp_path), docker=True)


def test_a_docker_archive_begins_with_the_first_of_its_manifest(layout: Layout, tmp_path: Path) -> None:
    described = [layout.image(name) for name in ("amd64", "arm64", "s390x")]
    layout.finish(*described)
    blobs = layout.root / "blobs" / "sha256"

    def config(number: int) -> str:
        raw = json.loads((blobs / described[number]["digest"].partition(":")[2]).read_text())
        return f"blobs/sha256/{raw['config']['digest'].partition(':')[2]}"

    listed = [{"Config": config(number), "RepoTags": None, "Layers": []} for number in (2, 0)]
    (layout.root / "manifest.json").write_text(json.dumps(listed))
    with tarfile.open(tmp_path / "both.tar", "w") as archive:
        archive.add(layout.root, ".")
    for docker, first in ((False, "linux/amd64"), (True, "linux/s390x")):
        with open(tmp_path / "both.tar", "rb") as file:
            found = examine_archive(file.fileno(), "x", scratch=str(tmp_path), docker=docker)
        assert str(found.config.platform) == first
