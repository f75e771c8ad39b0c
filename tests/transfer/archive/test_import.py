from __future__ import annotations

import bz2
import gzip
import http.server
import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.transfer.archive.conftest import made, store_files

from millefeuille.errors import MilleError
from millefeuille.oci.digest import Digest
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import Reference
from millefeuille.store.check import check
from millefeuille.store.events import since
from millefeuille.store.images import images
from millefeuille.store.store import Store
from millefeuille.testing.tars import MadeLayer
from millefeuille.transfer.archive.arrival import Read
from millefeuille.transfer.archive.download import DownloadBroken, DownloadFailed, download
from millefeuille.transfer.archive.import_ import Making, import_image

ARM = Platform.parse("linux/arm/v6")


@pytest.fixture
def layer(tmp_path: Path) -> MadeLayer:
    return made(tmp_path, "").layers[0]


def _making(name: str | None = None, platform: Platform = ARM) -> Making:
    reference = Reference.parse(name).tagged() if name else None
    return Making(name=reference, process={"Cmd": ["sh"]}, message="Imported from -", platform=platform)


def _import(store: Store, path: Path, making: Making) -> Digest:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return import_image(store, descriptor, making)
    finally:
        os.close(descriptor)


def test_a_tar_of_files_becomes_an_image(tmp_path: Path, store: Store, layer: MadeLayer) -> None:
    image = _import(store, layer.path, _making("mine"))
    config = json.loads(store.blobs.read(image))
    created = config.pop("created")
    assert config == {
        "architecture": "arm", "variant": "v6", "os": "linux", "comment": "Imported from -",
        "config": {"Cmd": ["sh"]}, "history": [{"created": created, "comment": "Imported from -"}],
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id]},
    }  # fmt: skip
    with store.reading() as tx:
        [record] = images(tx)
        assert [(event.action, event.actor) for event in since(tx)] == [("import", str(image))]
    assert (record.id, record.tags) == (image, ("docker.io/library/mine:latest",))
    assert record.created_ns > 1_700_000_000 * 10**9
    assert check(store, data=True).problems == ()


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, bytes])
@pytest.mark.parametrize("piped", [True, False])
def test_a_compressed_tar_is_the_same_layer(
    tmp_path: Path, store: Store, layer: MadeLayer, compress: Callable[[bytes], bytes], piped: bool
) -> None:
    data = compress(layer.path.read_bytes())
    path = tmp_path / "root"
    path.write_bytes(data)
    if piped:
        with path.open("rb") as file:
            image = import_image(store, file.read, _making())
    else:
        image = _import(store, path, _making())
    config = json.loads(store.blobs.read(image))
    assert config["rootfs"]["diff_ids"] == [layer.diff_id]
    kept = Digest.of(layer.path.read_bytes() if compress is bz2.compress else data)
    assert kept in store.blobs
    assert not os.listdir(store.disk.ingest)


def test_a_layer_that_is_there_is_not_stored_again(tmp_path: Path, store: Store, layer: MadeLayer) -> None:
    _import(store, layer.path, _making())
    before = {path for path in store_files(store) if "/layers/" in path}
    _import(store, layer.path, _making("again"))
    assert {path for path in store_files(store) if "/layers/" in path} == before


@pytest.mark.parametrize(
    "data",
    [b"junk\n", b"x" * 4096, gzip.compress(bytes(511)), b"\x1f\x8bjunk"],
    ids=["a line", "a page", "half a block in gzip", "a false gzip"],
)
def test_what_is_no_tar_is_refused_and_leaves_nothing(tmp_path: Path, store: Store, data: bytes) -> None:
    path = tmp_path / "junk"
    path.write_bytes(data)
    with pytest.raises(MilleError):
        _import(store, path, _making("mine"))
    assert list(store_files(store)) == []


class _Handler(http.server.BaseHTTPRequestHandler):
    body = b""

    def do_GET(self) -> None:
        answers = {"/moved": (302, "/file"), "/ring": (302, "/ring"), "/out": (302, "file:///etc/passwd")}
        status, location = answers.get(self.path, (200 if self.path in ("/file", "/short") else 404, ""))
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        size = len(self.body) + (10 if self.path == "/short" else 0)
        self.send_header("Content-Length", str(size if status == 200 else 0))
        self.end_headers()
        if status == 200:
            self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(layer: MadeLayer) -> Iterator[str]:
    """A web server with the layer at /file."""
    handler = type("Handler", (_Handler,), {"body": layer.path.read_bytes()})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as served:
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.shutdown()
        thread.join()


@pytest.mark.parametrize("path", ["/file", "/moved"])
def test_a_file_is_downloaded(store: Store, server: str, layer: MadeLayer, path: str) -> None:
    with download({}, server + path) as read:
        image = import_image(store, read, _making())
    assert json.loads(store.blobs.read(image))["rootfs"]["diff_ids"] == [layer.diff_id]


@pytest.mark.parametrize(
    ("path", "kind", "words"),
    [
        ("/nothing", DownloadFailed, "HTTP status 404"),
        ("/ring", DownloadFailed, "more than 5 redirects"),
        ("/out", DownloadFailed, "refused to follow"),
        ("/short", DownloadBroken, "unexpected EOF|EOF"),
    ],
)
def test_a_download_that_fails_says_why(
    store: Store, server: str, path: str, kind: type[MilleError], words: str
) -> None:
    def read_all(read: Read) -> None:
        while read(1 << 16):
            pass

    with pytest.raises(kind, match=words):
        with download({}, server + path) as read:
            read_all(read)
