from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import tarfile
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.transfer.archive.conftest import (
    docker_archive,
    layout_archive,
    loaded,
    made,
    packed,
    store_files,
)

from millefeuille import files
from millefeuille.errors import MilleError
from millefeuille.layers import compression
from millefeuille.layers.compression import Bomb
from millefeuille.oci.digest import Digest
from millefeuille.oci.platform import Platform
from millefeuille.progress import Silent
from millefeuille.store.check import check
from millefeuille.store.images import images, layers_of
from millefeuille.store.store import Store
from millefeuille.testing import rawtars
from millefeuille.testing.images import MadeImage, digest_of, make_image, make_index, write_layout
from millefeuille.testing.tars import file_entry, make_layer
from millefeuille.transfer.archive import decompression
from millefeuille.transfer.archive.load import load

# The bytes with which a tar of an image begins under each compression, made by other programs' code.
COMPRESSIONS: Mapping[str, Callable[[bytes], bytes]] = {
    "none": lambda data: data,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "two gzip members": lambda data: gzip.compress(data[:5000]) + gzip.compress(data[5000:]),
    "two bzip2 streams": lambda data: bz2.compress(data[:5000]) + bz2.compress(data[5000:]),
    "padded xz": lambda data: lzma.compress(data) + bytes(8),
}


def _ids(store: Store) -> dict[str, tuple[str, ...]]:
    with store.reading() as tx:
        return {str(image.id): image.tags for image in images(tx)}


def test_a_docker_archive_gives_the_image_under_its_names(
    tmp_path: Path, store: Store, image: MadeImage
) -> None:
    path = docker_archive(image, tmp_path / "a.tar", "busybox:1", "example.com/x/y:z")
    [found] = loaded(store, path)
    assert (str(found.image), found.renamed) == (image.id, {})
    assert found.names == ("busybox:1", "example.com/x/y:z")
    assert _ids(store) == {image.id: ("docker.io/library/busybox:1", "example.com/x/y:z")}
    assert check(store, data=True).problems == ()


def test_a_plain_layer_is_on_the_disk_once(tmp_path: Path, store: Store, image: MadeImage) -> None:
    loaded(store, docker_archive(image, tmp_path / "a.tar", "busybox:1"))
    for layer in image.layers:
        diff_id = Digest.parse(layer.diff_id)
        assert os.path.samefile(store.disk.tar(diff_id), store.disk.blob(diff_id))
        assert Path(store.disk.tar(diff_id)).read_bytes() == layer.path.read_bytes()


def test_the_manifest_made_for_an_archive_is_always_the_same(
    tmp_path: Path, store: Store, image: MadeImage
) -> None:
    other = Store(str(tmp_path / "other"))
    for each in (store, other):
        loaded(each, docker_archive(image, tmp_path / "a.tar", "busybox:1"))
    with store.reading() as one, other.reading() as two:
        assert [i.manifest for i in images(one)] == [i.manifest for i in images(two)]
        [record] = images(one)
    manifest = json.loads(store.blobs.read(record.manifest))
    assert manifest["mediaType"] == "application/vnd.oci.image.manifest.v1+json"
    assert [layer["digest"] for layer in manifest["layers"]] == [layer.diff_id for layer in image.layers]


@pytest.mark.parametrize("compress", COMPRESSIONS.values(), ids=COMPRESSIONS.keys())
def test_every_compression_of_the_whole_is_read(
    tmp_path: Path, store: Store, image: MadeImage, compress: Callable[[bytes], bytes]
) -> None:
    path = docker_archive(image, tmp_path / "a.tar", "busybox:1")
    path.write_bytes(compress(path.read_bytes()))
    assert [str(found.image) for found in loaded(store, path)] == [image.id]
    assert not os.listdir(store.disk.ingest)


