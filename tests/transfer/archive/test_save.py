from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from tests.store.meanwhile import before_lease, pruned
from tests.store.memory import Memory, Visits, brought
from tests.transfer.archive.conftest import docker_archive, layout_archive, loaded, made

from millefeuille import files
from millefeuille.errors import MilleError
from millefeuille.images.remove import remove
from millefeuille.images.users import Nobody
from millefeuille.oci.digest import Digest
from millefeuille.oci.platform import Platform
from millefeuille.store.blobs import CorruptBlob
from millefeuille.store.events import since
from millefeuille.store.names import NoSuchImage
from millefeuille.store.store import Store
from millefeuille.testing.images import MadeImage, digest_of
from millefeuille.transfer.archive.output import BadOutput
from millefeuille.transfer.archive.save import save_to_file, save_to_stream
from millefeuille.transfer.archive.selection import NoExportTarget, NothingToSave


@pytest.fixture
def gzipped(tmp_path: Path, store: Store) -> MadeImage:
    """An image with Docker's media types and gzip layers, as a registry gives it, named busybox:1."""
    image = made(tmp_path, "gzip")
    loaded(store, layout_archive(image, tmp_path / "in.tar", name="busybox:1", kind="docker"))
    return image


def _tag(store: Store, name: str, image: str) -> None:
    with store.writing() as tx:
        row = tx.execute("SELECT manifest FROM images WHERE id = ?", (image,)).fetchone()
        repository, _, tag = name.rpartition(":")
        tx.execute("INSERT INTO names VALUES (?,?,?,?,?,1)", (name, repository, tag, row[0], image))
        tx.execute("INSERT INTO name_platforms VALUES (?,'linux/amd64',?,?)", (name, row[0], image))


def _saved(store: Store, tmp_path: Path, *names: str, **options: Any) -> dict[str, bytes]:
    path = tmp_path / "out.tar"
    save_to_file(store, names, str(path), **options)
    with tarfile.open(path) as archive:
        return {m.name: f.read() if (f := archive.extractfile(m)) else b"" for m in archive}


def test_blobs_and_manifest_are_saved_as_they_are_stored(
    tmp_path: Path, store: Store, gzipped: MadeImage
) -> None:
    members = _saved(store, tmp_path, "busybox:1")
    manifest = gzipped.manifest("docker")
    expected = {digest_of(manifest): manifest, gzipped.id: gzipped.config}
    expected |= {layer.digest: layer.path.read_bytes() for layer in gzipped.layers}
    blobs = {name: data for name, data in members.items() if name.startswith("blobs/sha256/")}
    assert blobs == {f"blobs/sha256/{digest[7:]}": data for digest, data in sorted(expected.items())}
    assert [*members] == [
        *("blobs", "blobs/sha256"), *sorted(blobs),
        *("index.json", "manifest.json", "oci-layout", "repositories"),
    ]  # fmt: skip


