"""Archives that are changed at random: a clear error, or the very image; never anything else."""

from __future__ import annotations

import io
import json
import os
import tarfile
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.transfer.archive.conftest import docker_archive, layout_archive, loaded, made

from millefeuille.errors import MilleError
from millefeuille.store.store import Store
from millefeuille.transfer.archive.contents import Contents
from millefeuille.transfer.archive.docker_archive import docker_images
from millefeuille.transfer.archive.found import ArchiveSource
from millefeuille.transfer.archive.layout import layout_images

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["layer.tar", "x.json"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Config", "RepoTags", "Layers", "manifests", "digest", "size", "mediaType"]),
            inner,
        )
    ),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[bytes]]:
    """The ID of an image, and its archives of both kinds."""
    directory = tmp_path_factory.mktemp("archives")
    image = made(directory, "")
    docker = docker_archive(image, directory / "docker.tar", "some:1")
    layout = layout_archive(image, directory / "layout.tar", name="some:1")
    return image.id, [docker.read_bytes(), layout.read_bytes()]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_changed_bytes_give_an_error_or_the_same_image(
    archives: tuple[str, list[bytes]], data: st.DataObject
) -> None:
    identifier, originals = archives
    archive = bytearray(data.draw(st.sampled_from(originals)))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(archive) - 1))
        archive[at] = data.draw(st.integers(0, 255))
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "changed.tar")
        path.write_bytes(archive)
        try:
            found = loaded(Store(f"{directory}/store"), path)
        except MilleError as error:
            assert "\n" not in str(error)
        else:
            assert {str(each.image) for each in found} <= {identifier}


@settings(max_examples=300, deadline=None)
@given(JSON, st.sampled_from(["manifest.json", "index.json"]))
def test_any_listing_is_read_or_refused(listing: object, name: str) -> None:
    members = {name: json.dumps(listing).encode(), "oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}
    members |= {"layer.tar": bytes(1024), "x.json": b'{"rootfs":{"diff_ids":[]}}'}
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for path, content in members.items():
            header = tarfile.TarInfo(path)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
    descriptor = os.memfd_create("archive")
    try:
        os.write(descriptor, file.getvalue())
        contents = Contents(descriptor)
        source = ArchiveSource(contents)
        if name == "manifest.json":
            list(docker_images(contents, source, None))
        else:
            list(layout_images(contents, source, Store("/nonexistent").blobs, None))
    except MilleError as error:
        assert "\n" not in str(error)
    finally:
        os.close(descriptor)
