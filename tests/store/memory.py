"""A source of images in memory, made with tarfile, gzip and json alone."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
import sys
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from millefeuille.oci import manifest as documents
from millefeuille.oci import mediatype
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.manifest import Index, Manifest
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import Reference
from millefeuille.progress import Silent
from millefeuille.store.chains import Prepare
from millefeuille.store.store import Store
from millefeuille.transfer.pull import Pulled, pull

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


@dataclass(frozen=True)
class Layer:
    """One layer: the blob's bytes, and the tar in it."""

    blob: bytes
    tar: bytes
    media_type: str

    @property
    def diff_id(self) -> Digest:
        return Digest.of(self.tar)

    def descriptor(self, algorithm: str = "sha256") -> Descriptor:
        return Descriptor(
            media_type=self.media_type, digest=Digest.of(self.blob, algorithm), size=len(self.blob)
        )


def tar_of(files: Mapping[str, bytes]) -> bytes:
    """A tar of regular files with fixed metadata."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in files.items():
            header = tarfile.TarInfo(name)
            header.size, header.mtime = len(data), 1_700_000_000
            archive.addfile(header, io.BytesIO(data))
    return out.getvalue()


def layer(seed: int, size: int = 2000, compression: str = "gzip") -> Layer:
    """A layer with one file of `size` random bytes, and one named like its seed."""
    return compressed(
        tar_of({f"data{seed}": random.Random(seed).randbytes(size), f"only{seed}": b"x" * seed}), compression
    )


def compressed(tar: bytes, compression: str) -> Layer:
    if compression == "gzip":
        return Layer(gzip.compress(tar, 1, mtime=0), tar, mediatype.OCI_LAYER_GZIP)
    if compression == "zstd":
        return Layer(zstd.compress(tar, 3), tar, f"{mediatype.OCI_LAYER}+zstd")
    return Layer(tar, tar, mediatype.OCI_LAYER)


class Stream:
    """A blob's bytes from `offset` on; breaks off after `cut` bytes of them when that is set."""

    def __init__(self, data: bytes, offset: int, cut: int | None, step: int) -> None:
        self.offset = offset
        self._rest = memoryview(data)[offset:]
        self._cut = cut
        self._step = step

    def readinto(self, buffer: bytearray) -> int:
        count = min(len(buffer), len(self._rest), self._step)
        if self._cut is not None:
            if not self._cut:
                raise ConnectionResetError(104, "Connection reset by peer")
            count = min(count, self._cut)
            self._cut -= count
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def close(self) -> None:
        self._rest = self._rest[:0]


@dataclass
class Memory:
    """A repository in memory. `cuts` says after how many bytes the next stream of a blob breaks off."""

    blobs: dict[Digest, bytes] = field(default_factory=dict)
    manifests: dict[Digest, tuple[str, bytes]] = field(default_factory=dict)
    tags: dict[str, Descriptor] = field(default_factory=dict)
    cuts: dict[Digest, int] = field(default_factory=dict)
    opened: list[tuple[Digest, int]] = field(default_factory=list)
    step: int = 1 << 20

    def resolve(self, reference: Reference) -> Descriptor:
        if reference.digest:
            media_type, raw = self.manifests[reference.digest]
            return Descriptor(media_type=media_type, digest=reference.digest, size=len(raw))
        return self.tags[reference.tag or "latest"]

    def manifest(self, wanted: Descriptor) -> tuple[Descriptor, bytes]:
        return wanted, self.manifests[wanted.digest][1]

    def open(self, blob: Descriptor, *, offset: int = 0, mirrors: bool = True) -> Stream:
        self.opened.append((blob.digest, offset))
        return Stream(self.blobs[blob.digest], offset, self.cuts.pop(blob.digest, None), self.step)

    def add_wide(self, tag: str) -> list[Descriptor]:
        """Three indexes, each with the one below it ten times over, and an image below; the lowest first."""
        platform = {"platform": {"os": "linux", "architecture": "amd64"}}
        found = [self.add("below", [layer(1)])]
        for _ in range(3):
            entries = [found[-1].to_json() | platform] * 10
            raw = json.dumps({"schemaVersion": 2, "mediaType": mediatype.OCI_INDEX, "manifests": entries})
            found.append(self.document(tag, mediatype.OCI_INDEX, raw.encode()))
        return found

    def add(
        self,
        tag: str,
        layers: Sequence[Layer],
        *,
        architecture: str = "amd64",
        algorithm: str = "sha256",
        diff_ids: Sequence[Digest] | None = None,
        manifest: Mapping[str, Any] | None = None,
        **config: Any,
    ) -> Descriptor:
        """An image under `tag`; `diff_ids` lies about the layers, `manifest` adds fields to it."""
        document = {
            "architecture": architecture, "os": "linux", "created": "2023-11-14T22:13:20Z", "config": config,
            "history": [{"created_by": f"layer {n}"} for n in range(len(layers))],
            "rootfs": {"type": "layers", "diff_ids": list(map(str, diff_ids or [x.diff_id for x in layers]))},
        }  # fmt: skip
        raw_config = json.dumps(document).encode()
        self.blobs[Digest.of(raw_config)] = raw_config
        for one in layers:
            self.blobs[one.descriptor(algorithm).digest] = one.blob
        written = {
            "schemaVersion": 2, "mediaType": mediatype.OCI_MANIFEST,
            "config": described(mediatype.OCI_CONFIG, raw_config),
            "layers": [one.descriptor(algorithm).to_json() for one in layers],
        }  # fmt: skip
        raw = json.dumps(written | dict(manifest or {})).encode()
        return self.document(tag, mediatype.OCI_MANIFEST, raw)

    def add_index(self, tag: str, members: Mapping[str, Descriptor]) -> Descriptor:
        """An index under `tag` of manifests by their architecture."""
        entries = [
            one.to_json() | {"platform": {"os": "linux", "architecture": architecture}}
            for architecture, one in members.items()
        ]
        index = {"schemaVersion": 2, "mediaType": mediatype.OCI_INDEX, "manifests": entries}
        return self.document(tag, mediatype.OCI_INDEX, json.dumps(index).encode())

    def document(self, tag: str, media_type: str, raw: bytes) -> Descriptor:
        digest = Digest("sha256", hashlib.sha256(raw).hexdigest())
        self.manifests[digest] = (media_type, raw)
        self.tags[tag] = Descriptor(media_type=media_type, digest=digest, size=len(raw))
        return self.tags[tag]


def described(media_type: str, data: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "size": len(data), "digest": str(Digest.of(data))}


class Visits:
    """Counts the manifests and indexes that are parsed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self._parse = documents.parse
        monkeypatch.setattr(documents, "parse", self._counted)

    def _counted(self, *arguments: Any, **named: Any) -> Manifest | Index:
        self.count += 1
        return self._parse(*arguments, **named)


def brought(
    store: Store, memory: Memory, text: str, platform: str = "linux/amd64", prepare: Prepare | None = None
) -> Pulled:
    """Pull `text`, a name with tag or digest, out of `memory`."""
    wanted = Platform.parse(platform)
    return pull(store, memory, Reference.parse(text), Silent(), platform=wanted, prepare=prepare)