@pytest.mark.parametrize("options", [{}, {"oci": True}])
def test_indexes_listed_many_times_over_are_saved_and_loaded(
    tmp_path: Path, store: Store, memory: Memory, options: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = memory.add_wide("wide")
    brought(store, memory, "app:wide")
    visits = Visits(monkeypatch)
    members = _saved(store, tmp_path, "app:wide", **options)
    assert {f"blobs/sha256/{document.digest.hex}" for document in documents} <= members.keys()
    assert visits.count < 20
    [found] = loaded(Store(str(tmp_path / "other")), tmp_path / "out.tar")
    assert found.names == ("app:wide",)
    assert visits.count < 40


def test_the_listings_are_dockers(tmp_path: Path, store: Store, gzipped: MadeImage) -> None:
    members = _saved(store, tmp_path, "busybox:1")
    raw = gzipped.manifest("docker")
    assert members["index.json"].decode() == (
        '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":'
        f'"application/vnd.docker.distribution.manifest.v2+json","digest":"{digest_of(raw)}","size":{len(raw)},'
        '"annotations":{"io.containerd.image.name":"docker.io/library/busybox:1",'
        '"org.opencontainers.image.ref.name":"1"}}]}'
    )
    [entry] = json.loads(members["manifest.json"])
    assert entry["Config"] == f"blobs/sha256/{gzipped.id[7:]}"
    assert entry["RepoTags"] == ["busybox:1"]
    assert entry["Layers"] == [f"blobs/sha256/{layer.digest[7:]}" for layer in gzipped.layers]
    assert {key: value["digest"] for key, value in entry["LayerSources"].items()} == {
        layer.diff_id: layer.digest for layer in gzipped.layers
    }
    assert members["oci-layout"] == b'{"imageLayoutVersion": "1.0.0"}'
    assert json.loads(members["repositories"]) == {"busybox": {"1": gzipped.layers[-1].digest[7:]}}


def test_equal_images_give_equal_bytes(tmp_path: Path, store: Store, gzipped: MadeImage) -> None:
    stream = bytearray()
    save_to_stream(store, ["busybox:1"], stream.extend)
    other = Store(str(tmp_path / "other"))
    loaded(other, layout_archive(gzipped, tmp_path / "again.tar", name="busybox:1", kind="docker"))
    save_to_file(other, ["busybox:1"], str(tmp_path / "out.tar"))
    assert (tmp_path / "out.tar").read_bytes() == bytes(stream)
    with tarfile.open(tmp_path / "out.tar") as archive:
        assert {(m.mtime, m.uid, m.gid, m.uname) for m in archive} == {(0, 0, 0, "")}


@pytest.mark.parametrize("compression", ["gzip", "zstd", ""])
@pytest.mark.parametrize("kind", ["docker", "oci"])
def test_a_saved_image_comes_back_the_same(tmp_path: Path, store: Store, compression: str, kind: str) -> None:
    image = made(tmp_path, compression)
    loaded(store, layout_archive(image, tmp_path / "in.tar", name="example.com:5000/a/b:tag", kind=kind))
    save_to_file(store, ["example.com:5000/a/b"], str(tmp_path / "out.tar"))
    other = Store(str(tmp_path / "other"))
    [found] = loaded(other, tmp_path / "out.tar")
    assert (str(found.image), found.names) == (image.id, ("example.com:5000/a/b:tag",))
    assert _logical(other) == _logical(store)
    for digest in store.blobs:
        assert Path(other.disk.blob(digest)).read_bytes() == Path(store.disk.blob(digest)).read_bytes()


def _logical(store: Store) -> list[object]:
    with store.reading() as tx:
        return [
            tx.execute(f"SELECT {columns} FROM {table} ORDER BY 1, 2").fetchall()
            for table, columns in (
                ("manifests", "digest, image, media_type, size"),
                ("manifest_layers", "manifest, position, digest, media_type, size, diff_id"),
                ("names", "name, repository, tag, target, image"),
                ("name_platforms", "name, platform, manifest, image"),
            )
        ]


def test_names_choose_as_in_docker(tmp_path: Path, store: Store, gzipped: MadeImage) -> None:
    _tag(store, "docker.io/library/busybox:2", gzipped.id)
    _tag(store, "docker.io/library/other:1", gzipped.id)

    def tags(*names: str) -> list[object]:
        return [entry["RepoTags"] for entry in json.loads(_saved(store, tmp_path, *names)["manifest.json"])]

    assert tags("busybox:2") == [["busybox:2"]]
    assert tags("busybox") == [["busybox:1", "busybox:2"]]
    assert tags("other:1", "busybox:1") == [["other:1", "busybox:1"]]
    assert tags("busybox:1", "busybox:1") == [["busybox:1"]]
    for identifier in (gzipped.id, gzipped.id[7:], gzipped.id[7:19]):
        assert tags(identifier) == [None]
        members = _saved(store, tmp_path, identifier)
        assert "repositories" not in members
        assert "annotations" not in json.loads(members["index.json"])["manifests"][0]


def test_what_comes_under_a_name_is_no_nameless_image_too(
    tmp_path: Path, store: Store, gzipped: MadeImage
) -> None:
    other = made(tmp_path, "", text="other")
    loaded(store, docker_archive(other, tmp_path / "other.tar"))
    for texts in ([gzipped.id, "busybox:1"], ["busybox:1", gzipped.id[7:19], other.id]):
        _saved(store, tmp_path, *texts)
        found = loaded(Store(str(tmp_path / "".join(texts)[:9])), tmp_path / "out.tar")
        expected = [(gzipped.id, ("busybox:1",)), (other.id, ())]
        assert [(str(each.image), each.names) for each in found] == expected[: len(texts) - 1]


def test_an_archive_of_nothing_is_not_written(tmp_path: Path, store: Store, gzipped: MadeImage) -> None:
    with pytest.raises(NothingToSave, match="no image to save"):
        _saved(store, tmp_path)
    assert not list(tmp_path.glob("*out.tar*"))


@pytest.mark.parametrize("name", ["nosuch", "nosuch:1", "0123456789ab", "sha256:" + "0" * 64])
def test_a_name_that_nothing_has_writes_nothing(
    tmp_path: Path, store: Store, gzipped: MadeImage, name: str
) -> None:
    with pytest.raises(NoSuchImage, match=f"^No such image: {name}$"):
        _saved(store, tmp_path, "busybox:1", name)
    assert not list(tmp_path.glob("*out.tar*"))


def test_a_platform_that_is_not_there_is_told(tmp_path: Path, store: Store, gzipped: MadeImage) -> None:
    with pytest.raises(NoExportTarget, match=r"^no suitable export target found for platform linux/arm64$"):
        _saved(store, tmp_path, "busybox:1", platform=Platform.parse("linux/arm64"))
    assert "index.json" in _saved(store, tmp_path, "busybox:1", platform=Platform.parse("linux/amd64"))


def test_an_oci_archive_has_oci_types_only(tmp_path: Path, store: Store, gzipped: MadeImage) -> None:
    members = _saved(store, tmp_path, "busybox:1", oci=True)
    assert not {"manifest.json", "repositories"} & set(members)
    [entry] = json.loads(members["index.json"])["manifests"]
    manifest = json.loads(members[f"blobs/sha256/{entry['digest'][7:]}"])
    kinds = [entry["mediaType"], manifest["mediaType"], manifest["config"]["mediaType"]]
    kinds += [layer["mediaType"] for layer in manifest["layers"]]
    assert kinds == [
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.config.v1+json",
        *["application/vnd.oci.image.layer.v1.tar+gzip"] * 2,
    ]
    assert digest_of(members[f"blobs/sha256/{entry['digest'][7:]}"]) == entry["digest"]
    # The manifest with Docker's types, which nothing refers to any more, is not in it.
    assert len([name for name in members if name.startswith("blobs/sha256/")]) == 4


@pytest.mark.parametrize("which", ["layer", "config", "manifest", "short layer"])
def test_a_damaged_blob_is_found_and_nothing_is_left(
    tmp_path: Path, store: Store, gzipped: MadeImage, which: str
) -> None:
    digest = {
        "layer": gzipped.layers[0].digest, "config": gzipped.id, "short layer": gzipped.layers[1].digest,
        "manifest": digest_of(gzipped.manifest("docker")),
    }[which]  # fmt: skip
    path = Path(store.disk.blob(Digest.parse(digest)))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(data[: -1 if which == "short layer" else None])
    target = tmp_path / "out.tar"
    target.write_text("what was there before")
    with pytest.raises(CorruptBlob):
        save_to_file(store, ["busybox:1"], str(target))
    assert target.read_text() == "what was there before"
    assert [path.name for path in tmp_path.glob("*out.tar*")] == ["out.tar"]


def test_a_stream_ends_early_when_a_blob_is_damaged(tmp_path: Path, store: Store, gzipped: MadeImage) -> None:
    path = Path(store.disk.blob(Digest.parse(gzipped.layers[0].digest)))
    path.chmod(0o600)
    path.write_bytes(bytes(path.stat().st_size))
    stream = bytearray()
    with pytest.raises(CorruptBlob):
        save_to_stream(store, ["busybox:1"], stream.extend)
    (tmp_path / "cut.tar").write_bytes(stream)
    with pytest.raises(MilleError):
        loaded(Store(str(tmp_path / "other")), tmp_path / "cut.tar")


def test_the_file_is_its_owners_alone_and_whole(tmp_path: Path, store: Store, gzipped: MadeImage) -> None:
    target = tmp_path / "out.tar"
    save_to_file(store, ["busybox:1"], str(target))
    status = target.stat()
    assert status.st_mode & 0o7777 == 0o600
    assert status.st_size % 10240 == 0
    assert target.read_bytes()[-1024:] == bytes(1024)


@pytest.mark.parametrize("nameless", [True, False])
@pytest.mark.parametrize("act", ["create", "allocate", "write", "truncate", "fsync", "link", "rename"])
def test_a_disk_that_fails_leaves_no_file(
    tmp_path: Path, store: Store, gzipped: MadeImage, monkeypatch: pytest.MonkeyPatch, act: str,
    nameless: bool,
) -> None:  # fmt: skip
    if not nameless:
        if act == "link":
            pytest.skip("a file with a name needs no link")
        monkeypatch.setattr(files, "create_nameless", lambda directory: None)
    begun: list[str] = []

    def hook(name: str, subject: object) -> None:
        # Only what concerns the output: the store has files of its own.
        if name in ("create", "unlink") and str(subject).startswith(str(tmp_path)):
            begun.append(name)
        if begun and name == act and not str(subject).startswith(store.disk.root):
            files.hook = None
            raise OSError(28, "No space left on device")

    files.hook = hook
    try:
        with pytest.raises(MilleError, match=r"out\.tar: no space left on device"):
            save_to_file(store, ["busybox:1"], str(tmp_path / "out.tar"))
    finally:
        files.hook = None
    assert not [path for path in tmp_path.iterdir() if "out.tar" in path.name]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("missing/out.tar", "^invalid output path: stat .*missing: no such file or directory$"),
        ("", "^cannot write to a directory$"), ("link", "^cannot write to a symbolic link directly$"),
    ],
)  # fmt: skip
def test_a_place_where_no_file_can_be(
    tmp_path: Path, store: Store, gzipped: MadeImage, path: str, words: str
) -> None:
    (tmp_path / "link").symlink_to("out.tar")
    with pytest.raises(BadOutput, match=words):
        save_to_file(store, ["busybox:1"], str(tmp_path / path))


