"""Images of our own making, as a registry, an OCI layout or a Docker archive holds them.

Everything here is plain JSON, tarfile and urllib: no line of the engine under test takes part.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import io
import json
import shutil
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from millefeuille.annotations import Any, Final, NamedTuple
from millefeuille.errors import Failed
from millefeuille.testing.tars import MadeLayer
from millefeuille.values import dataclass

CREATED: Final = "2023-11-14T22:13:20Z"

_DOCKER: Final = "application/vnd.docker.distribution.manifest.v2+json"
_DOCKER_LIST: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
_OCI: Final = "application/vnd.oci.image.manifest.v1+json"
_OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
_LAYER_TYPES: Final = {
    ("docker", "gzip"): "application/vnd.docker.image.rootfs.diff.tar.gzip",
    ("docker", "zstd"): "application/vnd.docker.image.rootfs.diff.tar.zstd",
    ("docker", ""): "application/vnd.docker.image.rootfs.diff.tar",
    ("oci", "gzip"): "application/vnd.oci.image.layer.v1.tar+gzip",
    ("oci", "zstd"): "application/vnd.oci.image.layer.v1.tar+zstd",
    ("oci", ""): "application/vnd.oci.image.layer.v1.tar",
}
_CONFIG_TYPES: Final = {
    "docker": "application/vnd.docker.container.image.v1+json",
    "oci": "application/vnd.oci.image.config.v1+json",
}


class PushFailed(Failed):
    """The registry did not take something that a test gave it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeImage:
    """An image of one platform: its layers, lowest first, and the exact bytes of its config."""

    layers: tuple[MadeLayer, ...]
    config: bytes

    @property
    def id(self) -> str:
        """The digest of the config, which is the image's ID."""
        return digest_of(self.config)

    def manifest(self, kind: str) -> bytes:
        """The manifest's exact bytes; `kind` is docker (schema 2) or oci."""
        document = {
            "schemaVersion": 2,
            "mediaType": _DOCKER if kind == "docker" else _OCI,
            "config": _descriptor(_CONFIG_TYPES[kind], self.config),
            "layers": [
                {"mediaType": _LAYER_TYPES[kind, x.compression], "size": x.size, "digest": x.digest}
                for x in self.layers
            ],
        }
        return json.dumps(document, indent=3).encode()


class Step(NamedTuple):
    """One line of an image's history; an `empty` one made no layer."""

    text: str
    empty: bool = False


def make_image(
    layers: Sequence[MadeLayer],
    *,
    config: Mapping[str, object] | None = None,
    steps: Sequence[Step] = (),
    architecture: str = "amd64",
    variant: str = "",
    created: str = CREATED,
) -> MadeImage:
    """An image of these layers; without `steps` its history names each layer by its number."""
    history = [
        {"created": created, "created_by": text} | ({"empty_layer": True} if empty else {})
        for text, empty in steps or [Step(f"ADD layer {n} /") for n in range(len(layers))]
    ]
    document = {
        "architecture": architecture,
        **({"variant": variant} if variant else {}),
        "config": dict(config or {}),
        "created": created,
        "history": history,
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
    }
    return MadeImage(layers=tuple(layers), config=json.dumps(document, separators=(",", ":")).encode())


def make_index(images: Sequence[MadeImage], kind: str) -> bytes:
    """The exact bytes of an index (a manifest list, for docker) of these images."""
    manifests = []
    for image in images:
        config = json.loads(image.config)
        platform = {key: config[key] for key in ("architecture", "os", "variant") if key in config}
        raw = image.manifest(kind)
        manifests.append(_descriptor(_DOCKER if kind == "docker" else _OCI, raw) | {"platform": platform})
    media_type = _DOCKER_LIST if kind == "docker" else _OCI_INDEX
    return json.dumps({"schemaVersion": 2, "mediaType": media_type, "manifests": manifests}).encode()


