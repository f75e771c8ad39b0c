"""What every test may use: real servers on the loopback, images of our own making, and a cache for both."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from millefeuille.settings import SYSTEM_RUN
from millefeuille.snapshots.erofs.attached import Attached
from millefeuille.testing.debian import PackagesMissing, busybox_image, nginx_image
from millefeuille.testing.images import MadeImage
from millefeuille.testing.servers import DockerServer, RegistryServer, ServerMissing, dockerd, registry

# A loaded machine is no reason to fail: nothing here asserts on times.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

GZIP = b"\x1f\x8b"


def pytest_make_parametrize_id(val: object) -> str | None:
    """Long or compressed bytes are no name: what is in them, the time in a gzip header say, differs between
    processes.
    """
    if not isinstance(val, bytes):
        return None
    return "long bytes" if len(val) > 64 or val.startswith(GZIP) else None


@pytest.fixture(scope="session", autouse=True)
def no_idle_mounts() -> Iterator[None]:
    """What a store keeps mounted goes with its next command; the stores of tests have none."""
    yield
    # The root of a user namespace may not look there.
    if os.geteuid() == 0 and os.access(SYSTEM_RUN, os.R_OK | os.W_OK) and not _in_user_namespace():
        for store in os.listdir(SYSTEM_RUN):
            Attached(f"{SYSTEM_RUN}/{store}/chains").release_idle()


@pytest.fixture(scope="session", autouse=True)
def no_mounts_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test leaves a mount: pytest could not remove its directory, and would fail three runs later."""
    yield
    top = f"{tmp_path_factory.getbasetemp()}/"
    left = [line.split(" ")[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    left = [target for target in left if target.startswith(top)]
    for target in reversed(left):
        subprocess.run(["umount", "--lazy", target], check=False)
    assert not left, left


def _in_user_namespace() -> bool:
    return Path("/proc/self/uid_map").read_text().split() != ["0", "0", "4294967295"]


@pytest.fixture(scope="session")
def all_cases() -> bool:
    """Whether long suites run every case, as `scripts/test --all` asks, or a fixed slice of them."""
    return bool(os.environ.get("MILLE_ALL"))


@pytest.fixture(scope="session")
def image_cache() -> Path:
    """The directory that keeps made layers and downloaded packages from one run to the next."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache, "millefeuille-tests")


@pytest.fixture(scope="session")
def busybox(image_cache: Path) -> MadeImage:
    """An image with one gzip layer: a static busybox."""
    try:
        return busybox_image(image_cache)
    except ServerMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def nginx(image_cache: Path) -> MadeImage:
    """An image with four gzip layers: a small Debian, nginx, two scripts."""
    try:
        return nginx_image(image_cache)
    except (ServerMissing, PackagesMissing) as missing:
        pytest.skip(str(missing))


@pytest.fixture
def registry_server(tmp_path: Path) -> Iterator[RegistryServer]:
    """An empty docker-registry of this test's own."""
    try:
        with registry(tmp_path / "registry") as server:
            yield server
    except ServerMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture
def docker_server(tmp_path: Path) -> Iterator[DockerServer]:
    """A dockerd of this test's own, without images."""
    try:
        with dockerd(tmp_path / "dockerd") as server:
            yield server
    except ServerMissing as missing:
        pytest.skip(str(missing))