def test_what_is_saved_is_leased(tmp_path: Path, store: Store, gzipped: MadeImage) -> None:
    seen: set[str] = set()

    def write(data: bytes | memoryview) -> None:
        with store.reading() as tx:
            seen.update(row[0] for row in tx.execute("SELECT item FROM lease_items"))

    save_to_stream(store, ["busybox:1"], write)
    assert seen >= {gzipped.id, digest_of(gzipped.manifest("docker")), *(x.digest for x in gzipped.layers)}
    with store.reading() as tx:
        assert tx.execute("SELECT count(*) FROM leases").fetchone()[0] == 0
        assert [(event.action, event.actor) for event in since(tx)][-1] == ("save", gzipped.id)


def test_an_image_without_layers(tmp_path: Path, store: Store) -> None:
    rootfs = {"type": "layers", "diff_ids": []}
    config = json.dumps({"os": "linux", "architecture": "amd64", "rootfs": rootfs})
    image = MadeImage(layers=(), config=config.encode())
    loaded(store, docker_archive(image, tmp_path / "in.tar", "empty:1"))
    [entry] = json.loads(_saved(store, tmp_path, "empty:1")["manifest.json"])
    assert entry == {"Config": f"blobs/sha256/{image.id[7:]}", "RepoTags": ["empty:1"], "Layers": []}


def _replace(store: Store, directory: Path, name: str) -> Digest:
    """Give another image the name, and remove the one that had it."""
    directory.mkdir()
    other = made(directory, "", text="other")
    loaded(store, docker_archive(other, directory / "in.tar", name))
    pruned(store)
    return Digest.parse(other.id)


def test_a_name_that_gets_another_image_meanwhile(
    tmp_path: Path, store: Store, gzipped: MadeImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids: list[Digest] = []
    before_lease(monkeypatch, lambda: ids.append(_replace(store, tmp_path / "new", "busybox:1")))
    members = _saved(store, tmp_path, "busybox:1")
    [entry] = json.loads(members["manifest.json"])
    assert entry["Config"] == f"blobs/sha256/{ids[0].hex}"


def test_a_name_that_goes_meanwhile(
    tmp_path: Path, store: Store, gzipped: MadeImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def removed() -> None:
        with store.writing() as tx:
            remove(tx, "busybox:1", Nobody())

    before_lease(monkeypatch, removed)
    with pytest.raises(NoSuchImage, match=r"^No such image: busybox:1$"):
        _saved(store, tmp_path, "busybox:1")
