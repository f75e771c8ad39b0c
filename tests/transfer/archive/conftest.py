"""Small images as archives, and stores to load them into."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from millefeuille.progress import Silent
from millefeuille.store.store import Store
from millefeuille.testing.images import MadeImage, make_image, write_docker_archive, write_layout
from millefeuille.testing.tars import directory_entry, file_entry, make_layer
from millefeuille.transfer.archive.load import Loaded, load

Loader = Callable[[Store, Path], list[Loaded]]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store that is not there yet."""
    return Store(str(tmp_path / "store"))


@pytest.fixture
def image(tmp_path: Path) -> MadeImage:
    """Two plain layers, as Docker's archives hold them."""
    return made(tmp_path, "")


def made(directory: Path, compression: str, *, architecture: str = "amd64", text: str = "one") -> MadeImage:
    """An image of two layers."""
    name = f"{compression or 'plain'}-{architecture}-{text}"
    lower = [directory_entry("etc"), file_entry("etc/name", text.encode() * 1000)]
    upper = [file_entry("etc/other", os.urandom(0) + architecture.encode())]
    layers = [
        make_layer(directory / f"{name}-1.tar", lower, compression=compression),
        make_layer(directory / f"{name}-2.tar", upper, compression=compression),
    ]
    return make_image(layers, architecture=architecture)


def docker_archive(image: MadeImage, path: Path, *names: str) -> Path:
    """The tar of an old `docker save`."""
    write_docker_archive(image, path, *names)
    return path


def layout_archive(image: MadeImage, path: Path, *, name: str, kind: str = "oci") -> Path:
    """A tar of an OCI layout."""
    directory = path.with_suffix(".layout")
    write_layout(image, directory, name=name, kind=kind)
    return packed(directory, path)


def packed(directory: Path, path: Path) -> Path:
    """A tar of all that is in a directory."""
    with tarfile.open(path, "w") as archive:
        for entry in sorted(directory.iterdir()):
            archive.add(entry, entry.name)
    return path


def loaded(store: Store, path: Path, **options: object) -> list[Loaded]:
    """What loading the file at `path` gives."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return list(load(store, descriptor, Silent(), **options))  # type: ignore[arg-type]  # passed on
    finally:
        os.close(descriptor)


def store_files(store: Store) -> Iterable[str]:
    """Every file that holds something of an image."""
    for directory in ("blobs/sha256", "layers", "chains", "ingest"):
        root = Path(store.disk.root, directory)
        yield from sorted(str(path) for path in root.rglob("*") if path.is_file())
