"""The merged tree against what umoci unpacks, on seeded stacks of layers, where the two have one rule.

They have not where a layer writes through a symlink of a lower one (umoci follows it), below another lower
file (umoci refuses), and where a whiteout stands in a directory that is not there (umoci makes that). The
stacks below have none of these.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from millefeuille.layers.index import IndexBuilder, LayerIndex
from millefeuille.layers.refusal import BrokenLink
from millefeuille.layers.tar import TarError, TarParser
from millefeuille.layers.tree import Merger
from millefeuille.testing import rawtars
from millefeuille.testing.trees import content, walk

pytestmark = [
    pytest.mark.walk,
    pytest.mark.skipif(not shutil.which("umoci"), reason="umoci is not installed"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may unpack with owners"),
]

NAMES = [b"a", b"b", b"c"]
LINKS = [b"s", b"t"]  # names of symlinks only, so that nothing ever lies below one


def stack_of_layers(seed: int) -> tuple[list[bytes], Merger]:
    """A random stack that breaks no rule, and its merged tree."""
    chance = random.Random(seed)
    merger, layers = Merger(), []
    for _ in range(chance.randint(1, 4)):
        for _ in range(50):
            tar = rawtars.archive(*(random_entry(chance, merger) for _ in range(chance.randint(1, 10))))
            trial = Merger()
            try:
                for layer in [*layers, tar]:
                    trial.add(index_of(layer))
            except (TarError, BrokenLink):
                continue
            merger = trial
            layers.append(tar)
            break
    return layers, merger


def random_entry(chance: random.Random, merger: Merger) -> bytes:
    path = random_path(chance, merger)
    owner = {"uid": chance.randint(0, 9), "gid": chance.randint(0, 9), "mtime": chance.randint(1, 10**9)}
    below = sorted(path for path, _ in walk(merger.root) if path)
    kind = chance.choice(["file", "file", "directory", "symlink", "hardlink", "whiteout", "opaque"])
    if kind == "directory":
        return rawtars.directory(path, mode=chance.choice([0o755, 0o700, 0o1777]), **owner)
    if kind == "symlink":
        return rawtars.symlink(
            path.rpartition(b"/")[0] + b"/" + chance.choice(LINKS), chance.choice([b"/a", b"../b"]), **owner
        )
    if kind == "hardlink" and below:
        return rawtars.hardlink(path, chance.choice(below))
    if kind == "whiteout" and below:
        parent, slash, leaf = chance.choice(below).rpartition(b"/")
        return rawtars.file(parent + slash + b".wh." + leaf)
    directories = [path for path, node in walk(merger.root) if node.children is not None]
    if kind == "opaque" and directories:
        directory = chance.choice(sorted(directories))
        return rawtars.file((directory + b"/" if directory else b"") + b".wh..wh..opq")
    return rawtars.file(path, b"x" * chance.randint(0, 3), mode=chance.choice([0o644, 0o4755]), **owner)


def random_path(chance: random.Random, merger: Merger) -> bytes:
    """A path that passes through nothing of the layers below but directories."""
    while True:
        parts = chance.choices(NAMES, k=chance.randint(1, 3))
        ancestors = [merger.find(b"/".join(parts[:n])) for n in range(1, len(parts) + 1)]
        if all(node is None or node.children is not None for node in ancestors):
            return b"/".join(parts)
        if (
            all(node is None or node.children is not None for node in ancestors[:-1])
            and chance.random() < 0.5
        ):
            return b"/".join(parts)


def index_of(tar: bytes) -> LayerIndex:
    builder = IndexBuilder()
    parser = TarParser(builder)
    parser.feed(tar)
    parser.finish()
    return LayerIndex(builder.finish())


def write_image(root: Path, layers: list[bytes]) -> None:
    """An OCI image layout with one image of these layers."""
    blobs = root / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def put(data: bytes, media_type: str) -> dict[str, object]:
        digest = hashlib.sha256(data).hexdigest()
        (blobs / digest).write_bytes(data)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}

    prefix = "application/vnd.oci.image."
    described = [put(layer, prefix + "layer.v1.tar") for layer in layers]
    config = {
        "architecture": "amd64", "os": "linux", "config": {},
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in described]},
    }  # fmt: skip
    manifest = {
        "schemaVersion": 2,
        "config": put(json.dumps(config).encode(), prefix + "config.v1+json"),
        "layers": described,
    }
    entry = put(json.dumps(manifest).encode(), prefix + "manifest.v1+json")
    entry["annotations"] = {"org.opencontainers.image.ref.name": "latest"}
    (root / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    (root / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')


def check(seed: int, room: Path) -> None:
    layers, merger = stack_of_layers(seed)
    write_image(room / "image", layers)
    command = ["umoci", "raw", "unpack", "--image", f"{room / 'image'}:latest", str(room / "rootfs")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, (seed, result.stderr)
    disk = {os.fsencode(path.relative_to(room / "rootfs")): path for path in (room / "rootfs").rglob("*")}
    nodes = {path: node for path, node in walk(merger.root) if path}
    assert nodes.keys() == disk.keys(), seed
    for path, node in nodes.items():
        status = disk[path].lstat()
        assert node.nlink == status.st_nlink, (seed, path)
        if node.entry < 0:  # of a parent that an opaque mark removed, umoci keeps the metadata
            assert node.mode >> 12 == status.st_mode >> 12, (seed, path)
            continue
        assert (node.mode, node.uid, node.gid) == (status.st_mode, status.st_uid, status.st_gid), (seed, path)
        if node.children is None:  # a directory's time moves when umoci makes or removes what is in it
            assert node.mtime == int(status.st_mtime), (seed, path)
        if node.link:
            assert node.link == os.fsencode(os.readlink(disk[path])), (seed, path)
        elif node.children is None:
            assert content(node, layers[node.layer]) == disk[path].read_bytes(), (seed, path)


@pytest.mark.parametrize("part", [0, 1, 2])
def test_umoci_unpacks_the_merged_tree(part: int, tmp_path: Path, all_cases: bool) -> None:
    count = 100 if all_cases else 10
    for seed in range(part * count, (part + 1) * count):
        check(seed, tmp_path / str(seed))