def write_layout(image: MadeImage, directory: Path, *, name: str = "latest", kind: str = "oci") -> str:
    """Write an OCI image layout with one named image into a new directory; the manifest's digest."""
    blobs = directory / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    raw = image.manifest(kind)
    for data in (raw, image.config):
        (blobs / digest_of(data).partition(":")[2]).write_bytes(data)
    for layer in image.layers:
        target = blobs / layer.digest.partition(":")[2]
        if not target.exists():
            shutil.copyfile(layer.path, target)
    (directory / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    entry = _descriptor(_DOCKER if kind == "docker" else _OCI, raw)
    entry["annotations"] = {"org.opencontainers.image.ref.name": name}
    (directory / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    return digest_of(raw)


def write_docker_archive(image: MadeImage, path: Path, *names: str) -> None:
    """Write the tar of an old `docker save`: manifest.json, the config and layers under their digests.

    Layers go in as they are; make them with compression "" for the bytes that Docker wrote.
    """
    config_name = image.id.partition(":")[2] + ".json"
    layer_names = [layer.diff_id.partition(":")[2] + "/layer.tar" for layer in image.layers]
    listing = [{"Config": config_name, "RepoTags": list(names) or None, "Layers": layer_names}]
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name, layer in zip(layer_names, image.layers, strict=True):
            header = tarfile.TarInfo(name)
            header.size = layer.size
            with layer.path.open("rb") as content:
                archive.addfile(header, content)
        for name, data in ((config_name, image.config), ("manifest.json", json.dumps(listing).encode())):
            header = tarfile.TarInfo(name)
            header.size = len(data)
            archive.addfile(header, io.BytesIO(data))


def push(
    image: MadeImage | Sequence[MadeImage],
    address: str,
    repository: str,
    tag: str,
    *,
    kind: str = "docker",
    login: tuple[str, str] | None = None,
) -> str:
    """Upload an image, or several as an index, over plain HTTP; the digest that `tag` then names.

    `address` is HOST:PORT, `login` a name and a password. Raises PushFailed.
    """
    images = [image] if isinstance(image, MadeImage) else list(image)
    with _Upload(address, repository, login) as upload:
        for one in images:
            for layer in one.layers:
                upload.blob(layer.digest, layer.path)
            upload.blob(one.id, one.config)
            raw = one.manifest(kind)
            upload.manifest(digest_of(raw), raw)
        if not isinstance(image, MadeImage):
            raw = make_index(images, kind)
        upload.manifest(tag, raw)
    return digest_of(raw)


def digest_of(data: bytes) -> str:
    """The sha256 digest of some bytes, as `sha256:…`."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _descriptor(media_type: str, data: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "size": len(data), "digest": digest_of(data)}


class _Upload:
    """One connection that puts blobs and manifests into one repository."""

    def __init__(self, address: str, repository: str, login: tuple[str, str] | None) -> None:
        self._connection = http.client.HTTPConnection(address, timeout=60)
        self._repository = repository
        self._headers: dict[str, str] = {}
        if login is not None:
            self._headers["Authorization"] = f"Basic {base64.b64encode(':'.join(login).encode()).decode()}"

    def __enter__(self) -> _Upload:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def blob(self, digest: str, content: bytes | Path) -> None:
        """Upload one blob unless the repository has it."""
        if self._ask("HEAD", f"blobs/{digest}", {200, 404}).status == 200:
            return
        location = self._ask("POST", "blobs/uploads/", {202}).headers["Location"]
        target = f"{location}{'&' if '?' in location else '?'}digest={digest}"
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        if isinstance(content, bytes):
            self._ask("PUT", target, {201}, content, headers)
        else:
            with content.open("rb") as file:
                self._ask("PUT", target, {201}, file, headers)

    def manifest(self, name: str, raw: bytes) -> None:
        """Put a manifest under a tag or its digest."""
        headers = {"Content-Type": json.loads(raw)["mediaType"]}
        self._ask("PUT", f"manifests/{name}", {201}, raw, headers)

    def _ask(
        self,
        method: str,
        target: str,
        expected: set[int],
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> http.client.HTTPResponse:
        path = target if "://" in target else f"/v2/{self._repository}/{target}"
        path = "/" + path.partition("://")[2].partition("/")[2] if "://" in path else path
        self._connection.request(method, path, body, {**self._headers, **(headers or {})})
        response = self._connection.getresponse()
        answer = response.read()
        if response.status not in expected:
            raise PushFailed(f"{method} {path} answered {response.status}: {answer[:200]!r}")
        return response
