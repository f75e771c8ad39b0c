"""What the pages need to be run: a machine on which nginx:1.24 and busybox can be had."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from millefeuille.testing.images import MadeImage, push
from millefeuille.testing.servers import ServerMissing, registry

# The registry of this machine answers for Docker Hub, and for the one that the pages publish to.
REGISTRIES = """\
unqualified-search-registries = ["docker.io"]

[[registry]]
location = "docker.io"

[[registry.mirror]]
location = "{address}"
insecure = true

[[registry]]
prefix = "registry.example"
location = "{address}"
insecure = true
"""


@pytest.fixture(scope="session")
def can_run() -> bool:
    """Whether containers can be run here: by root, with a runtime."""
    return os.geteuid() == 0 and bool(shutil.which("crun") or shutil.which("runc"))


@pytest.fixture(scope="package")
def surroundings(
    tmp_path_factory: pytest.TempPathFactory, nginx: MadeImage, busybox: MadeImage
) -> Iterator[dict[str, str]]:
    """An environment in which the images of the pages can be pulled."""
    directory = tmp_path_factory.mktemp("pages")
    try:
        with registry(directory / "registry") as server:
            push(nginx, server.address, "library/nginx", "1.24", kind="docker")
            push(busybox, server.address, "library/busybox", "latest", kind="oci")
            (directory / "registries.conf").write_text(REGISTRIES.format(address=server.address))
            programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
            yield {
                "PATH": programs,
                "HOME": str(directory),
                "LANG": "C.UTF-8",
                "CONTAINERS_REGISTRIES_CONF": f"{directory}/registries.conf",
            }
    except ServerMissing as missing:
        pytest.skip(str(missing))
