"""Contents of files in layers, those that the image does not show and those with holes included."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.analysis.conftest import write_archive
from tests.faces.cli.home import Home

from millefeuille.engine.contents import content
from millefeuille.engine.store import existing
from millefeuille.engine.stored import stored
from millefeuille.settings import settle
from millefeuille.store.filetree import DamagedContent
from millefeuille.store.names import NoSuchImage
from millefeuille.store.store import Store
from millefeuille.testing import rawtars

DATA = b"a" * 512
RUNS = [(4096, 512)]
SIZE = 3 << 20


@pytest.fixture
def home(tmp_path: Path) -> Home:
    found = Home(tmp_path)
    base = rawtars.archive(
        rawtars.file(b"gone", b"was here"), rawtars.pax_sparse(b"holes", RUNS, SIZE, DATA, "1.0")
    )
    write_archive(tmp_path / "image.tar", [base, rawtars.archive(rawtars.file(b".wh.gone"))])
    assert found.mille("load", "-i", str(tmp_path / "image.tar"))[1:] == ("", 0)
    return found


def store_of(home: Home) -> Store:
    store = existing(settle({}, uid=0, home="/", root=str(home.store)))
    assert store is not None
    return store


def test_a_removed_file_and_one_with_holes(home: Home) -> None:
    store = store_of(home)
    image = stored(store, "random:latest").image
    assert b"".join(content(store, image, 0, 0)) == b"was here"
    expected = bytearray(SIZE)
    expected[4096 : 4096 + 512] = DATA[:512]
    assert b"".join(content(store, image, 0, 1)) == expected


def test_what_is_not_as_it_came_is_refused(home: Home) -> None:
    store = store_of(home)
    image = stored(store, "random:latest").image
    tar = Path(store.disk.tar(image.parts[0].diff_id))
    tar.chmod(0o600)
    tar.write_bytes(tar.read_bytes().replace(b"was here", b"was HERE"))
    with pytest.raises(DamagedContent):
        list(content(store, image, 0, 0))


def test_an_image_that_went_meanwhile_is_named(home: Home) -> None:
    store = store_of(home)
    image = stored(store, "random:latest").image
    assert home.mille("image", "rm", "random:latest")[2] == 0
    with pytest.raises(NoSuchImage):
        list(content(store, image, 0, 0))
