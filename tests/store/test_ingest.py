from __future__ import annotations

import functools
import os
import threading
from pathlib import Path

import pytest
from tests.forking import fork, outliving
from tests.store.memory import Layer, compressed, layer

from millefeuille import files
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.store.blobs import CorruptBlob
from millefeuille.store.derive import derive
from millefeuille.store.images import LayerRecord
from millefeuille.store.ingest import ingest
from millefeuille.store.layers import DamagedLayer, is_made_from, measure, on_disk
from millefeuille.store.store import Store

ONE = layer(1, 400_000)


@pytest.fixture
def made(store: Store) -> Store:
    store.create()
    return store


def _bring(store: Store, one: Layer, diff_id: Digest | None = None, *, replace: bool = False) -> LayerRecord:
    with ingest(store.disk, one.descriptor(), lambda: None) as coming:
        coming.feed(one.blob)
        return coming.commit(diff_id, replace=replace)[0]


@pytest.mark.parametrize("compression", ["gzip", "zstd", ""])
def test_blob_tar_index_and_origin(compression: str, made: Store) -> None:
    one = compressed(ONE.tar, compression)
    record = _bring(made, one, one.diff_id)
    assert Path(made.disk.blob(one.descriptor().digest)).read_bytes() == one.blob
    assert Path(made.disk.tar(one.diff_id)).read_bytes() == one.tar
    assert (record.diff_id, record.tar_size, record.entries) == (one.diff_id, len(one.tar), 2)
    assert record.content_size == 400_001
    assert measure(made.disk, one.diff_id) == record
    assert is_made_from(made.disk, one.diff_id, one.descriptor().digest)
    assert not is_made_from(made.disk, one.diff_id, Digest.of(b"other"))
    assert list(on_disk(made.disk)) == [one.diff_id]
    assert os.listdir(made.disk.ingest) == []


def test_nothing_is_visible_before_the_commit(made: Store) -> None:
    with ingest(made.disk, ONE.descriptor(), lambda: None) as coming:
        coming.feed(ONE.blob)
        assert ONE.descriptor().digest not in made.blobs
        assert list(on_disk(made.disk)) == []
    assert os.listdir(made.disk.ingest) == [os.path.basename(made.disk.partial(ONE.descriptor().digest))]