@pytest.mark.parametrize("compress", [*COMPRESSIONS.values()][:4], ids=[*COMPRESSIONS.keys()][:4])
def test_an_archive_cut_off_at_any_tenth_is_refused_and_leaves_nothing(
    tmp_path: Path, store: Store, image: MadeImage, compress: Callable[[bytes], bytes]
) -> None:
    whole = docker_archive(image, tmp_path / "a.tar", "busybox:1").read_bytes()
    # What follows the last member's data is padding, without which the archive is still whole.
    data = compress(whole[:-10240] if compress is COMPRESSIONS["none"] else whole)
    for tenth in range(1, 10):
        path = tmp_path / f"cut-{tenth}.tar"
        path.write_bytes(data[: len(data) * tenth // 10])
        with pytest.raises(MilleError):
            loaded(store, path)
        assert list(store_files(store)) == []


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_layers_of_a_docker_archive_may_be_compressed(tmp_path: Path, store: Store, compression: str) -> None:
    image = made(tmp_path, compression)
    loaded(store, docker_archive(image, tmp_path / "a.tar", "busybox:1"))
    with store.reading() as tx:
        kept = [str(record.diff_id) for record in layers_of(tx, Digest.parse(image.id))]
    assert kept == [layer.diff_id for layer in image.layers]
    assert all(Digest.parse(layer.digest) in store.blobs for layer in image.layers)


def test_a_pipe_is_read_to_its_end(tmp_path: Path, store: Store, image: MadeImage) -> None:
    data = docker_archive(image, tmp_path / "a.tar", "busybox:1").read_bytes()
    reader, writer = os.pipe()

    def send() -> None:
        with open(writer, "wb", buffering=0) as pipe:
            for start in range(0, len(data), 700):
                pipe.write(data[start : start + 700])

    thread = threading.Thread(target=send)
    thread.start()
    try:
        assert [str(found.image) for found in load(store, reader, Silent())] == [image.id]
    finally:
        thread.join()
        os.close(reader)


@pytest.mark.parametrize("kind", ["oci", "docker"])
def test_a_layout_keeps_its_manifest_byte_for_byte(tmp_path: Path, store: Store, kind: str) -> None:
    image = made(tmp_path, "gzip")
    path = layout_archive(image, tmp_path / "a.tar", name="busybox:1", kind=kind)
    [found] = loaded(store, path)
    assert (str(found.image), found.names) == (image.id, ("busybox:1",))
    assert store.blobs.read(Digest.of(image.manifest(kind))) == image.manifest(kind)


def test_a_layout_whose_name_is_a_tag_alone_gives_a_nameless_image(tmp_path: Path, store: Store) -> None:
    image = made(tmp_path, "gzip")
    [found] = loaded(store, layout_archive(image, tmp_path / "a.tar", name="latest"))
    assert (str(found.image), found.names) == (image.id, ())


def test_an_image_that_is_there_is_not_stored_in_another_form(tmp_path: Path, store: Store) -> None:
    compressed = made(tmp_path, "gzip")
    plain = made(tmp_path, "")
    loaded(store, layout_archive(compressed, tmp_path / "a.tar", name="busybox:1"))
    before = list(store_files(store))
    loaded(store, docker_archive(plain, tmp_path / "b.tar", "busybox:2"))
    assert list(store_files(store)) == before
    assert _ids(store) == {plain.id: ("docker.io/library/busybox:1", "docker.io/library/busybox:2")}


def test_a_name_moves_to_the_loaded_image_and_the_old_one_is_told(tmp_path: Path, store: Store) -> None:
    old, new = made(tmp_path, "", text="old"), made(tmp_path, "", text="new")
    loaded(store, docker_archive(old, tmp_path / "a.tar", "busybox:1"))
    [found] = loaded(store, docker_archive(new, tmp_path / "b.tar", "busybox:1"))
    assert found.renamed == {"busybox:1": Digest.parse(old.id)}
    assert _ids(store) == {old.id: (), new.id: ("docker.io/library/busybox:1",)}


def test_another_platform_loads_nothing(tmp_path: Path, store: Store, image: MadeImage) -> None:
    path = docker_archive(image, tmp_path / "a.tar", "busybox:1")
    assert loaded(store, path, platform=Platform.parse("linux/arm64")) == []
    assert list(store_files(store)) == []


def _index_archive(tmp_path: Path, images: list[MadeImage], drop: MadeImage | None = None) -> Path:
    directory = tmp_path / "index.layout"
    for n, image in enumerate(images):
        write_layout(image, tmp_path / f"part-{n}")
    (directory / "blobs").mkdir(parents=True)
    (directory / "blobs/sha256").mkdir()
    for n in range(len(images)):
        for blob in (tmp_path / f"part-{n}/blobs/sha256").iterdir():
            (directory / "blobs/sha256" / blob.name).write_bytes(blob.read_bytes())
    if drop is not None:
        (directory / "blobs/sha256" / digest_of(drop.manifest("oci"))[7:]).unlink()
    raw = make_index(images, "oci")
    (directory / "blobs/sha256" / digest_of(raw)[7:]).write_bytes(raw)
    (directory / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    entry = {
        "mediaType": "application/vnd.oci.image.index.v1+json", "size": len(raw), "digest": digest_of(raw),
        "annotations": {"io.containerd.image.name": "docker.io/library/multi:1"},
    }  # fmt: skip
    (directory / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    return packed(directory, tmp_path / "index.tar")


def test_every_platform_at_hand_is_loaded_and_the_name_means_this_machines(
    tmp_path: Path, store: Store
) -> None:
    host = Platform.host().architecture
    mine, other = made(tmp_path, "gzip", architecture=host), made(tmp_path, "gzip", architecture="s390x")
    [found] = loaded(store, _index_archive(tmp_path, [mine, other]))
    assert str(found.image) == mine.id
    assert set(_ids(store)) == {mine.id, other.id}
    with store.reading() as tx:
        assert tx.execute("SELECT target, image FROM names").fetchall() == [
            (digest_of(make_index([mine, other], "oci")), mine.id)
        ]


def test_an_index_may_list_more_than_the_archive_holds(tmp_path: Path, store: Store) -> None:
    host = Platform.host().architecture
    mine, other = made(tmp_path, "gzip", architecture=host), made(tmp_path, "gzip", architecture="s390x")
    [found] = loaded(store, _index_archive(tmp_path, [mine, other], drop=mine))
    assert str(found.image) == other.id


def test_what_is_said_about_an_image_is_none(tmp_path: Path, store: Store) -> None:
    one, other = made(tmp_path, "gzip"), made(tmp_path, "gzip", architecture="s390x")

    def listed(members: Members) -> None:
        entries = [
            {"mediaType": "application/vnd.oci.image.manifest.v1+json", "size": len(raw),
             "digest": digest_of(raw), "annotations": {"vnd.docker.reference.type": kind}}
            for raw, kind in ((one.manifest("oci"), ""), (other.manifest("oci"), "attestation-manifest"))
        ]  # fmt: skip
        members["index.json"] = json.dumps({"schemaVersion": 2, "manifests": entries}).encode()

    members = _members(_index_archive(tmp_path, [one, other]))
    listed(members)
    [found] = loaded(store, _write(tmp_path / "said.tar", members))
    assert (str(found.image), set(_ids(store))) == (one.id, {one.id})


def test_one_platform_of_several_can_be_asked_for(tmp_path: Path, store: Store) -> None:
    one, other = made(tmp_path, "gzip"), made(tmp_path, "gzip", architecture="s390x")
    path = _index_archive(tmp_path, [one, other])
    [found] = loaded(store, path, platform=Platform.parse("linux/s390x"))
    assert (str(found.image), set(_ids(store))) == (other.id, {other.id})


# Hostile archives. Each changes the members of a good one; none may leave anything behind.
Members = dict[str, bytes]


def _changed_manifest(**changes: object) -> Callable[[Members], None]:
    def change(members: Members) -> None:
        [entry] = json.loads(members["manifest.json"])
        members["manifest.json"] = json.dumps([entry | changes]).encode()

    return change


def _swapped_layers(members: Members) -> None:
    first, second = (name for name in members if name.endswith("/layer.tar"))
    members[first], members[second] = members[second], members[first]


def _changed_layer(members: Members) -> None:
    name = next(name for name in members if name.endswith("/layer.tar"))
    members[name] = members[name].replace(b"one", b"two", 1)


def _config(change: Callable[[dict[str, Any]], object]) -> Callable[[Members], None]:
    def apply(members: Members) -> None:
        name = next(name for name in members if name.endswith(".json") and name != "manifest.json")
        fields = json.loads(members.pop(name))
        change(fields)
        # Under a name that promises nothing.
        members["config.json"] = json.dumps(fields).encode()
        _changed_manifest(Config="config.json")(members)

    return apply


def _put(name: str, data: bytes) -> Callable[[Members], None]:
    return lambda members: members.update({name: data})


def _drop(end: str) -> Callable[[Members], None]:
    return lambda members: members.pop(next(name for name in members if name.endswith(end)))  # type: ignore[func-returns-value]  # only the removal counts


HOSTILE: Mapping[str, tuple[Callable[[Members], object], str]] = {
    "layers in the wrong order": (_swapped_layers, "have digest"),
    "a changed layer": (_changed_layer, "have digest"),
    "a layer that is no tar": (
        lambda members: members.update({n: b"x" * 600 for n in members if n.endswith("/layer.tar")}),
        "refused|digest",
    ),
    "no layers in the list": (_changed_manifest(Layers=[]), "0 layers, but the config lists 2"),
    "too many layers": (_changed_manifest(Layers=["x"] * 600), "more than 512 layers"),
    "layers that are no list": (_changed_manifest(Layers="abc"), "malformed"),
    "a layer by an absolute name": (_changed_manifest(Layers=["/etc/passwd"] * 2), "no file '/etc/passwd'"),
    "a layer outside": (_changed_manifest(Layers=["../../etc/passwd"] * 2), "no file"),
    "a config outside": (_changed_manifest(Config="/etc/passwd"), "no file '/etc/passwd'"),
    "a config that is missing": (_changed_manifest(Config="nothing.json"), "no file 'nothing.json'"),
    "a config that is no text": (_changed_manifest(Config=7), "malformed"),
    "a name with a digest": (_changed_manifest(RepoTags=["busybox@sha256:" + "0" * 64]), "invalid tag"),
    "a name without a tag": (_changed_manifest(RepoTags=["busybox"]), 'invalid tag "busybox"'),
    "a name of many lines": (_changed_manifest(RepoTags=["busybox:1\nx"]), "invalid"),
    "a name in capitals": (_changed_manifest(RepoTags=["BusyBox:1"]), "must be lowercase"),
    "a name like an ID": (_changed_manifest(RepoTags=["sha256:" + "a" * 64]), "an ambiguous tag"),
    "a long name of a config": (_changed_manifest(Config="x" * 9999), "no file 'x{200}...' in it$"),
    "a name that is a path": (_changed_manifest(RepoTags=["../../x:1"]), "invalid reference format"),
    "a name that is a number": (_changed_manifest(RepoTags=[1]), "invalid tag 1"),
    "an entry that is no object": (_put("manifest.json", b"[1]"), "malformed"),
    "an object for a list": (_put("manifest.json", b"{}"), "manifest.json: not a JSON list"),
    "a directory of skopeo": (
        lambda members: members.update({"manifest.json": b" {}", "version": b"Directory Transport 1"}),
        "a copy by the `dir:` transport",
    ),
    "a key twice": (_put("manifest.json", b'[{"Config":"a","Config":"b"}]'), "a key appears twice"),
    "deep nesting": (_put("manifest.json", b"[" * 100 + b"]" * 100), "nested deeper"),
    "another document behind": (_put("manifest.json", b'[],"images":[]'), "not valid JSON"),
    "another member behind": (_put("manifest.json", b'[],"a":1'), "not valid JSON"),
    "a key in small letters": (_put("manifest.json", b'[{"config":"a"}]'), "config must be written Config"),
    "no JSON": (_put("manifest.json", b"\xff\xfe"), "not UTF-8"),
    "a huge document": (_put("manifest.json", b" " * (5 << 20)), "larger than"),
    "no manifest at all": (_drop("manifest.json"), "unrecognized image format"),
    "a config under another's digest": (
        lambda m: m.update({n: m[n] + b" " for n in m if n.endswith(".json") and n != "manifest.json"}),
        "does not match its digest",
    ),
    "one diff ID too few": (
        _config(lambda config: config["rootfs"]["diff_ids"].pop()),
        "2 layers, but the config lists 1",
    ),
    "a history of other length": (
        _config(lambda config: config["history"].append({"created_by": "x"})),
        "the history has 3",
    ),
    "a diff ID that is a path": (
        _config(lambda config: config["rootfs"].update(diff_ids=["../../../x", "sha256:y"])),
        "invalid checksum digest",
    ),
}


def _members(path: Path) -> Members:
    with tarfile.open(path) as archive:
        found = {}
        for member in archive:
            file = archive.extractfile(member)
            if file is not None:
                found[member.name] = file.read()
        return found


def _write(path: Path, members: Mapping[str, bytes]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, data in members.items():
            header = tarfile.TarInfo(name)
            header.size = len(data)
            archive.addfile(header, io.BytesIO(data))
    return path


@pytest.mark.parametrize(("change", "words"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_docker_archive_is_refused_and_leaves_nothing(
    tmp_path: Path, store: Store, image: MadeImage, change: Callable[[Members], object], words: str
) -> None:
    members = _members(docker_archive(image, tmp_path / "a.tar", "busybox:1"))
    change(members)
    with pytest.raises(MilleError, match=words) as refused:
        loaded(store, _write(tmp_path / "b.tar", members))
    assert "\n" not in str(refused.value)
    assert not [path for path in store_files(store) if not _is_good(path, image)]
    if os.path.exists(store.disk.database):
        assert _ids(store) == {}


def _is_good(path: str, image: MadeImage) -> bool:
    """Whether a file belongs to a layer that came in whole before the bad one; `prune` removes those."""
    return any(layer.diff_id[7:] in path for layer in image.layers)


LAYOUT_LIES: Mapping[str, tuple[Callable[[Members, MadeImage], object], str]] = {
    "a longer manifest": (
        lambda m, i: m.update({_blob(digest_of(i.manifest("oci"))): i.manifest("oci") + b" "}),
        "bytes in the archive instead of the [0-9]+ promised",
    ),
    "a changed manifest": (
        lambda m, i: m.update({_blob(digest_of(i.manifest("oci"))): i.manifest("oci")[:-1] + b" "}),
        "does not match its digest",
    ),
    "a changed config": (
        lambda m, i: m.update({_blob(i.id): i.config.replace(b"linux", b"plan9", 1)}),
        "does not match its digest",
    ),
    "a longer layer": (
        lambda m, i: m.update({_blob(i.layers[0].digest): i.layers[0].path.read_bytes() + b"x"}),
        "bytes in the archive instead of",
    ),
    "a changed layer": (
        lambda m, i: m.update({_blob(i.layers[0].digest): bytes(i.layers[0].size)}),
        "refused|digest",
    ),
    "a missing layer": (lambda m, i: m.pop(_blob(i.layers[1].digest)), "not found"),
    "a missing manifest": (lambda m, i: m.pop(_blob(digest_of(i.manifest("oci")))), "not found"),
    "another version": (
        lambda m, i: m.update({"oci-layout": b'{"imageLayoutVersion":"2.0.0"}'}),
        "unsupported OCI version 2.0.0",
    ),
    "no images": (
        lambda m, i: m.update({"index.json": b'{"schemaVersion":2,"manifests":[]}'}),
        "no image in it",
    ),
    "an image for an index": (
        lambda m, i: m.update({"index.json": i.manifest("oci")}),
        "index.json",
    ),
    "a digest that is a path": (
        lambda m, i: m.update({"index.json": m["index.json"].replace(b"sha256:", b"../../etc/", 1)}),
        "invalid",
    ),
}


def _blob(digest: str) -> str:
    return f"blobs/sha256/{digest[7:]}"


@pytest.mark.parametrize(("change", "words"), LAYOUT_LIES.values(), ids=LAYOUT_LIES.keys())
def test_a_layout_that_lies_is_refused(
    tmp_path: Path, store: Store, change: Callable[[Members, MadeImage], object], words: str
) -> None:
    image = made(tmp_path, "gzip")
    members = _members(layout_archive(image, tmp_path / "a.tar", name="busybox:1"))
    change(members, image)
    with pytest.raises(MilleError, match=words):
        loaded(store, _write(tmp_path / "b.tar", members))
    if os.path.exists(store.disk.database):
        assert _ids(store) == {}


def test_indexes_in_a_ring_are_refused(tmp_path: Path, store: Store) -> None:
    # An index cannot hold its own digest, but a chain of them can be made as long as one likes.
    image, members = made(tmp_path, "gzip"), {}
    raw, kind = image.manifest("oci"), "application/vnd.oci.image.manifest.v1+json"
    for _ in range(8):
        members[_blob(digest_of(raw))] = raw
        entry = {"mediaType": kind, "size": len(raw), "digest": digest_of(raw)}
        kind = "application/vnd.oci.image.index.v1+json"
        raw = json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": [entry]}).encode()
    members |= {"index.json": raw, "oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}
    with pytest.raises(MilleError, match="nested deeper"):
        loaded(store, _write(tmp_path / "a.tar", members))


def test_the_images_before_a_bad_one_stay(tmp_path: Path, store: Store) -> None:
    good, bad = made(tmp_path, "", text="good"), made(tmp_path, "", text="bad")
    members = _members(docker_archive(good, tmp_path / "a.tar", "good:1"))
    more = _members(docker_archive(bad, tmp_path / "b.tar", "bad:1"))
    _swapped_layers(more)
    entries = json.loads(members["manifest.json"]) + json.loads(more["manifest.json"])
    # Their upper layers are equal, and so are the members' names.
    joined = {**more, **members, "manifest.json": json.dumps(entries).encode()}
    found = []
    with pytest.raises(MilleError):
        descriptor = os.open(_write(tmp_path / "c.tar", joined), os.O_RDONLY)
        for each in load(store, descriptor, Silent()):
            found.append(str(each.image))
    os.close(descriptor)
    assert found == [good.id]
    assert _ids(store) == {good.id: ("docker.io/library/good:1",)}


def _v1(layers: list[tuple[str, bytes]], **top: object) -> Members:
    """An archive as Docker wrote it before 1.10; each layer with its ID."""
    members: Members = {}
    parent = ""
    for identifier, tar in layers:
        fields = {"id": identifier, "created": "2015-01-01T00:00:00Z", "os": "linux", "architecture": "amd64"}
        fields |= {"container_config": {"Cmd": ["/bin/sh", "-c", f"step {identifier[:2]}"]}}
        fields |= {"parent": parent} if parent else {}
        members[f"{identifier}/VERSION"] = b"1.0"
        members[f"{identifier}/json"] = json.dumps(fields).encode()
        members[f"{identifier}/layer.tar"] = tar
        parent = identifier
    members["repositories"] = json.dumps({"old": {"1": parent}}).encode()
    return members


def test_an_archive_of_the_first_kind_becomes_an_image(
    tmp_path: Path, store: Store, image: MadeImage
) -> None:
    tars = [layer.path.read_bytes() for layer in image.layers]
    members = _v1([("a" * 64, tars[0]), ("b" * 64, tars[1])])
    [found] = loaded(store, _write(tmp_path / "a.tar", members))
    assert found.names == ("old:1",)
    config = json.loads(store.blobs.read(found.image))
    assert config["rootfs"]["diff_ids"] == [layer.diff_id for layer in image.layers]
    assert [step["created_by"] for step in config["history"]] == ["/bin/sh -c step aa", "/bin/sh -c step bb"]
    assert not {"id", "parent"} & set(config)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m.update({"repositories": b'{"old":{"1":"../../etc"}}'}), "is no image ID"),
        (lambda m: m.update({"repositories": b'{"old":"x"}'}), "malformed"),
        (lambda m: m.update({f"{'a' * 64}/json": b'{"parent":"' + b"b" * 64 + b'"}'}), "no end of parents"),
        (lambda m: m.pop(f"{'a' * 64}/layer.tar"), "no file"),
        (lambda m: m.pop(f"{'a' * 64}/json"), "no file"),
    ],
)
def test_a_bad_archive_of_the_first_kind_is_refused(
    tmp_path: Path, store: Store, image: MadeImage, change: Callable[[Members], object], words: str
) -> None:
    tars = [layer.path.read_bytes() for layer in image.layers]
    members = _v1([("a" * 64, tars[0]), ("b" * 64, tars[1])])
    change(members)
    with pytest.raises(MilleError, match=words):
        loaded(store, _write(tmp_path / "a.tar", members))


@pytest.mark.parametrize("compress", [bz2.compress, lzma.compress, gzip.compress])
def test_a_bomb_is_stopped(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch, compress: Callable[[bytes], bytes]
) -> None:
    for module in (compression, decompression):
        monkeypatch.setattr(module, "RATIO_FREE", 1 << 20)
        monkeypatch.setattr(module, "RATIO_MAXIMUM", 900)  # deflate reaches 1032
    path = tmp_path / "bomb.tar"
    path.write_bytes(compress(rawtars.header(b"big", size=64 << 20) + bytes(64 << 20)))
    with pytest.raises(Bomb, match="inflates to more than 900 times its size"):
        loaded(store, path)
    assert list(store_files(store)) == []


@pytest.fixture
def full_disk() -> Iterator[list[int]]:
    """Lets writes fail with ENOSPC after as many as the list says."""
    left = [1 << 30]

    def hook(act: str, subject: object) -> None:
        if act == "write":
            left[0] -= 1
            if left[0] < 0:
                raise OSError(28, "No space left on device")

    files.hook = hook
    yield left
    files.hook = None


@pytest.mark.parametrize("writes", [0, 1, 2, 5])
def test_a_full_disk_is_one_clear_error(
    tmp_path: Path, store: Store, image: MadeImage, full_disk: list[int], writes: int
) -> None:
    path = docker_archive(image, tmp_path / "a.tar", "busybox:1")
    store.create()
    with store.writing():
        pass
    full_disk[0] = writes
    with pytest.raises(MilleError, match="no space left on device"):
        loaded(store, path)
    full_disk[0] = 1 << 30
    assert _ids(store) == {}
    [found] = loaded(store, path)
    assert str(found.image) == image.id
    assert check(store, data=True).problems == ()


def test_two_images_that_share_a_layer(tmp_path: Path, store: Store) -> None:
    shared = make_layer(tmp_path / "shared.tar", [file_entry("a", b"a")], compression="")
    own = make_layer(tmp_path / "own.tar", [file_entry("b", b"b")], compression="")
    one, two = make_image([shared]), make_image([shared, own])
    loaded(store, docker_archive(one, tmp_path / "1.tar", "one:1"))
    loaded(store, docker_archive(two, tmp_path / "2.tar", "two:1"))
    assert set(_ids(store)) == {one.id, two.id}
    assert check(store, data=True).problems == ()
