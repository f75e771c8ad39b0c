"""An image is the same wherever it is: in a registry, in dockerd, in podman, in an archive."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
from tests.analysis.conftest import write_archive
from tests.faces.cli.home import Home
from tests.registry.test_dockercontext import context_of

from millefeuille.testing import rawtars
from millefeuille.testing.images import MadeImage, push, write_docker_archive
from millefeuille.testing.servers import DockerServer, RegistryServer

pytestmark = pytest.mark.walk


def told(home: Home, *words: str, **environment: str) -> dict[str, Any]:
    out, err, code = home.mille("analyze", "--json", *words, environment=environment)
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)
    found["image"]["name"] = ""
    for layer in found["layers"]:  # compressed or not, as the place has it
        for member in ("digest", "compressedBytes", "compressedShadowedBytes"):
            layer[member] = 0
    found["score"]["exact"].update(compressedBytes=0, compressedShadowedBytes=0)
    return found


def test_a_registrys_image_is_not_stored(
    home: Home, busybox: MadeImage, registry_server: RegistryServer, tmp_path: Path
) -> None:
    push(busybox, registry_server.address, "tools/busybox", "latest")
    archive = tmp_path / "busybox.tar"
    write_docker_archive(busybox, archive, "busybox:latest")
    expected = told(home, f"docker-archive://{archive}")
    name = f"{registry_server.address}/tools/busybox"
    assert told(home, name) == expected
    assert told(home, f"registry://{name}:latest") == expected
    assert not home.store.exists()
    assert home.mille("pull", "-q", name)[2] == 0
    assert told(home, name) == told(home, f"registry://{name}") == expected
    assert home.mille("analyze", f"registry://{registry_server.address}/nothing")[2] == 2
    out, err, code = home.mille("analyze", "--platform", "linux/s390x", f"registry://{name}")
    assert (out, code) == ("", 2)
    assert err.endswith("does not match the specified platform (linux/s390x)\n")


def test_dockers_image(home: Home, busybox: MadeImage, docker_server: DockerServer, tmp_path: Path) -> None:
    archive = tmp_path / "busybox.tar"
    write_docker_archive(busybox, archive, "busybox:latest")
    docker = shutil.which("docker")
    assert docker is not None
    subprocess.run([docker, "--host", docker_server.host, "load", "-i", str(archive)], check=True)
    expected = told(home, f"docker-archive://{archive}")
    assert told(home, "docker://busybox:latest", DOCKER_HOST=docker_server.host) == expected
    context = {"Endpoints": {"docker": {"Host": docker_server.host}}}
    settings = {"DOCKER_CONFIG": context_of(tmp_path, "there", context), "DOCKER_CONTEXT": "there"}
    assert told(home, "docker://busybox:latest", **settings) == expected
    words = ("analyze", "docker://nothing:at-all")
    _, err, code = home.mille(*words, environment={"DOCKER_HOST": docker_server.host})
    assert (code, err) == (2, "Error: docker: No such image: nothing:at-all\n")
    _, err, code = home.mille(*words, environment={"DOCKER_HOST": f"unix://{tmp_path}/nowhere.sock"})
    assert (code, "Cannot connect to the Docker daemon" in err) == (2, True)


def test_podmans_image(home: Home, tmp_path: Path) -> None:
    podman = shutil.which("podman")
    if podman is None:
        pytest.skip("needs podman")
    archive = tmp_path / "busybox.tar"
    write_archive(
        archive, [rawtars.archive(rawtars.file(b"a", b"x" * 300)), rawtars.archive(rawtars.file(b"b"))]
    )
    script = home.directory / "podman"  # first on the PATH of `home`: one with a store of its own
    run = tempfile.mkdtemp(prefix="pod-")  # podman takes no path that is longer than 50 characters
    options = f"--root {tmp_path}/pod --runroot {run} --storage-driver vfs"
    script.write_text(f'#!/bin/sh\nexec {podman} {options} "$@"\n')
    script.chmod(0o755)
    subprocess.run([script, "load", "-q", "-i", str(archive)], check=True, capture_output=True)
    assert told(home, "podman://localhost/random:latest") == told(home, str(archive))
    _, err, code = home.mille("analyze", "podman://localhost/nothing:at-all")
    assert (code, err.startswith("Error: podman: ")) == (2, True)
    assert err.count("rror:") == 1
    shutil.rmtree(run)
