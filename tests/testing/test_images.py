from __future__ import annotations

import hashlib
import json
import subprocess
import tarfile
import urllib.request
from pathlib import Path

import pytest

from millefeuille.testing import images, servers, tars
from millefeuille.testing.images import MadeImage
from millefeuille.testing.servers import RegistryServer, ServerMissing


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    (root / "etc").mkdir(parents=True)
    (root / "etc/motd").write_text("hello\n")
    (root / "etc/also").hardlink_to(root / "etc/motd")
    (root / "link").symlink_to("etc/motd")
    return root


@pytest.mark.parametrize("compression", ["gzip", "zstd", ""])
def test_a_layer_is_the_same_each_time(tmp_path: Path, tree: Path, compression: str) -> None:
    first = tars.make_layer(tmp_path / "1", tars.directory_entries(tree), compression=compression)
    second = tars.make_layer(tmp_path / "2", tars.directory_entries(tree), compression=compression)
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.digest == f"sha256:{hashlib.sha256(first.path.read_bytes()).hexdigest()}"
    assert first.size == first.path.stat().st_size


def test_a_layer_holds_the_tree(tmp_path: Path, tree: Path) -> None:
    layer = tars.make_layer(tmp_path / "layer", tars.directory_entries(tree))
    listed = subprocess.run(["tar", "-tvzf", layer.path], capture_output=True, text=True, check=True).stdout
    names = [line.split(maxsplit=5)[5] for line in listed.splitlines()]
    assert names == ["etc/", "link -> etc/motd", "etc/also", "etc/motd link to etc/also"]


def test_the_diff_id_is_of_the_tar(tmp_path: Path, tree: Path) -> None:
    packed = tars.make_layer(tmp_path / "1", tars.directory_entries(tree))
    plain = tars.make_layer(tmp_path / "2", tars.directory_entries(tree), compression="")
    assert packed.diff_id == plain.diff_id == plain.digest


@pytest.mark.walk
@pytest.mark.parametrize("kind", ["docker", "oci"])
def test_skopeo_reads_what_was_pushed(registry_server: RegistryServer, busybox: MadeImage, kind: str) -> None:
    digest = images.push(busybox, registry_server.address, "library/busybox", "latest", kind=kind)
    found = json.loads(_skopeo("inspect", f"docker://{registry_server.address}/library/busybox"))
    assert found["Digest"] == digest
    assert found["Layers"] == [busybox.layers[0].digest]


@pytest.mark.walk
def test_an_index_names_each_platform(registry_server: RegistryServer, busybox: MadeImage) -> None:
    other = images.make_image(busybox.layers, architecture="arm", variant="v7")
    images.push([busybox, other], registry_server.address, "two", "1", kind="oci")
    accept = {"Accept": "application/vnd.oci.image.index.v1+json"}
    request = urllib.request.Request(f"http://{registry_server.address}/v2/two/manifests/1", headers=accept)
    with urllib.request.urlopen(request) as answer:
        platforms = [entry["platform"] for entry in json.load(answer)["manifests"]]
    assert platforms == [
        {"architecture": "amd64", "os": "linux"},
        {"architecture": "arm", "os": "linux", "variant": "v7"},
    ]


@pytest.mark.walk
def test_skopeo_reads_a_layout(tmp_path: Path, busybox: MadeImage) -> None:
    digest = images.write_layout(busybox, tmp_path / "layout", name="b")
    assert json.loads(_skopeo("inspect", f"oci:{tmp_path}/layout:b"))["Digest"] == digest


@pytest.mark.walk
def test_skopeo_reads_a_docker_archive(tmp_path: Path, busybox: MadeImage) -> None:
    images.write_docker_archive(busybox, tmp_path / "b.tar", "busybox:latest")
    config = _skopeo("inspect", "--config", "--raw", f"docker-archive:{tmp_path}/b.tar")
    assert config.encode() == busybox.config


@pytest.mark.walk
def test_nginx_has_merged_usr_and_no_name_twice(nginx: MadeImage) -> None:
    for layer in nginx.layers:
        with tarfile.open(layer.path) as archive:
            names = archive.getnames()
        assert len(names) == len(set(names))
        assert not [name for name in names if name.startswith(("bin/", "lib/", "sbin/"))]
    assert len(nginx.layers) == 4


def _skopeo(command: str, *arguments: str) -> str:
    try:
        program = servers.program("skopeo")
    except ServerMissing as missing:
        pytest.skip(str(missing))
    full = [program, command, "--tls-verify=false", *arguments]
    return subprocess.run(full, capture_output=True, text=True, check=True).stdout