def test_who_was_forked_meanwhile_has_no_right_to_a_blob(
    made: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither to go on with one that was cut off, nor to give layers their names."""
    blob = ONE.descriptor()

    def never() -> None:
        pytest.fail("it is locked")

    with outliving() as children:
        with ingest(made.disk, blob, never) as coming:
            coming.feed(ONE.blob[:1000])
            fork(children)
        monkeypatch.setattr(files, "hook", lambda name, subject: fork(children) if name == "rename" else None)
        with ingest(made.disk, blob, never) as coming:
            coming.feed(ONE.blob[coming.resume() :])
            coming.commit(None)
        monkeypatch.setattr(files, "hook", None)
        monkeypatch.setattr(files, "lock", functools.partial(files.lock, timeout=0))
        _bring(made, layer(2))


@pytest.mark.parametrize(
    ("data", "diff_id", "message"),
    [
        (ONE.blob + b"?", None, "longer than the"),
        (ONE.blob[:4] + b"?" + ONE.blob[5:], None, "the bytes received have digest"),  # gzip's own mtime
        (ONE.blob, layer(2).diff_id, "but the image config says"),
        (layer(2).blob, None, "bytes instead of the"),
    ],
)
def test_wrong_bytes_leave_nothing(data: bytes, diff_id: Digest | None, message: str, made: Store) -> None:
    with ingest(made.disk, ONE.descriptor(), lambda: None) as coming:
        with pytest.raises(CorruptBlob, match=message):
            coming.feed(data)
            coming.commit(diff_id)
    assert os.listdir(made.disk.ingest) == []
    assert list(made.blobs) == []
    assert list(on_disk(made.disk)) == []


def test_a_whole_layer_is_kept_and_a_damaged_one_replaced(made: Store) -> None:
    first = _bring(made, ONE)
    other = compressed(ONE.tar, "zstd")
    assert _bring(made, other) == first  # its index says where things lie in the first blob
    assert is_made_from(made.disk, ONE.diff_id, ONE.descriptor().digest)
    assert is_made_from(made.disk, ONE.diff_id, other.descriptor().digest)
    os.chmod(made.disk.tar(ONE.diff_id), 0o600)
    os.truncate(made.disk.tar(ONE.diff_id), 1000)
    with pytest.raises(DamagedLayer):
        measure(made.disk, ONE.diff_id)
    third = _bring(made, compressed(ONE.tar, ""))
    assert measure(made.disk, ONE.diff_id) == third
    assert Path(made.disk.tar(ONE.diff_id)).read_bytes() == ONE.tar
    assert os.listdir(made.disk.trash) == []


def test_derive_makes_it_again_even_if_it_looks_whole(made: Store) -> None:
    record = _bring(made, ONE)
    tar = made.disk.tar(ONE.diff_id)
    os.chmod(tar, 0o600)
    with open(tar, "r+b") as file:
        file.write(b"?")
    assert measure(made.disk, ONE.diff_id) == record
    assert derive(made, ONE.descriptor(), ONE.diff_id) == record
    assert Path(tar).read_bytes() == ONE.tar


def test_derive_from_a_damaged_blob_keeps_what_is_there(made: Store) -> None:
    _bring(made, ONE)
    blob = made.disk.blob(ONE.descriptor().digest)
    os.chmod(blob, 0o600)
    with open(blob, "r+b") as file:
        file.seek(1000)
        file.write(b"?")
    with pytest.raises(Exception, match=r"sha256|gzip|stream"):
        derive(made, ONE.descriptor(), ONE.diff_id)
    assert Path(made.disk.tar(ONE.diff_id)).read_bytes() == ONE.tar


def _note(records: list[LayerRecord], store: Store, one: Layer) -> None:
    records.append(_bring(store, one))


def test_both_blobs_of_one_layer_at_once_agree(made: Store) -> None:
    """Whoever comes second takes the first one's layer, and the record of it."""
    blobs = [compressed(ONE.tar, kind) for kind in ("gzip", "zstd", "")]
    for _ in range(5):
        records: list[LayerRecord] = []
        threads = [threading.Thread(target=_note, args=(records, made, one)) for one in blobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert records == [measure(made.disk, ONE.diff_id)] * 3
        os.rename(made.disk.layer(ONE.diff_id), f"{made.disk.trash}/{os.urandom(4).hex()}")


def test_a_finished_but_unnamed_blob_is_taken_up_without_rights(made: Store) -> None:
    """Its process died between making it read-only and giving it its name; only root could still open it."""
    partial = Path(made.disk.partial(ONE.descriptor().digest))
    partial.write_bytes(ONE.blob)
    partial.chmod(0o400)
    for path in (made.disk.root, *(str(path) for path in Path(made.disk.root).rglob("*"))):
        os.chown(path, 65534, 65534)
    for parent in Path(made.disk.root).parents:
        if parent != Path("/") and parent.stat().st_uid == 0 and parent.stat().st_mode & 0o5 != 0o5:
            parent.chmod(0o755)
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.setgid(65534)
            os.setuid(65534)
            with ingest(made.disk, ONE.descriptor(), lambda: None) as coming:
                coming.resume()
                coming.commit(ONE.diff_id)
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert Path(made.disk.blob(ONE.descriptor().digest)).read_bytes() == ONE.blob
    assert os.stat(made.disk.blob(ONE.descriptor().digest)).st_mode & 0o777 == 0o400


def test_the_descriptor_decides_the_size(made: Store) -> None:
    short = Descriptor(media_type="x", digest=ONE.descriptor().digest, size=10)
    with ingest(made.disk, short, lambda: None) as coming:
        with pytest.raises(CorruptBlob, match="longer than the 10 bytes promised"):
            coming.feed(ONE.blob)
