"""Base images whose configs are hostile: an image or one clear line, and nothing of the host."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.build.places import Place
from tests.store.memory import Layer, Memory, layer

from millefeuille.errors import MilleError
from millefeuille.oci import mediatype
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import Reference
from millefeuille.progress import Silent
from millefeuille.store.check import check
from millefeuille.transfer.pull import pull

LAYER = layer(1, 100)
TEXT = """\
FROM app:bad
ENV A=b
LABEL c=d
EXPOSE 80
VOLUME /v
WORKDIR sub
COPY file .
"""
HOSTILE: dict[str, Any] = {
    "Env a text": {"Env": "PATH=/evil"},
    "Env a number": {"Env": 7},
    "Env a mapping": {"Env": {"A": "b"}},
    "Env without equals": {"Env": ["HOME", "", "=", "=x", "A=b=c"]},
    "Env of all kinds": {"Env": [1, None, [], {}, "A=b"]},
    "Env with odd characters": {"Env": ["A=\u0000", "B=\n\u001b[2J", "\ud800=\udfff"]},
    "Env large": {"Env": [f"A{number}={'x' * 50}" for number in range(20_000)]},
    "OnBuild a text": {"OnBuild": "COPY file /"},
    "OnBuild of all kinds": {"OnBuild": [1, None, {}, ["RUN"], "LABEL a=b"]},
    "OnBuild many": {"OnBuild": [f"LABEL a{number}=b" for number in range(2_000)]},
    "OnBuild of no sense": {"OnBuild": ["NONSENSE"]},
    "OnBuild empty": {"OnBuild": ["", " ", "# nothing"]},
    "OnBuild of triggers": {"OnBuild": ["ONBUILD LABEL a=b"]},
    "OnBuild of stages": {"OnBuild": ["FROM scratch"]},
    "OnBuild of lines": {"OnBuild": ["LABEL a=b\nCOPY ../secret /\nFROM scratch"]},
    "OnBuild that leaves the context": {"OnBuild": ["COPY ../secret /stolen"]},
    "OnBuild from itself": {"OnBuild": ["COPY --from=0 / /"]},
    "WorkingDir that leaves": {"WorkingDir": "../../../../secret"},
    "WorkingDir of parts": {"WorkingDir": "/a/../../b/./c/.."},
    "WorkingDir a list": {"WorkingDir": ["/a"]},
    "WorkingDir with NUL": {"WorkingDir": "/a\u0000b"},
    "WorkingDir long": {"WorkingDir": "/" + "d/" * 3000},
    "WorkingDir with a long name": {"WorkingDir": "/" + "d" * 300},
    "User no user": {"User": "nobody\u0000:-1:4294967296"},
    "User a number": {"User": 12},
    "User a list": {"User": ["root"]},
    "Volumes a list": {"Volumes": ["/etc", "/proc"]},
    "Volumes odd": {"Volumes": {"../../x": None, "": {}}},
    "ExposedPorts a text": {"ExposedPorts": "80"},
    "Labels a list": {"Labels": ["a=b"]},
    "Labels of all kinds": {"Labels": {"a": 1, "b": None, "c": ["d"]}},
    "Labels a text": {"Labels": "a=b"},
    "Shell of all kinds": {"Shell": [1, None, {}]},
    "Shell a text": {"Shell": "/bin/sh"},
    "Cmd a text": {"Cmd": "rm -rf /"},
    "Entrypoint of all kinds": {"Entrypoint": [None, 1]},
    "Healthcheck odd": {"Healthcheck": {"Test": 3, "Interval": "x"}},
    "StopSignal a list": {"StopSignal": ["9"]},
    "unknown members": {"__proto__": {"a": 1}, "\u001b[31m": 1},
    "nested": {"Labels": {"a": [[[[[[[[[[1]]]]]]]]]]}},
}
DOCUMENTS: dict[str, dict[str, Any]] = {
    "config a list": {"config": ["x"]},
    "config a text": {"config": "x"},
    "author a list": {"author": ["x"]},
    "created no time": {"created": "yesterday"},
    "created a number": {"created": 5},
    "created far": {"created": "99999-01-01T00:00:00Z"},
    "history a text": {"history": "x"},
    "history of all kinds": {"history": [1, None]},
    "history with odd entries": {"history": [{"created": 7, "created_by": None, "empty_layer": "yes"}]},
    "history huge": {"history": [{"created_by": "x" * 40, "empty_layer": True}] * 50_000},
    "history of more layers": {"history": [{"created_by": "x"}] * 5},
    "os.features odd": {"os.features": {"a": 1}, "os.version": "1"},
    "architecture odd": {"architecture": "../../amd64"},
    "diff_ids of another layer": {"rootfs": {"type": "layers", "diff_ids": [str(layer(2).diff_id)]}},
    "more diff_ids": {"rootfs": {"type": "layers", "diff_ids": [str(LAYER.diff_id)] * 3}},
    "no diff_ids": {"rootfs": {"type": "layers", "diff_ids": []}},
    "diff_ids no digests": {"rootfs": {"type": "layers", "diff_ids": ["../../../etc"]}},
    "no rootfs": {"rootfs": None},
}


def hostile(changes: dict[str, Any], config: object) -> Memory:
    """An image app:bad."""
    document = {
        "architecture": "amd64", "os": "linux", "config": config,
        "rootfs": {"type": "layers", "diff_ids": [str(LAYER.diff_id)]}, **changes,
    }  # fmt: skip
    memory = Memory()
    raw = json.dumps(document).encode()
    memory.blobs[Digest.of(raw)] = raw
    memory.blobs[Digest.of(LAYER.blob)] = LAYER.blob
    manifest = json.dumps({
        "schemaVersion": 2, "mediaType": mediatype.OCI_MANIFEST,
        "config": {"mediaType": mediatype.OCI_CONFIG, "digest": str(Digest.of(raw)), "size": len(raw)},
        "layers": [_told(LAYER)],
    }).encode()  # fmt: skip
    memory.manifests[Digest.of(manifest)] = (mediatype.OCI_MANIFEST, manifest)
    memory.tags["bad"] = Descriptor(
        media_type=mediatype.OCI_MANIFEST, digest=Digest.of(manifest), size=len(manifest)
    )
    return memory


def _told(one: Layer) -> dict[str, Any]:
    return {"mediaType": one.media_type, "digest": str(Digest.of(one.blob)), "size": len(one.blob)}


def attempt(place: Place, memory: Memory) -> MilleError | None:
    """Pull the image and build on it; how that failed."""
    try:
        pull(
            place.store, memory, Reference.parse("app:bad"), Silent(), platform=Platform.parse("linux/amd64")
        )
        made = place.build(TEXT)
    except MilleError as error:
        return error
    with place.tree(made) as tree:
        assert tree.read(b"stolen") is None
    json.loads(made.raw)
    return None


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path / "here")
    made.write({"file": "file\n"})
    (tmp_path / "here/secret").write_text("of the host")
    return made


def judge(place: Place, images: Mapping[str, Memory], refused: set[str]) -> None:
    """Build on each; those that are `refused` have one clear line, and the store is whole after all."""
    told = {name: attempt(place, memory) for name, memory in images.items()}
    assert {name for name, error in told.items() if error is not None} == refused, told
    assert not [text for text in map(str, told.values()) if "\n" in text or "\x1b" in text]
    assert check(place.store, data=True).problems == ()
    made = place.build("FROM scratch\nCOPY file /\n")
    assert place.read(made, "file") == "file\n"


def test_hostile_processes(place: Place) -> None:
    refused = {
        "Env with odd characters", "OnBuild of no sense", "OnBuild empty", "OnBuild of triggers",
        "OnBuild of stages", "OnBuild of lines", "OnBuild that leaves the context", "OnBuild from itself",
        "WorkingDir long", "WorkingDir with a long name", "User no user", "User a list",
        # What Docker's structs cannot hold.
        "Env a text", "Env a number", "Env a mapping", "Env of all kinds", "OnBuild a text",
        "OnBuild of all kinds", "WorkingDir a list", "User a number", "Volumes a list",
        "ExposedPorts a text", "Labels a list", "Labels of all kinds", "Labels a text", "Shell of all kinds",
        "Entrypoint of all kinds", "Healthcheck odd", "StopSignal a list", "nested",
    }  # fmt: skip
    judge(place, {name: hostile({}, process) for name, process in HOSTILE.items()}, refused)


def test_hostile_documents(place: Place) -> None:
    images = {name: hostile(changes, {}) for name, changes in DOCUMENTS.items()}
    judge(place, images, {*DOCUMENTS} - {"history huge"})
