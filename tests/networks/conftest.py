"""A host of a test's own: a network namespace that this process is in while the test runs."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.hosts import host_of_its_own

from millefeuille import kernel
from millefeuille.networks import links
from millefeuille.networks.netlink import Netlink
from millefeuille.networks.networks import Networks
from millefeuille.networks.wishes import Wishes, wishes


@dataclass(frozen=True)
class Stand:
    """A host with nothing but its loopback interface, and a store on it."""

    networks: Networks
    directory: Path

    def wishes(self, name: str, mode: str = "bridge", **host_config: Any) -> Wishes:
        """What a container of that name asks for."""
        config = {"Hostname": f"{name}.host", "ExposedPorts": {"90/tcp": {}}}
        networking = host_config.pop("networking", {})
        return wishes(
            name, config, {"NetworkMode": mode, **host_config}, networking, hosts=str(self.directory / name)
        )

    def interfaces(self) -> list[str]:
        """The names of the host's interfaces."""
        with Netlink() as host:
            return sorted(links.names(host))

    def left(self) -> list[str]:
        """What there is beside an idle host: interfaces, mounts, files of leases and namespaces, rules."""
        run = self.directory / "run"
        mounts = [line for line in Path("/proc/self/mounts").read_text().splitlines() if str(run) in line]
        files = [str(path) for part in ("netns", "networks") for path in (run / "store" / part).glob("*")]
        told = run / "store" / "networks" / "rules"
        kept = [path for path in files if path != str(told)]
        table = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=True).stdout
        ours = [line for line in table.splitlines() if "mille_" in line]
        return [*(name for name in self.interfaces() if name != "lo"), *mounts, *kept, *ours]


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    """A host of this test's own; needs root."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    networks = Networks(f"{tmp_path}/root/networks", f"{tmp_path}/run/store")
    (tmp_path / "root").mkdir()
    (tmp_path / "run").mkdir()
    with host_of_its_own():
        try:
            yield Stand(networks, tmp_path)
        finally:
            networks.sweep(lambda _: nullcontext(True))


def within(path: str, work: Callable[[], Any]) -> Any:
    """Do `work` in the network namespace at `path`; what it returns or raises."""
    results: list[Any] = []

    def enter() -> None:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                kernel.enter_namespace(descriptor, kernel.CLONE_NEWNET)
            finally:
                os.close(descriptor)
            results.append(work())
        except BaseException as error:
            results.append(error)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    if isinstance(results[0], BaseException):
        raise results[0]
    return results[0]
